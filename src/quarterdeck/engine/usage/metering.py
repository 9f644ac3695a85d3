"""What the engine meters: noted in memory, written every half second, so that nobody who is counted waits."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import Metered
from quarterdeck.engine.usage.sums import add_ours, kept_name, minute_of, tell
from quarterdeck.engine.usage.tables import NOBODY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quarterdeck.contract.principal import Principal
    from quarterdeck.engine.core import Engine

# A kill loses what was noted since: less than a second, with the time that writing takes.
SECONDS = 0.5


class Metering:
    """What was used since the last flush. It grows with tenants and minutes, never with calls.

    `news`: something of it is told to consoles. What they do themselves to look is not, or they would never rest.
    """

    def __init__(self) -> None:
        self.amounts: Counter[tuple[int, str, str]] = Counter()
        self.news = False

    def note(self, tenant: str, kind: Metered, quantity: int = 1, *, news: bool = True) -> None:
        self.amounts[minute_of(now_ms()), kept_name(tenant), str(kind)] += quantity
        self.news |= news


def note(engine: Engine, kind: Metered, tenants: Iterable[str]) -> None:
    """One for each time that a tenant is named."""
    if engine.settings.usage.metering:
        metering = engine.keep(Metering, Metering)
        for tenant, quantity in Counter(tenants).items():
            metering.note(tenant, kind, quantity)


def note_call(engine: Engine, principal: Principal, named: str | None, *, reads: bool) -> None:
    """A call counts for the only tenant of who calls, or for the one of theirs that the call names; else for nobody.

    Who answers for every tenant belongs to none, whichever they look at, and whatever name they type.
    """
    if not engine.settings.usage.metering:
        return
    theirs = principal.tenants or frozenset()
    whose = next(iter(theirs)) if len(theirs) == 1 else named if named in theirs else None
    engine.keep(Metering, Metering).note(whose or NOBODY, Metered.API_CALLS, news=not reads)


async def flush(engine: Engine) -> None:
    """Write down what was noted; what cannot be written is kept for the next time."""
    metering = engine.keep(Metering, Metering)
    if not metering.amounts:
        return
    amounts, metering.amounts = metering.amounts, Counter()
    news, metering.news = metering.news, False
    try:
        async with engine.store.write() as transaction:
            await add_ours(transaction, engine.store.dialect, amounts)
            if news:
                tell(engine, transaction)
    except BaseException:
        metering.amounts.update(amounts)
        metering.news |= news
        raise
