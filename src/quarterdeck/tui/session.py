"""What the console knows besides what is on the screen: engine, principal, running work, what I did."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from quarterdeck.config.home import Home
from quarterdeck.config.settings import Settings
from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import AnyResource, BulkStatus, Listed, Resource, Role
from quarterdeck.tui.actions import Standing
from quarterdeck.tui.keymap import Keymap
from quarterdeck.tui.state import ConsoleState

ACTS_KEPT = 100
FACETS_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Act:
    """Something I did: one event of one item, a bulk operation, or what `back` takes back.

    `back` answers with the row as it is again, where it is one of a list. `why_not`: why nothing takes it back.
    """

    label: str
    resource: AnyResource | None = None
    item_id: int = 0
    event_id: int = 0
    operation_id: int = 0
    back: Callable[[], Awaitable[Mapping[str, Any] | None]] | None = None
    why_not: str = ""


@dataclass(slots=True)
class Session:
    """`client` is None until an engine answers. `lost` says why there is none."""

    home: Home
    settings: Settings
    keymap: Keymap
    state: ConsoleState
    read_only: bool = False
    now: Callable[[], int] = now_ms
    client: Any = None
    lost: str = "the engine is starting."
    starting: bool = True
    actor: str = ""
    role: Role = Role.SUPER_ADMIN
    claim_minutes: int = 30
    tenants: tuple[str, ...] = ()
    own_tenants: tuple[str, ...] | None = None  # None: who sees every tenant
    running: dict[int, dict[str, Any]] = field(default_factory=dict)
    finished: dict[str, Any] | None = None
    acts: list[Act] = field(default_factory=list)
    mine: set[int] = field(default_factory=set)  # operations this console has started
    claims: dict[int, Resource] = field(default_factory=dict)
    facets: dict[Listed, tuple[int, dict[str, list[str]]]] = field(default_factory=dict)

    @property
    def standing(self) -> Standing:
        return Standing(self.role, self.read_only, self.lost, self.home.config)

    def masked(self, payload: Any) -> Any:
        """As an onlooker may see it. Takes its time with a large one."""
        from quarterdeck.contract.masking import ASCII_MASK, MASK, mask

        console = self.settings.console
        return mask(payload, console.secret_keys, ASCII_MASK if console.ascii else MASK)

    def connected(self, client: Any) -> None:
        self.client, self.lost, self.starting = client, "", False

    def learned(self, info: dict[str, Any]) -> None:
        """From `system.engine`."""
        self.actor = info["principal"]["actor"]
        self.role = Role(info["principal"]["role"])
        self.claim_minutes = info["claim_minutes"]
        self.tenants = tuple(info["tenants"])
        own = info["principal"]["tenants"]
        self.own_tenants = None if own is None else tuple(own)

    def did(self, act: Act) -> None:
        self.acts.append(act)
        del self.acts[:-ACTS_KEPT]

    def seen(self, operation: dict[str, Any]) -> bool:
        """Take in the newest state of an operation. True if it has just come to its end."""
        status = BulkStatus(operation["status"])
        if status.is_running:
            self.running[operation["id"]] = operation
            return False
        was_running = self.running.pop(operation["id"], None) is not None
        if was_running and status.is_final:
            self.finished = operation
            return True
        return False

    def known_values(self, resource: Listed) -> dict[str, list[str]]:
        return self.facets.get(resource, (0, {}))[1]

    async def learn_values(self, resource: AnyResource) -> dict[str, list[str]]:
        """Values seen in the store, for completion; asked for at most once a minute."""
        from quarterdeck.contract.operations import items

        at, values = self.facets.get(resource, (0, {}))
        if self.client is not None and self.now() - at > FACETS_SECONDS * 1_000:
            values = (await self.client.call(items.FACETS, resource=resource))["values"]
            self.facets[resource] = (self.now(), values)
        return values
