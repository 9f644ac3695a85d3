"""What somebody looks at, which time, whose usage, of what; and what there is to choose from."""

from __future__ import annotations

from enum import Enum

from quarterdeck.contract.enums import Period
from quarterdeck.tui.screens.usage.figures import Asked, Figures, Row, seen_tenants
from quarterdeck.tui.screens.usage.times import time_of
from quarterdeck.tui.session import Session

_PERIODS = (Period.MONTH, Period.WEEK, Period.DAY)


class Step(Enum):
    """What a step narrows or widens."""

    TENANT = "tenant"
    KIND = "kind"
    NONE = "none"


class UsageNarrowing:
    """`tenant` and `kind` are empty where nothing is narrowed. What was seen once stays among what can be chosen."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._period, self.back = Period.MONTH, 0
        self.tenant, self.kind = "", ""
        self.kinds: list[str] = []
        self.tenants: set[str] = set()

    @property
    def asked(self) -> Asked:
        time = time_of(self._period, self._session.now(), self.back)
        return Asked(time, self.tenant or self.only, self.kind)

    @property
    def only(self) -> str:
        """The tenant of somebody who has one; empty for those who see several."""
        own = self._session.own_tenants
        return own[0] if own is not None and len(own) == 1 else ""

    def learn(self, figures: Figures) -> None:
        self.kinds += [card.kind for card in figures.cards if card.kind not in self.kinds]
        self.tenants |= seen_tenants(figures)

    def next_period(self) -> None:
        self._period, self.back = _PERIODS[(_PERIODS.index(self._period) + 1) % len(_PERIODS)], 0

    def go_back(self, by: int) -> None:
        self.back = max(0, self.back + by)

    def narrow(self, row: Row) -> Step:
        """To the tenant of a row; where that is so already, to its resource type."""
        tenant = row.get("tenant_id")
        if tenant and tenant != self.asked.tenant:
            self.tenant = tenant
            return Step.TENANT
        if row["resource_type"] != self.kind:
            self.kind = row["resource_type"]
            return Step.KIND
        return Step.NONE

    def widen(self) -> Step:
        """Every resource type again; then every tenant."""
        if self.kind:
            self.kind = ""
            return Step.KIND
        if self.tenant:
            self.tenant = ""
            return Step.TENANT
        return Step.NONE
