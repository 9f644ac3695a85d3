"""Bulk operations."""

from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations.base import API, Answers, Operation
from quarterdeck.contract.problems import Code
from quarterdeck.contract.reference import ModelRef

_BULK = f"{API}/bulk-operations"
_OPERATION = ModelRef("bulk:BulkOperation")

DRAFT = Operation(
    "bulk.draft",
    "POST",
    f"{API}/admin/{{resource}}/bulk/actions/{{action}}",
    "Freeze a selection and say what the action would do to it. Nothing is changed yet.",
    ModelRef("bulk:BulkPreview"),
    ModelRef("bulk:NewBulk"),
    status=201,
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND, Code.SELECTION_EXPIRED),
    idempotent=True,
    machines=True,
)
CONFIRM = Operation(
    "bulk.confirm",
    "POST",
    f"{_BULK}/{{id}}/confirm",
    "Start a draft, or schedule it for its time.",
    _OPERATION,
    ModelRef("bulk:Confirm"),
    role=Role.OPERATOR,
    problems=(
        Code.NOT_FOUND,
        Code.WRONG_STATE,
        Code.NOTHING_ELIGIBLE,
        Code.COUNT_MISMATCH,
        Code.TOO_MANY_OPERATIONS,
    ),
    idempotent=True,
)
LIST = Operation(
    "bulk.list",
    "GET",
    _BULK,
    "Bulk operations, newest first.",
    ModelRef("bulk:BulkPage"),
    query=ModelRef("bulk:BulkListQuery"),
    problems=(Code.CURSOR_INVALID,),
)
SHOW = Operation(
    "bulk.show",
    "GET",
    f"{_BULK}/{{id}}",
    "One bulk operation with its counts and reasons.",
    ModelRef("bulk:BulkDetail"),
    problems=(Code.NOT_FOUND,),
)
ITEMS = Operation(
    "bulk.items",
    "GET",
    f"{_BULK}/{{id}}/items",
    "What became of each item.",
    ModelRef("bulk:BulkItemPage"),
    query=ModelRef("bulk:BulkItemsQuery"),
    problems=(Code.NOT_FOUND, Code.CURSOR_INVALID),
)
EXPORT = Operation(
    "bulk.export",
    "GET",
    f"{_BULK}/{{id}}/export",
    "What became of each item, as CSV or JSON.",
    query=ModelRef("bulk:BulkExportQuery"),
    problems=(Code.NOT_FOUND,),
    answers=Answers.STREAM,
)
CANCEL = Operation(
    "bulk.cancel",
    "POST",
    f"{_BULK}/{{id}}/cancel",
    "Stop after the batches in flight.",
    _OPERATION,
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND, Code.WRONG_STATE),
    idempotent=True,
)
RESUME = Operation(
    "bulk.resume",
    "POST",
    f"{_BULK}/{{id}}/resume",
    "Go on with an operation that was cancelled, or stopped for a reason outside it, such as a full disk.",
    _OPERATION,
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND, Code.WRONG_STATE, Code.TOO_MANY_OPERATIONS),
    idempotent=True,
)
RETRY_FAILED = Operation(
    "bulk.retry_failed",
    "POST",
    f"{_BULK}/{{id}}/retry-failed",
    "A new draft of the same action over just those that failed.",
    ModelRef("bulk:BulkPreview"),
    status=201,
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND, Code.WRONG_STATE, Code.NOTHING_ELIGIBLE),
    idempotent=True,
)
UNDO = Operation(
    "bulk.undo",
    "POST",
    f"{_BULK}/{{id}}/undo",
    "A new draft that restores the earlier values of items that have not changed since.",
    ModelRef("bulk:BulkPreview"),
    status=201,
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND, Code.WRONG_STATE, Code.NOT_UNDOABLE, Code.NOTHING_ELIGIBLE),
    idempotent=True,
)
WATCH = Operation(
    "bulk.watch",
    "GET",
    f"{API}/ws/bulk-operations/{{id}}",
    "Progress as it happens.",
    problems=(Code.NOT_FOUND,),
    answers=Answers.SOCKET,
)
TEMPLATES = Operation(
    "bulk.templates",
    "GET",
    f"{API}/bulk-templates",
    "Saved bulk operations.",
    ModelRef("bulk:TemplatePage"),
    query=ModelRef("bulk:PageQuery"),
    problems=(Code.CURSOR_INVALID,),
)
SAVE_TEMPLATE = Operation(
    "bulk.save_template",
    "POST",
    f"{API}/bulk-templates",
    "Save a bulk operation under a name; the same name is replaced.",
    ModelRef("bulk:Template"),
    ModelRef("bulk:NewTemplate"),
    status=201,
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND, Code.FILTER_INVALID),
)
DELETE_TEMPLATE = Operation(
    "bulk.delete_template",
    "DELETE",
    f"{API}/bulk-templates/{{id}}",
    "Forget a saved bulk operation.",
    ModelRef("bulk:Template"),
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND,),
)
