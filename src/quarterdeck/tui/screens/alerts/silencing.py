"""Silences from the alerts screen: what they would keep quiet is shown first; they are ended from there too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.contract.clock import MINUTE, iso
from quarterdeck.contract.operations import alerts
from quarterdeck.tui.detail import when
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.format import count, plural
from quarterdeck.tui.forms import Field
from quarterdeck.tui.screens.alerts.acting import NO_MISTAKE, AlertActing
from quarterdeck.tui.screens.alerts.picking import first_lines, picked
from quarterdeck.tui.screens.prompt import Values
from quarterdeck.tui.screens.setup.written_labels import read_matchers, write_matchers
from quarterdeck.tui.session import Act
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe

Row = Mapping[str, Any]
_FIELDS = (
    Field("matchers", "What", "host=web-1 team=~a|b severity!=info", True, False),
    Field("time", "For", "30m, 4h, 2d", True, False),
    Field("comment", "Reason", "why", True, False),
)
_USUAL = "2h"
# Says how bad it is, not what it is.
_NOT_PROPOSED = ("severity",)


def common_labels(rows: Sequence[Row]) -> dict[str, str]:
    """What all of them say alike."""
    first, *others = rows
    return {
        name: value
        for name, value in first["labels"].items()
        if value and name not in _NOT_PROPOSED and all(row["labels"].get(name) == value for row in others)
    }


class AlertSilencing(AlertActing):
    async def silence(self, opened_with: str) -> None:
        rows = await picked(self.screen, firing=False)
        labels = common_labels(rows) if rows else {}
        if not labels:
            words = "they have no label in common; silence them one at a time" if rows else "there is no alert"
            self.screen.notice(f"Nothing to silence: {words}.", "warning")
            return
        proposed = [{"name": n, "value": v, "is_regex": False, "is_equal": True} for n, v in labels.items()]
        tenants = {row["tenant_id"] for row in rows}
        tenant = next(iter(tenants)) if len(tenants) == 1 else None
        given: Mapping[str, Any] = {"matchers": write_matchers(proposed), "time": _USUAL}
        about: list[Line] = [[("Kept and shown, and not sent, while all of these hold.", "muted")]]
        wrong = NO_MISTAKE
        while True:
            title: Line = [("Silence ", "title"), *self.title(rows)]
            answer, minutes = await self.ask(title, "show", _FIELDS, about, opened_with, given=given, wrong=wrong)
            if answer is None:
                return
            try:
                body = self._body(answer, minutes or 0, tenant)
                preview: Row = await self.session.client.call(alerts.PREVIEW_SILENCE, body=body)
                break
            except ValueError as error:
                wrong = ("matchers", f"{error}.")
            except FAILURES as error:
                wrong = ("", sentence(error))
            given = answer
        await self._confirmed(body, preview, str(answer["matchers"]), opened_with)

    def _body(self, answer: Values, minutes: int, tenant: str | None) -> dict[str, Any]:
        return {
            "matchers": read_matchers((answer["matchers"] or "").strip()),
            "tenant_id": tenant,
            "ends_at": iso(self.session.now() + minutes * MINUTE),
            "comment": answer["comment"],
        }

    async def _confirmed(self, body: dict[str, Any], preview: Row, matchers: str, opened_with: str) -> None:
        """What it would keep quiet, and the same key does not confirm it."""
        about = [[(f"until {when(body['ends_at'], self.session.now())}  ", ""), (safe(body["comment"]), "muted")]]
        quiet = preview["firing"] + preview["pending"]
        said = plural(preview["firing"], "alert that fires", "alerts that fire")
        waits = f" and {count(preview['pending'])} pending" if preview["pending"] else ""
        about.append([(said, "title" if preview["firing"] else "warning"), (waits, "")])
        if preview["quiet"]:
            kept = plural(preview["quiet"], "of them is", "of them are")
            about.append([(f"{kept} kept quiet already", "muted")])
        about += first_lines(preview["first"], quiet)
        if body["tenant_id"] is not None:
            about.append([(f"only of tenant {safe(body['tenant_id'])}", "muted")])
        title: Line = [("Silence ", "title"), (safe(matchers), "accent")]
        wrong = NO_MISTAKE
        while True:
            answer, _ = await self.ask(
                title, "silence", (), about, opened_with, danger=True, wrong=wrong, begun=wrong != NO_MISTAKE
            )
            if answer is None:
                return
            try:
                made = await self.session.client.call(alerts.SILENCE, body=body)
                break
            except FAILURES as error:
                wrong = ("", sentence(error))
        number, client = int(made["id"]), self.session.client
        kept = f"Silence #{number} keeps {plural(made['alerts'], 'alert')} quiet"
        self.screen.notice(f"{kept}; {self.screen.key('undo')} ends it.", "success")

        async def back() -> None:
            await client.call(alerts.END_SILENCE, id=number)

        self.session.did(Act(f"Silence #{number}", back=back))
        self.finished()

    async def unsilence(self, opened_with: str) -> None:
        rows = await picked(self.screen, firing=False)
        numbers = sorted({int(row["silenced_by"]) for row in rows if row["silenced_by"] is not None})
        if not numbers:
            self.screen.notice("Nothing to end: no silence keeps them quiet.", "warning")
            return
        listed = (await self.session.client.call(alerts.SILENCES, query={"state": "active", "limit": 500}))["items"]
        known = {each["id"]: each for each in listed}
        about: list[Line] = []
        for each in numbers[:3]:
            silence = known.get(each)
            about.append([(f"#{each} ", "accent"), *_silence_words(silence, self.session.now())])
        if len(numbers) > 3:
            about.append([(f"… and {count(len(numbers) - 3)} more", "muted")])
        about.append([("What fires then is sent.", "warning")])
        what = f"silence #{numbers[0]}" if len(numbers) == 1 else plural(len(numbers), "silence")
        answer, _ = await self.ask([(f"End {what}", "title")], "end", (), about, opened_with, danger=True)
        if answer is None:
            return
        for each in numbers:
            await self.session.client.call(alerts.END_SILENCE, id=each)
        self.screen.notice(f"Ended {what}; what fires is sent again.", "success")
        self.finished()


def _silence_words(silence: Row | None, now: int) -> Line:
    if silence is None:
        return [("is not listed any more", "muted")]
    quiet = plural(silence["alerts"], "alert")
    return [
        (safe(silence["comment"]), ""),
        (f"  {safe(silence['created_by'])}, {quiet}, until {when(silence['ends_at'], now)}", "muted"),
    ]
