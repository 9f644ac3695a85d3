"""Operations on dead letters."""

from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations.base import API, Answers, Operation
from quarterdeck.contract.problems import Code
from quarterdeck.contract.reference import ModelRef

_DLQ = f"{API}/ops/dlq"
_ONE = f"{_DLQ}/{{id}}"
_LISTING = (Code.FILTER_INVALID,)
_FILTER = ModelRef("dead_letters:DeadLetterFilter")
_DETAIL = ModelRef("dead_letters:DeadLetterDetail")

LIST = Operation(
    "dead_letters.list",
    "GET",
    _DLQ,
    "A page of dead letters that match a filter, in the order of a sort key.",
    ModelRef("dead_letters:DeadLetterPage"),
    query=ModelRef("dead_letters:DeadLetterListQuery"),
    problems=(*_LISTING, Code.CURSOR_INVALID),
)
ADD = Operation(
    "dead_letters.add",
    "POST",
    _DLQ,
    "Keep what another system gave up, up to 1,000 at once; the same source_id again changes nothing.",
    ModelRef("dead_letters:AddedDeadLetters"),
    ModelRef("dead_letters:NewDeadLetters"),
    status=201,
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND,),
)
SHOW = Operation(
    "dead_letters.show",
    "GET",
    _ONE,
    "One dead letter with its payload and every attempt.",
    _DETAIL,
    problems=(Code.NOT_FOUND,),
)
RETRY = Operation(
    "dead_letters.retry",
    "POST",
    f"{_ONE}/retry",
    "Put a run with the same or a changed payload into the queue it came from.",
    _DETAIL,
    ModelRef("dead_letters:DeadLetterRetry"),
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND, Code.WRONG_STATE, Code.CHANGED_SINCE, Code.NO_QUEUE),
    idempotent=True,
)
DISCARD = Operation(
    "dead_letters.discard",
    "POST",
    f"{_ONE}/discard",
    "Give it up.",
    _DETAIL,
    ModelRef("dead_letters:DeadLetterDiscard"),
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND, Code.WRONG_STATE, Code.CHANGED_SINCE),
    idempotent=True,
)
RETRY_BATCH = Operation(
    "dead_letters.retry_batch",
    "POST",
    f"{_DLQ}/retry-batch",
    "A draft of a bulk retry; confirm it as any bulk operation.",
    ModelRef("bulk:BulkPreview"),
    ModelRef("dead_letters:RetryBatch"),
    status=201,
    role=Role.OPERATOR,
    problems=(Code.FILTER_INVALID, Code.SELECTION_EXPIRED),
    idempotent=True,
)
STATS = Operation(
    "dead_letters.stats",
    "GET",
    f"{_DLQ}/stats",
    "How many there are by tenant, type and queue, and how they grow.",
    ModelRef("dead_letters:DeadLetterStats"),
    query=ModelRef("dead_letters:StatsQuery"),
)
GROUPS = Operation(
    "dead_letters.groups",
    "GET",
    f"{_DLQ}/groups",
    "Dead letters that match a filter, grouped by queue, code and normalised message.",
    ModelRef("dead_letters:ErrorGroups"),
    query=_FILTER,
    problems=_LISTING,
)
EXPORT = Operation(
    "dead_letters.export",
    "GET",
    f"{_DLQ}/export",
    "Every dead letter that matches a filter, whole, one JSON object a line.",
    query=_FILTER,
    role=Role.ADMIN,
    problems=_LISTING,
    answers=Answers.STREAM,
)
