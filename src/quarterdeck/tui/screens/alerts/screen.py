"""Alerts: what fires first, the worst on top and in groups; then what waits; then what is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from quarterdeck.contract.enums import AlertState, Watched
from quarterdeck.contract.live import Message
from quarterdeck.contract.operations import alerts
from quarterdeck.tui.actions import why_not_change
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.format import count
from quarterdeck.tui.keymap import Bound
from quarterdeck.tui.screens.alerts.columns import alert_columns
from quarterdeck.tui.screens.alerts.detail import AlertDetail
from quarterdeck.tui.screens.alerts.doors import go_to_what_it_is_about, link_of
from quarterdeck.tui.screens.alerts.marks import AlertMarks, not_firing
from quarterdeck.tui.screens.alerts.source import AlertSource, is_group, size
from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.screens.listing import ListScreen, Row
from quarterdeck.tui.session import Session
from quarterdeck.tui.spans import Line
from quarterdeck.tui.state import View
from quarterdeck.tui.text import safe

if TYPE_CHECKING:
    from quarterdeck.tui.screens.alerts.silencing import AlertSilencing

_OF_FIRING = ("alert-acknowledge", "alert-resolve")
_OF_ANY = (*_OF_FIRING, "alert-silence", "alert-unsilence")
_NO_SILENCE = "No silence keeps it quiet."
_OF_ONE = ("alert-about", "alert-link", "see-run")


class AlertsScreen(ListScreen):
    NOUN = "alerts"
    ONE = "alert"
    PLACE_WORDS = "alerts"
    EXAMPLE = "state:firing severity:critical label:queue=mail"
    LABELS: ClassVar[Mapping[str, str]] = {"see-run": "Its run"}
    SUMMARIES: ClassVar[Mapping[str, str]] = {
        "open": "Of a group, list its alerts; of an alert, show or hide the detail pane."
    }
    OF_MARKED: ClassVar[Sequence[str]] = (*_OF_ANY, "copy")

    def __init__(
        self, session: Session, *, visit: int | None = None, only: str | None = None, group: Row | None = None
    ) -> None:
        """`group`: whose alerts `only` shows."""
        super().__init__(session, Watched.ALERTS, visit=visit, only=only)
        self.table.columns = alert_columns(lambda: session.actor, None if group is None else group["labels"])
        self._marks = AlertMarks(self)
        self.table.not_of_all = not_firing
        self.marks = self._marks
        self._part, self._whole = str(group["name"]) if group is not None else "", only
        self._board: Row | None = None
        self._shown: set[int] = set()  # groups that stand in the list
        self._last: tuple[int, int] | None = None  # how many fired besides them and how many waited, as last heard
        self._together = True
        self._hands: AlertSilencing | None = None

    # What a list says

    def source_of(self, view: View) -> AlertSource:
        session = self.console.session
        return AlertSource(lambda: session.client, view.filter, together=self._together, heard=self._heard_board)

    def make_detail(self) -> AlertDetail:
        return AlertDetail(self)

    def empty_words(self) -> str:
        return (
            f"No alert has fired yet.\nA rule says what is wrong and who hears of it: {self.key('alert-rules')} goes "
            "to the rules, or qd alerts create-rule FILE makes one. Prometheus and amtool may post theirs."
        )

    def gone_words(self) -> str:
        return f"Alert #{self.visit} is not there: it never was, or its time is over. {self.key('clear')} goes back."

    async def learn_values(self) -> Mapping[str, Sequence[str]]:
        """What is on the screen anyway."""
        groups = self._board["groups"] if self._board is not None else ()
        row = self.current_row()
        labels = row["labels"] if row is not None else {}
        names = [each["name"] for each in groups] + ([row["name"]] if row is not None else [])
        return {
            "tenant": self.console.session.tenants,
            "name": list(dict.fromkeys(names)),
            "label": [f"{name}={value}" for name, value in labels.items()],
        }

    def own_handlers(self) -> Mapping[str, Handler]:
        return {
            "open": self.open_row,
            "bring-in": self.bring_in,
            "alert-acknowledge": lambda: self.hands.run(self.hands.acknowledge(self.key("alert-acknowledge"))),
            "alert-resolve": lambda: self.hands.run(self.hands.resolve(self.key("alert-resolve"))),
            "alert-silence": lambda: self.hands.run(self.hands.silence(self.key("alert-silence"))),
            "alert-unsilence": lambda: self.hands.run(self.hands.unsilence(self.key("alert-unsilence"))),
            "alert-groups": self.turn_groups,
            "alert-about": self.see_about,
            "alert-link": self.copy_link,
            "see-run": self.see_run,
            "alert-rules": lambda: self.console.everywhere.set_up("rules"),
            "alert-channels": lambda: self.console.everywhere.set_up("channels"),
            "alert-silences": lambda: self.console.everywhere.set_up("silences"),
        }

    @property
    def hands(self) -> AlertSilencing:
        if self._hands is None:
            from quarterdeck.tui.screens.alerts.silencing import AlertSilencing

            self._hands = AlertSilencing(self)
        return self._hands

    def breadcrumb(self) -> tuple[Line, Line]:
        right, words = self.marks.line(), f"{self.ONE} #{self.visit}" if self.is_visit else "alerts"
        if self._part and not self.is_visit:
            words = f"alerts · {safe(self._part)}"
        board = self._board
        if board is not None and not self.is_visit:
            critical = board["firing"]["critical"]
            if critical:
                right.append((f" {count(critical)} critical ", "badge-failed"))
            right.append((f" {count(self.firing)} firing ", "title" if self.firing else "badge-completed"))
            if board["pending"]:
                right.append((f" {count(board['pending'])} pending ", "muted"))
        return self.console.place_line(words), right

    def remember(self) -> None:
        super().remember()
        if self.is_kept:
            self.console.session.state.screen = "alerts"

    @property
    def firing(self) -> int:
        """How many fire, of those that match."""
        return sum(self._board["firing"].values()) if self._board is not None else 0

    def label(self, bound: Bound) -> str:
        row = self.current_row()
        return "Open" if bound.name == "open" and row is not None and is_group(row) else super().label(bound)

    # Keys that do nothing here, and why

    def why_not(self, bound: Bound) -> str | None:
        own = {
            "alert-groups": "These are the alerts of one group." if self._part else None,
            "sort": "Alerts stand in one order: what fires first, the worst on top.",
            "templates": "Nothing is saved for alerts; filters are remembered.",
        }
        return own.get(bound.name) or super().why_not(bound) or self._why_not_this(bound)

    def _why_not_this(self, bound: Bound) -> str | None:
        row, label = self.current_row(), self.label(bound)
        if bound.name in _OF_ANY and self.marked():
            return None
        if bound.name in (*_OF_ANY, *_OF_ONE) and row is None:
            return f"{label} needs an alert; there is none under the cursor."
        if row is None:
            return None
        if bound.name in _OF_ONE and is_group(row):
            return f"{label} is about one alert; {self.key('open')} lists those of this group."
        if is_group(row):
            quiet = row["quiet"] or bound.name != "alert-unsilence"
            return None if quiet else "No silence keeps any of them quiet."
        if bound.name in _OF_FIRING and row["state"] != AlertState.FIRING:
            return f"{label} applies to alerts that fire; this one is {row['state']}."
        if bound.name == "alert-unsilence" and row["silenced_by"] is None:
            other = row["inhibited_by"]
            return f"It is quiet while alert #{other} fires, without a silence." if other else _NO_SILENCE
        if bound.name == "alert-link" and not link_of(row):
            return "This alert came without a link."
        return None

    # What there is

    def show_rows(self, *, cursor_id: int | None = None, keep: bool = False) -> None:
        self._last = None
        super().show_rows(cursor_id=cursor_id, keep=keep)

    def _heard_board(self, board: Row) -> None:
        """The numbers of the list; what has come meanwhile is announced, and moves nothing that somebody looks at."""
        self._board = board
        self._marks.learn(board)
        self.chrome()
        hidden, pending = self._not_shown(board), int(board["pending"])
        before = self._last
        self._last = hidden, pending
        if before is None:
            self._shown = self._headings(board)
            self._last = self._not_shown(board), pending
            return
        new = max(hidden - before[0], 0) + max(pending - before[1], 0)
        if not new:
            return
        at_rest = self.table.position[0] == 0 and not self.table.marks and self.console.screen is self
        if not before[0] and not self._shown and hidden and at_rest:
            self.call_next(self.show_rows)  # on a list of what is over the cursor guards nothing
        else:
            self.table.note_new(new)

    def _headings(self, board: Row) -> set[int]:
        source = self.source
        together = isinstance(source, AlertSource) and source.together
        return {int(each["id"]) for each in board["groups"]} if together else set()

    def _not_shown(self, board: Row) -> int:
        """How many fire besides those in groups that stand in the list: such a line says how many it has."""
        shown = sum(size(each) for each in board["groups"] if int(each["id"]) in self._shown)
        return self.firing - shown

    def from_the_top(self) -> None:
        """What is the worst now, from wherever one was in the list."""
        self.show_rows()

    def bring_in(self) -> None:
        self._last = None
        if self._board is not None:
            self._heard_board(self._board)
        self.table.bring_in_new()

    async def on_news(self, message: Mapping[str, Any]) -> None:
        if message["type"] in (Message.ALERTS_CHANGED, Message.RESYNC):
            self.changed()
            self.live.heard(message)

    def on_link(self) -> None:
        self.changed()  # whatever happened meanwhile, nobody has told
        super().on_link()

    def changed(self) -> None:
        if isinstance(self.source, AlertSource):
            self.source.changed()

    def on_window_table_opened(self) -> None:
        self.open_row()

    # Commands

    def open_row(self) -> None:
        """A group: its alerts, laid over the list. An alert: its detail pane."""
        row = self.current_row()
        if row is None or not is_group(row):
            self.detail.toggle()
            return
        only = f"{self.view.filter} group:{-int(row['id'])} state:{AlertState.FIRING}".strip()
        self.console.lay(AlertsScreen(self.console.session, only=only, group=row))

    def clear(self) -> None:
        """From the alerts of a group, back, where nothing else is to be cleared."""
        inside = self._part and self.view.filter == self._whole and not self.detail.is_open
        if inside and not self.table.action_clear():
            self.console.back()
        elif not inside:
            super().clear()

    def turn_groups(self) -> None:
        self._together = not self._together
        self.table.marks.clear()
        self.table.marks_changed()
        self.show_rows()
        self.notice("In groups." if self._together else "Every alert by itself.")

    def see_about(self) -> None:
        row = self.current_row()
        if row is not None:
            nowhere = go_to_what_it_is_about(row, self.console.everywhere)
            if nowhere:
                self.notice(nowhere, "warning")

    def copy_link(self) -> None:
        row = self.current_row()
        if row is not None:
            self.console.copy_text(link_of(row), "its link")

    def copy(self) -> None:
        row = self.current_row()
        if not self.table.marks and row is not None and is_group(row):
            self.notice(f"A group has no number to copy; {self.key('open')} lists its alerts.")
        elif any(each < 0 for each in self.table.marks.ids):
            self.notice("Groups have no numbers to copy; mark alerts by themselves.")
        else:
            super().copy()

    def see_run(self) -> None:
        row = self.current_row()
        if row is not None:
            self.run_worker(self._see_run(int(row["id"])), group="see-run", exclusive=True)

    async def _see_run(self, number: int) -> None:
        from quarterdeck.contract.enums import MachineResource

        session = self.console.session
        if session.lost:
            self.notice(why_not_change("Its run", session.standing) or "", "warning")
            return
        try:
            notices = (await session.client.call(alerts.SHOW, id=number))["notices"]
        except FAILURES as error:
            self.notice(sentence(error), "error")
            return
        run = next((each["run_id"] for each in notices if each["run_id"]), None)
        if run is None:
            self.notice(
                "No notification of it has a run: nothing was sent, or its run is not kept any more.", "warning"
            )
        else:
            self.console.everywhere.visit(MachineResource.RUNS, int(run))
