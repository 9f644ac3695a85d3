"""Operations on items."""

from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations.base import API, Answers, Operation
from quarterdeck.contract.problems import Code
from quarterdeck.contract.reference import ModelRef

_ADMIN = f"{API}/admin/{{resource}}"
_LISTING = (Code.FILTER_INVALID, Code.NOT_FOUND)

LIST = Operation(
    "items.list",
    "GET",
    _ADMIN,
    "A page of items that match a filter, in the order of a sort key.",
    ModelRef("items:ItemPage"),
    query=ModelRef("items:ListQuery"),
    problems=(*_LISTING, Code.CURSOR_INVALID),
)
COUNT = Operation(
    "items.count",
    "GET",
    f"{_ADMIN}/count",
    "How many rows match a filter; of runs and dead letters as many as could be counted in time.",
    ModelRef("items:ItemCount"),
    query=ModelRef("items:FilterQuery"),
    problems=_LISTING,
    machines=True,
)
FACETS = Operation(
    "items.facets",
    "GET",
    f"{_ADMIN}/facets",
    "Values seen in the store, for completion.",
    ModelRef("items:Facets"),
    problems=(Code.NOT_FOUND,),
    machines=True,
)
EXPORT = Operation(
    "items.export",
    "GET",
    f"{_ADMIN}/export",
    "Every item that matches a filter, as CSV or JSON.",
    query=ModelRef("items:ExportQuery"),
    problems=_LISTING,
    answers=Answers.STREAM,
)
SHOW = Operation(
    "items.show",
    "GET",
    f"{_ADMIN}/{{id}}",
    "One item, whole.",
    ModelRef("items:Item"),
    problems=(Code.NOT_FOUND,),
)
EVENTS = Operation(
    "items.events",
    "GET",
    f"{_ADMIN}/{{id}}/events",
    "The timeline of an item, newest first.",
    ModelRef("items:EventPage"),
    query=ModelRef("items:EventsQuery"),
    problems=(Code.NOT_FOUND, Code.CURSOR_INVALID),
)
CREATE = Operation(
    "items.create",
    "POST",
    _ADMIN,
    "Put new items into a queue.",
    ModelRef("items:CreatedItems"),
    ModelRef("items:NewItems"),
    status=201,
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND, Code.UNCHANGED),
)
IMPORT = Operation(
    "items.import",
    "POST",
    f"{_ADMIN}/import",
    "Create or update items by their external id; the same batch again changes nothing.",
    ModelRef("items:ImportResult"),
    ModelRef("items:ImportBatch"),
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND,),
)
ACT = Operation(
    "items.act",
    "POST",
    f"{_ADMIN}/{{id}}/actions/{{action}}",
    "Carry out an action on one item, run or dead letter.",
    ModelRef("items:ActionResult"),
    ModelRef("items:ActionRequest"),
    role=Role.OPERATOR,
    problems=(
        Code.NOT_FOUND,
        Code.WRONG_STATE,
        Code.CHANGED_SINCE,
        Code.ALREADY_ASSIGNED,
        Code.NOT_YOURS,
        Code.UNCHANGED,
        Code.NOTHING_TO_RETRY,
        Code.NO_QUEUE,
        Code.ENGINES_OWN,
    ),
    machines=True,
)
UNDO = Operation(
    "items.undo",
    "POST",
    f"{_ADMIN}/{{id}}/events/{{event_id}}/undo",
    "Restore what an event changed, if the item has not changed since.",
    ModelRef("items:ActionResult"),
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND, Code.NOT_UNDOABLE, Code.CHANGED_SINCE),
)
CLAIM_NEXT = Operation(
    "items.claim_next",
    "POST",
    f"{_ADMIN}/claim-next",
    "Take the best unassigned item that matches a filter: priority, then due, then age.",
    ModelRef("items:ActionResult"),
    ModelRef("items:ClaimNext"),
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND, Code.FILTER_INVALID, Code.NOTHING_TO_CLAIM),
)
SKIP = Operation(
    "items.skip",
    "POST",
    f"{_ADMIN}/{{id}}/skip",
    "Put a claimed item back and do not offer it to me again for a while.",
    ModelRef("items:ActionResult"),
    ModelRef("items:Skip"),
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND, Code.NOT_YOURS),
)
RENEW = Operation(
    "items.renew",
    "POST",
    f"{_ADMIN}/{{id}}/renew",
    "Keep a claim from lapsing while its holder works.",
    ModelRef("items:Item"),
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND, Code.NOT_YOURS),
)
SELECT = Operation(
    "items.select",
    "POST",
    f"{_ADMIN}/selections",
    "Name all that match a filter, minus exceptions, as of now.",
    ModelRef("items:Selection"),
    ModelRef("items:NewSelection"),
    status=201,
    problems=_LISTING,
    machines=True,
)
