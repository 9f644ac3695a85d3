"""Operations on queues of machine work."""

from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations.base import API, Operation
from quarterdeck.contract.problems import Code
from quarterdeck.contract.reference import ModelRef

_QUEUES = f"{API}/queues"
_ONE = f"{_QUEUES}/{{queue}}"
_QUEUE = ModelRef("queues:Queue")

LIST = Operation(
    "queues.list", "GET", _QUEUES, "Every queue with its counts and condition.", ModelRef("queues:QueueList")
)
SHOW = Operation("queues.show", "GET", _ONE, "One queue.", _QUEUE, problems=(Code.NOT_FOUND,))
PUT = Operation(
    "queues.put",
    "PUT",
    _ONE,
    "Make a queue, or give it these settings.",
    _QUEUE,
    ModelRef("queues:QueueSettings"),
    role=Role.ADMIN,
    problems=(Code.NOT_FOUND, Code.ADDRESS_REFUSED),  # not found: a name that no queue can have
)
CHANGE = Operation(
    "queues.change",
    "PATCH",
    _ONE,
    "Change some settings; they apply at once.",
    _QUEUE,
    ModelRef("queues:QueueChange"),
    role=Role.ADMIN,
    problems=(Code.NOT_FOUND, Code.ADDRESS_REFUSED),
)
PAUSE = Operation(
    "queues.pause",
    "POST",
    f"{_ONE}/pause",
    "Start nothing new; what is active goes on to its end.",
    _QUEUE,
    ModelRef("queues:Pause"),
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND, Code.UNCHANGED),
)
RESUME = Operation(
    "queues.resume",
    "POST",
    f"{_ONE}/resume",
    "Go on after a pause.",
    _QUEUE,
    ModelRef("queues:Pause"),
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND, Code.UNCHANGED),
)
DELETE = Operation(
    "queues.delete",
    "DELETE",
    _ONE,
    "Forget a queue that holds no run which is still to be done.",
    _QUEUE,
    role=Role.ADMIN,
    problems=(Code.NOT_FOUND, Code.WRONG_STATE),
)
LEASE = Operation(
    "queues.lease",
    "POST",
    f"{_ONE}/lease",
    "Take runs to work on; each must be completed, failed or kept alive before its lease ends.",
    ModelRef("runs:LeasedRuns"),
    ModelRef("runs:LeaseRequest"),
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND, Code.WRONG_STATE, Code.ADDRESS_REFUSED),
)
