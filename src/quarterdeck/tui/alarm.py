"""Critical alerts that nobody has seen to, for the banner of every screen, the bell and the desktop notice.

One small request when the engine says that alerts have changed, and none where nothing changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from quarterdeck.contract.clock import DAY, to_datetime
from quarterdeck.contract.live import Message
from quarterdeck.contract.operations import overview
from quarterdeck.tui.failures import FAILURES
from quarterdeck.tui.format import count, moment, severity
from quarterdeck.tui.ringing import BELL, notice
from quarterdeck.tui.screens.home.needs import alert_name
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import fit, safe

if TYPE_CHECKING:
    from quarterdeck.tui.app import Console

Alert = Mapping[str, Any]
_NEWS = (Message.ALERTS_CHANGED, Message.RESYNC)
_MOST_KNOWN = 2_000
_NAME, _TENANT = 10, 12  # cells: of a name at least, of a tenant at most


class Alarm:
    """`alerts` are the newest, `count` says how many there are."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.alerts: Sequence[Alert] = ()
        self.count, self._more = 0, False
        # Ids that were there; None before the first look, which rings for nothing.
        self._known: dict[int, None] | None = None
        self._floor = 0  # of lower ids it is not known: there were more than were told
        self._looking, self._again = False, False

    def heard(self, message: Mapping[str, Any]) -> None:
        if message["type"] in _NEWS:
            self.soon()

    def soon(self) -> None:
        """Look, once more where that is being done already."""
        if self._looking:
            self._again = True
        else:
            self._looking = True
            self._console.run_worker(self._look(), group="alarm")

    async def _look(self) -> None:
        try:
            while True:
                self._again = False
                client = self._console.session.client
                if client is not None:
                    self._take(await client.call(overview.CRITICAL))
                if not self._again:
                    return
        except FAILURES:
            return  # an engine that cannot be asked is said elsewhere; when it is back it is asked again
        finally:
            self._looking = False

    def _take(self, found: Mapping[str, Any]) -> None:
        self.alerts, self.count, self._more = found["newest"], found["count"], found["more"]
        self._console.warn()
        ids = [alert["id"] for alert in self.alerts]
        known = self._known
        if known is not None:
            fresh = [alert for alert in self.alerts if alert["id"] not in known and alert["id"] >= self._floor]
            if fresh:
                self._ring(fresh)
        self._known = dict.fromkeys([*(known or ()), *ids][-_MOST_KNOWN:])
        self._floor = min(ids, default=0) if self.count > len(ids) else 0

    def _ring(self, fresh: Sequence[Alert]) -> None:
        """Once, however many have begun at once."""
        console = self._console.session.settings.console
        if console.alert_bell:
            self._console.send(BELL)
        if console.alert_notice != "off":
            first, others = fresh[0], len(fresh) - 1
            more = f" and {others} more" if others else ""
            self._console.send_through(notice(console.alert_notice, "Critical alert", f"{alert_name(first)}{more}"))

    def line(self, cells: int, *, leads: bool = True) -> tuple[Line, Line]:
        """For the banner: what fires, and the key that goes there if one `leads` there; nothing where nothing does.
        The name gives way, and then the time."""
        if not self.alerts:
            return [], []
        first = self.alerts[0]
        sign, _ = severity(first["severity"], self._console.look.glyphs)
        said = f", {_short(first['tenant_id'], _TENANT)}" if first["tenant_id"] else ""
        since = f", since {self._since(first['since'])}"
        more = f", and {count(self.count - 1, more=self._more)} more" if self.count > 1 else ""
        key = self._console.session.keymap.key
        way = f"{key('alerts') or key('home')} goes there " if leads else ""
        room = cells - cell_len(said) - len(since) - len(more) - len(sign) - len(way) - 4
        if room < _NAME:
            room, since = room + len(since), ""
        left = f" {sign}: {_short(alert_name(first), max(room, _NAME))}{said}{since}{more}"
        return [(left, "lost")], [(way, "lost")] if leads else []

    def _since(self, at: object) -> str:
        """A time of day: it says the same as long as it stands there."""
        began, now = moment(at) or 0, self._console.session.now()
        here = to_datetime(began).astimezone()
        return here.strftime("%H:%M") if now - began < DAY else here.strftime("%Y-%m-%d %H:%M")


def _short(name: object, cells: int) -> str:
    return fit(safe(name), cells).rstrip()
