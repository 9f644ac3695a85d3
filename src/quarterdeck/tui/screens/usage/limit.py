"""Setting a limit, changing or forgetting it; the one before comes back with undo, unless somebody has set it since."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from quarterdeck.contract.operations import usage
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.format import count
from quarterdeck.tui.screens.setup.editing import ReadAnew, read_anew
from quarterdeck.tui.screens.setup.entries import Entry, Texts, Wrong, body_of, shaped, tenant_entry
from quarterdeck.tui.screens.setup.form import SetupForm
from quarterdeck.tui.screens.setup.written import Written
from quarterdeck.tui.screens.usage.figures import Asked
from quarterdeck.tui.screens.usage.words import a
from quarterdeck.tui.session import Act, Session
from quarterdeck.tui.text import safe

if TYPE_CHECKING:
    from quarterdeck.tui.screens.usage.screen import UsageScreen

Row = Mapping[str, Any]
Key = tuple[str, str | None, str]


def begin_with(row: Row, asked: Asked) -> Texts:
    """What the form holds at first: the limit under the cursor, or one for what is there."""
    return {
        "resource_type": row.get("resource_type") or asked.kind or "",
        "tenant_id": row.get("tenant_id") or asked.tenant or "",
        "period": row.get("period") or str(asked.time.period),
    }


async def set_limit(screen: UsageScreen, given: Texts) -> None:
    """`given`: what the form begins with."""
    session = screen.console.session
    try:
        setting = Setting(session, await _limits(session))
        # pydantic comes with it, beside the screen
        entries = await asyncio.to_thread(_entries, session.tenants, screen.narrowed.kinds, setting.hint)
        setting.entries = entries
        texts = {**given, "quantity": setting.quantity(given)}
        form = SetupForm([("What may be used", "title")], entries, texts, setting.save, again=setting.again)
        if await screen.console.push_screen_wait(form) is not None:
            screen.notice(f"{setting.said} {screen.key('undo')} takes it back.", "success")
            screen.look()
    except FAILURES as error:
        screen.notice(f"The limit was not set: {sentence(error)}", "error")


def _entries(tenants: Sequence[str], kinds: Sequence[str], hint: Callable[[Texts], str]) -> list[Entry]:
    entries = shaped(
        [
            Entry("resource_type", "Resource", "What is used, such as api_calls.", known=tuple(kinds)),
            tenant_entry("Whom it holds; empty: each that has no limit of its own.", tenants, "each tenant"),
            Entry("period", "In a", "Since when it is counted. Left and right choose."),
            Entry("quantity", "At most", "", _QUANTITY, example="no limit", hint_by=hint),
        ],
        usage.SET_LIMIT,
    )
    # Empty forgets it.
    return [replace(each, of=each.of._replace(required=each.at == "resource_type")) for each in entries if each.of]


def _number(text: str) -> int:
    """`250000`, `250,000`, `250 000`."""
    plain = re.sub(r"[ ,_]", "", text)
    if not (plain.isascii() and plain.isdigit() and len(plain) < 20):
        raise ValueError("is no whole number such as 250,000")
    return int(plain)


_QUANTITY = Written(_number, str)


class Setting:
    """A limit while somebody sets it, over those that there were when they looked."""

    def __init__(self, session: Session, known: Mapping[Key, Row]) -> None:
        self._session, self._known = session, known
        self.entries: Sequence[Entry] = ()
        self.said = ""  # what was done

    def quantity(self, texts: Texts) -> str:
        """What stands for it now, as it is written."""
        there = self._known.get(_key(texts))
        return "" if there is None else str(there["quantity"])

    def hint(self, texts: Texts) -> str:
        there = self._known.get(_key(texts))
        now = f"Now {count(there['quantity'])}, by {there['updated_by']}; empty" if there is not None else "Empty"
        return f"A whole number. {now}: no limit{'' if there is None else ' any more'}."

    async def save(self, texts: Texts) -> dict[str, Any]:
        """Raises Wrong, Problem and Unreachable."""
        body, client = body_of(self.entries, texts, {}), self._session.client
        former = self._known.get(_key(texts))
        what = f"{safe(body['resource_type'])} of {safe(body['tenant_id'] or 'each tenant')}"
        if body["quantity"] is not None:
            version = 0 if former is None else former["version"]
            saved = await client.call(usage.SET_LIMIT, body={**body, "version": version})
            self.said = f"At most {count(body['quantity'])} {a(body['period'])}: {what}."
        elif former is None:
            raise Wrong({"quantity": "is needed: there is no such limit to forget"})
        else:
            saved = await client.call(usage.DELETE_LIMIT, id=former["id"], query={"version": former["version"]})
            self.said = f"No limit any more: {what}."
        self._session.did(Act(f"the limit of {what}", back=TakeBack(self._session, former, saved)))
        return dict(saved)

    async def again(self, texts: Texts) -> ReadAnew:
        """Raises Problem and Unreachable."""
        old = {**texts, "quantity": self.quantity(texts)}
        self._known = await _limits(self._session)
        there = self._known.get(_key(texts))
        by = "somebody" if there is None else str(there["updated_by"])
        return read_anew(self.entries, texts, old, {**texts, "quantity": self.quantity(texts)}, by)


@dataclass
class TakeBack:
    """`former`: what there was before, if anything; `saved`: what was made of it. Refused where that is another now."""

    session: Session
    former: Row | None
    saved: Row

    async def __call__(self) -> None:
        """Raises Problem and Unreachable."""
        client, version = self.session.client, self.saved["version"]
        if self.former is None:
            now = await client.call(usage.DELETE_LIMIT, id=self.saved["id"], query={"version": version})
        else:
            body = {name: self.former[name] for name in ("resource_type", "tenant_id", "period", "quantity")}
            now = await client.call(usage.SET_LIMIT, body={**body, "version": version})
        for act in self.session.acts:  # what was done right before this stands again
            done = act.back
            if isinstance(done, TakeBack) and done._left(self.saved["id"], version - 1):
                done.saved = now

    def _left(self, limit: int, version: int) -> bool:
        return (self.saved["id"], self.saved["version"]) == (limit, version)


def _key(row: Row) -> Key:
    return str(row["resource_type"]).strip(), (row["tenant_id"] or "").strip() or None, str(row["period"])


async def _limits(session: Session) -> Mapping[Key, Row]:
    return {_key(each): each for each in (await session.client.call(usage.LIMITS))["items"]}
