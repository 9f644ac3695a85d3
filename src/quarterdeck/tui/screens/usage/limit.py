"""Setting a limit, changing it, or forgetting it; the one before comes back with undo."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quarterdeck.contract.enums import Period
from quarterdeck.contract.operations import usage
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.format import count
from quarterdeck.tui.forms import Field
from quarterdeck.tui.screens.prompt import Prompt
from quarterdeck.tui.screens.usage.figures import Asked
from quarterdeck.tui.screens.usage.words import a
from quarterdeck.tui.session import Act
from quarterdeck.tui.text import safe

if TYPE_CHECKING:
    from quarterdeck.tui.screens.usage.screen import UsageScreen

Row = Mapping[str, Any]
_FIELDS = (
    Field("resource_type", "Resource", "such as api_calls", True, False, known="resource_type"),
    Field("tenant_id", "Tenant", "empty: each that has no limit of its own", False, True, known="tenant"),
    Field("period", "In a", "", True, False, tuple(map(str, Period))),
    Field("quantity", "At most", "a whole number; empty: no limit any more", False, True),
)


def begin_with(row: Row, asked: Asked) -> Row:
    """What the form holds at first: the limit under the cursor, or one for what is there."""
    limit = row.get("limit")
    return {
        "resource_type": row.get("resource_type") or asked.kind,
        "tenant_id": row.get("tenant_id") or asked.tenant,
        "period": row.get("period") or str(asked.time.period),
        "quantity": limit if isinstance(limit, int) else "",
    }


async def set_limit(screen: UsageScreen, given: Row) -> None:
    """`given`: what the form begins with."""
    session = screen.console.session
    try:
        assert usage.SET_LIMIT.request is not None
        model = await asyncio.to_thread(usage.SET_LIMIT.request.load)  # pydantic comes with it, beside the screen
        known = {"tenant": session.tenants, "resource_type": screen.narrowed.kinds}
        asked = await screen.console.push_screen_wait(
            _Limit(model.model_json_schema(), given, known, session.keymap.key("usage-limit"))
        )
        if asked is not None:
            await _carry_out(screen, asked)
    except FAILURES as error:
        screen.notice(f"The limit was not set: {sentence(error)}", "error")


class _Limit(Prompt):
    """Says what is wrong with a value, and stays until it is right."""

    def __init__(self, schema: Row, given: Row, known: Mapping[str, Any], opened_with: str) -> None:
        super().__init__(
            [("What may be used", "title")],
            "sets the limit",
            _FIELDS,
            given=given,
            known=known,
            opened_with=opened_with,
        )
        self._kinds = re.compile(schema["properties"]["resource_type"]["pattern"])
        self._most = int(schema["properties"]["quantity"]["maximum"])

    def _submit(self) -> None:
        values = self._form.values()
        kind, quantity = values["resource_type"] or "", values["quantity"]
        if kind and not self._kinds.match(kind):
            self._wrong("resource_type", "Resource: small letters, digits, _ . and -, such as api_calls.")
        elif quantity is not None and not 1 <= (_number(quantity) or 0) <= self._most:
            self._wrong("quantity", f"At most must be a whole number from 1 to {self._most:,}.")
        else:
            super()._submit()

    def _wrong(self, name: str, said: str) -> None:
        self._form.focus_field(name)
        self.call_after_refresh(self.say_keys, [(said, "error")])


def _number(text: str) -> int | None:
    """`250000`, `250,000`, `250 000`; None for what is no whole number."""
    plain = re.sub(r"[ ,_]", "", text)
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 20 else None


async def _carry_out(screen: UsageScreen, asked: Row) -> None:
    """Raises Problem and Unreachable."""
    client, session = screen.console.session.client, screen.console.session
    names = ("resource_type", "tenant_id", "period")
    former = await _find(client, asked)
    whose = safe(asked["tenant_id"] or "each tenant")
    what = f"{safe(asked['resource_type'])} of {whose}"
    body = {name: asked[name] for name in names}
    if asked["quantity"] is None:
        if former is None:
            screen.notice(f"There is no limit of {what} {a(asked['period'])} to forget.", "warning")
            return
        await client.call(usage.DELETE_LIMIT, id=former["id"])
        said = f"No limit any more: {what}."
    else:
        quantity = _number(asked["quantity"]) or 0
        await client.call(usage.SET_LIMIT, body={**body, "quantity": quantity})
        said = f"At most {count(quantity)} {a(asked['period'])}: {what}."

    async def back() -> None:
        now = await _find(client, asked)
        if former is not None:
            await client.call(usage.SET_LIMIT, body={**body, "quantity": former["quantity"]})
        elif now is not None:
            await client.call(usage.DELETE_LIMIT, id=now["id"])

    session.did(Act(f"the limit of {what}", back=back))
    screen.notice(f"{said} {screen.key('undo')} takes it back.", "success")
    screen.look()


async def _find(client: Any, asked: Row) -> Row | None:
    """The limit of exactly this tenant, resource type and period."""
    limits = (await client.call(usage.LIMITS))["items"]
    names = ("resource_type", "tenant_id", "period")
    return next((each for each in limits if all(each[name] == asked[name] for name in names)), None)
