"""Operations on runs."""

from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations.base import API, Answers, Operation
from quarterdeck.contract.problems import Code
from quarterdeck.contract.reference import ModelRef

_RUNS = f"{API}/runs"
_ONE = f"{_RUNS}/{{id}}"
_RUN = ModelRef("runs:Run")
_LISTING = (Code.FILTER_INVALID,)
_LEASED = (Code.NOT_FOUND, Code.LEASE_LOST)

ENQUEUE = Operation(
    "runs.enqueue",
    "POST",
    _RUNS,
    "Put runs into their queues, up to 1,000 at once: all of them or none.",
    ModelRef("runs:EnqueuedRuns"),
    ModelRef("runs:NewRuns"),
    status=201,
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND,),
    idempotent=True,
)
LIST = Operation(
    "runs.list",
    "GET",
    _RUNS,
    "A page of runs that match a filter, in the order of a sort key.",
    ModelRef("runs:RunPage"),
    query=ModelRef("runs:RunListQuery"),
    problems=(*_LISTING, Code.CURSOR_INVALID),
)
SHOW = Operation(
    "runs.show",
    "GET",
    _ONE,
    "One run with every attempt.",
    ModelRef("runs:RunDetail"),
    problems=(Code.NOT_FOUND,),
)
LOGS = Operation(
    "runs.logs",
    "GET",
    f"{_ONE}/logs",
    "What the attempts wrote, oldest first.",
    ModelRef("runs:LogPage"),
    query=ModelRef("runs:LogQuery"),
    problems=(Code.NOT_FOUND, Code.CURSOR_INVALID),
)
WATCH = Operation(
    "runs.watch",
    "GET",
    f"{API}/ws/runs/{{id}}",
    "Changes and log lines of one run as they happen.",
    problems=(Code.NOT_FOUND,),
    answers=Answers.SOCKET,
)
HEARTBEAT = Operation(
    "runs.heartbeat",
    "POST",
    f"{_ONE}/heartbeat",
    "Keep a lease; the answer says whether to stop.",
    ModelRef("runs:HeartbeatAnswer"),
    ModelRef("runs:Heartbeat"),
    role=Role.OPERATOR,
    problems=_LEASED,
)
LOG = Operation(
    "runs.log",
    "POST",
    f"{_ONE}/log",
    "Add lines to the log of an attempt.",
    ModelRef("runs:LogTaken"),
    ModelRef("runs:NewLog"),
    role=Role.OPERATOR,
    problems=_LEASED,
)
COMPLETE = Operation(
    "runs.complete",
    "POST",
    f"{_ONE}/complete",
    "The work is done.",
    _RUN,
    ModelRef("runs:Completed"),
    role=Role.OPERATOR,
    problems=_LEASED,
)
FAIL = Operation(
    "runs.fail",
    "POST",
    f"{_ONE}/fail",
    "The attempt failed; the queue's rules say what follows.",
    _RUN,
    ModelRef("runs:FailedAttempt"),
    role=Role.OPERATOR,
    problems=_LEASED,
)
GIVE_BACK = Operation(
    "runs.give_back",
    "POST",
    f"{_ONE}/give-back",
    "Put the run back untouched; the attempt does not count.",
    _RUN,
    ModelRef("runs:GivenBack"),
    role=Role.OPERATOR,
    problems=_LEASED,
)
