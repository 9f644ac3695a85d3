"""Service levels: policies, clocks, and how promises are kept."""

from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations.base import API, SEEN, Operation
from quarterdeck.contract.problems import Code
from quarterdeck.contract.reference import ModelRef

_POLICIES = f"{API}/sla/policies"
_ONE = f"{_POLICIES}/{{id}}"
_OPS = f"{API}/ops/sla"
_POLICY = ModelRef("sla:Policy")
_FIGURES = ModelRef("sla:FigureQuery")
_CLOCKS = ModelRef("sla:ClockQuery")
_PAGE = ModelRef("sla:ClockPage")

POLICIES = Operation("sla.policies", "GET", _POLICIES, "Every policy, as it is now.", ModelRef("sla:PolicyList"))
POLICY = Operation("sla.policy", "GET", _ONE, "One policy.", _POLICY, problems=(Code.NOT_FOUND,))
CREATE = Operation(
    "sla.create",
    "POST",
    _POLICIES,
    "Make a policy; it holds for items that enter their queue from then on.",
    _POLICY,
    ModelRef("sla:NewPolicy"),
    status=201,
    role=Role.ADMIN,
    problems=(Code.UNCHANGED,),
)
CHANGE = Operation(
    "sla.change",
    "PATCH",
    _ONE,
    "Change a policy; clocks that have started go on by what held then.",
    _POLICY,
    ModelRef("sla:PolicyChange"),
    role=Role.ADMIN,
    problems=(Code.NOT_FOUND, Code.UNCHANGED, Code.CHANGED_SINCE),
)
DELETE = Operation(
    "sla.delete",
    "DELETE",
    _ONE,
    "Forget a policy; clocks that have started go on to their end.",
    _POLICY,
    query=SEEN,
    role=Role.ADMIN,
    problems=(Code.NOT_FOUND, Code.CHANGED_SINCE),
)
CLOCKS = Operation(
    "sla.clocks",
    "GET",
    f"{API}/admin/{{resource}}/{{id}}/clocks",
    "The clocks of one item, and what its policy suggests.",
    ModelRef("sla:ItemClocks"),
    problems=(Code.NOT_FOUND,),
)
COMPLIANCE = Operation(
    "sla.compliance",
    "GET",
    f"{_OPS}/compliance",
    "The share of promises that were kept, over time.",
    ModelRef("sla:Compliance"),
    query=_FIGURES,
)
RESOLUTION_TIME = Operation(
    "sla.resolution_time",
    "GET",
    f"{_OPS}/resolution-time",
    "How long it took, by priority.",
    ModelRef("sla:ResolutionTime"),
    query=_FIGURES,
)
AT_RISK = Operation(
    "sla.at_risk",
    "GET",
    f"{_OPS}/at-risk",
    "Items that are due soon, the nearest first.",
    _PAGE,
    query=_CLOCKS,
    problems=(Code.CURSOR_INVALID,),
)
BREACHES = Operation(
    "sla.breaches",
    "GET",
    f"{_OPS}/breaches",
    "Promises that were broken, the latest first.",
    _PAGE,
    query=ModelRef("sla:BreachQuery"),
    problems=(Code.CURSOR_INVALID,),
)
REPLAY = Operation(
    "sla.replay",
    "POST",
    f"{API}/sla/replay",
    "Work clocks out again from the timelines of their items, and say where they differ.",
    ModelRef("sla:ReplayResult"),
    ModelRef("sla:ReplayRequest"),
    role=Role.ADMIN,
    problems=(Code.FILTER_INVALID,),
)
