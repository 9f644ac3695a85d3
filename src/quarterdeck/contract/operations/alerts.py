"""Alerts: rules, what has fired, silences, and alerts from outside."""

from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations.base import API, SEEN, Operation
from quarterdeck.contract.problems import Code
from quarterdeck.contract.reference import ModelRef

_ALERTS = f"{API}/alerts"
_CONFIG = f"{_ALERTS}/config"
_ONE = f"{_CONFIG}/{{id}}"
_HISTORY = f"{_ALERTS}/history"
_SILENCES = f"{_ALERTS}/silences"
_RULE = ModelRef("alert_rules:Rule")
_SILENCE = ModelRef("alerts:Silence")
_ACTED = ModelRef("alerts:Acted")

RULES = Operation(
    "alerts.rules", "GET", _CONFIG, "Every rule, and how many alerts it has.", ModelRef("alert_rules:RuleList")
)
RULE = Operation("alerts.rule", "GET", _ONE, "One rule.", _RULE, problems=(Code.NOT_FOUND,))
CREATE = Operation(
    "alerts.create",
    "POST",
    _CONFIG,
    "Make a rule; it is evaluated from the next time on.",
    _RULE,
    ModelRef("alert_rules:NewRule"),
    status=201,
    role=Role.ADMIN,
    problems=(Code.UNCHANGED,),
)
CHANGE = Operation(
    "alerts.change",
    "PATCH",
    _ONE,
    "Change a rule; what fires goes by it from the next evaluation on.",
    _RULE,
    ModelRef("alert_rules:RuleChange"),
    role=Role.ADMIN,
    problems=(Code.NOT_FOUND, Code.UNCHANGED, Code.CHANGED_SINCE),
)
DELETE = Operation(
    "alerts.delete",
    "DELETE",
    _ONE,
    "Forget a rule; what fires by it is resolved.",
    _RULE,
    query=SEEN,
    role=Role.ADMIN,
    problems=(Code.NOT_FOUND, Code.CHANGED_SINCE),
)
TEST = Operation(
    "alerts.test",
    "GET",
    f"{_ONE}/test",
    "What a rule would do now, and with the last 24 hours.",
    ModelRef("alert_rules:RuleTest"),
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND,),
)
HISTORY = Operation(
    "alerts.history",
    "GET",
    _HISTORY,
    "Alerts that wait, fire or are over, the newest first.",
    ModelRef("alerts:AlertPage"),
    query=ModelRef("alerts:HistoryQuery"),
    problems=(Code.CURSOR_INVALID, Code.FILTER_INVALID),
)
BOARD = Operation(
    "alerts.board",
    "GET",
    f"{_ALERTS}/board",
    "What fires, in groups, and how many alerts there are.",
    ModelRef("alerts:AlertBoard"),
    query=ModelRef("alerts:BoardQuery"),
    problems=(Code.FILTER_INVALID,),
)
SHOW = Operation(
    "alerts.show",
    "GET",
    f"{_HISTORY}/{{id}}",
    "One alert: what became of it, its values, and what was sent.",
    ModelRef("alerts:AlertDetail"),
    problems=(Code.NOT_FOUND,),
)
ACKNOWLEDGE = Operation(
    "alerts.acknowledge",
    "POST",
    f"{_ALERTS}/acknowledge",
    "Say that somebody looks after alerts; they stop repeating.",
    _ACTED,
    ModelRef("alerts:Acknowledge"),
    role=Role.OPERATOR,
)
UNACKNOWLEDGE = Operation(
    "alerts.unacknowledge",
    "POST",
    f"{_ALERTS}/unacknowledge",
    "Take acknowledgements back; the alerts are told anew.",
    _ACTED,
    ModelRef("alerts:Unacknowledge"),
    role=Role.OPERATOR,
)
RESOLVE = Operation(
    "alerts.resolve",
    "POST",
    f"{_ALERTS}/resolve",
    "Say that alerts are over, and why.",
    _ACTED,
    ModelRef("alerts:Resolve"),
    role=Role.OPERATOR,
)
STATS = Operation(
    "alerts.stats",
    "GET",
    f"{_ALERTS}/stats",
    "How many alerts there are, and how long they took.",
    ModelRef("alerts:AlertStats"),
    query=ModelRef("alerts:StatsQuery"),
)
SILENCES = Operation(
    "alerts.silences",
    "GET",
    _SILENCES,
    "Silences, the newest first.",
    ModelRef("alerts:SilenceList"),
    query=ModelRef("alerts:SilenceQuery"),
)
SILENCE = Operation(
    "alerts.silence",
    "POST",
    _SILENCES,
    "Keep alerts that match from being sent for a time.",
    _SILENCE,
    ModelRef("alerts:NewSilence"),
    status=201,
    role=Role.OPERATOR,
)
PREVIEW_SILENCE = Operation(
    "alerts.preview_silence",
    "POST",
    f"{_SILENCES}/preview",
    "What a silence would keep from being sent.",
    ModelRef("alerts:SilencePreview"),
    ModelRef("alerts:NewSilence"),
    role=Role.OPERATOR,
)
END_SILENCE = Operation(
    "alerts.end_silence",
    "DELETE",
    f"{_SILENCES}/{{id}}",
    "End a silence now.",
    _SILENCE,
    role=Role.OPERATOR,
    problems=(Code.NOT_FOUND, Code.UNCHANGED),
)
POST = Operation(
    "alerts.post",
    "POST",
    "/api/v2/alerts",
    "Take alerts as Alertmanager does, from Prometheus or amtool.",
    ModelRef("alerts:PostResult"),
    ModelRef("alerts:PostedAlerts"),
    role=Role.OPERATOR,
)
