"""Channels: where notifications go."""

from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations.base import API, SEEN, Operation
from quarterdeck.contract.problems import Code
from quarterdeck.contract.reference import ModelRef

_CHANNELS = f"{API}/alerts/channels"
_ONE = f"{_CHANNELS}/{{id}}"
_CHANNEL = ModelRef("channels:Channel")

LIST = Operation(
    "channels.list", "GET", _CHANNELS, "Every channel, without its secret.", ModelRef("channels:ChannelList")
)
SHOW = Operation("channels.show", "GET", _ONE, "One channel.", _CHANNEL, problems=(Code.NOT_FOUND,))
CREATE = Operation(
    "channels.create",
    "POST",
    _CHANNELS,
    "Make a channel; it names where its secret stands, and never holds it.",
    _CHANNEL,
    ModelRef("channels:NewChannel"),
    status=201,
    role=Role.ADMIN,
    problems=(Code.UNCHANGED, Code.ADDRESS_REFUSED),
)
CHANGE = Operation(
    "channels.change",
    "PATCH",
    _ONE,
    "Change a channel; what waits for it goes by the change too.",
    _CHANNEL,
    ModelRef("channels:ChannelChange"),
    role=Role.ADMIN,
    problems=(Code.NOT_FOUND, Code.UNCHANGED, Code.CHANGED_SINCE, Code.ADDRESS_REFUSED),
)
DELETE = Operation(
    "channels.delete",
    "DELETE",
    _ONE,
    "Forget a channel; notifications that wait for it become dead letters.",
    _CHANNEL,
    query=SEEN,
    role=Role.ADMIN,
    problems=(Code.NOT_FOUND, Code.CHANGED_SINCE, Code.WRONG_STATE),
)
VERIFY = Operation(
    "channels.verify",
    "POST",
    f"{_ONE}/verify",
    "Send a test at once, and say what the other side answered.",
    ModelRef("channels:Verified"),
    role=Role.ADMIN,
    problems=(Code.NOT_FOUND,),
)
