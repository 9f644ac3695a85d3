"""What happens in the demo world while you look: items arrive, people work on them."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

from quarterdeck.client.client import Client
from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import Resource, Role
from quarterdeck.contract.operations import Operation, items, usage
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.demo.metered import used_now
from quarterdeck.demo.words import COMMENTS, LEAD, OPERATORS, SKIP_REASONS, TENANTS
from quarterdeck.demo.world import World

# Others work here too, so these are no news.
_USUAL = frozenset(
    {
        Code.NOT_FOUND,
        Code.WRONG_STATE,
        Code.CHANGED_SINCE,
        Code.ALREADY_ASSIGNED,
        Code.NOT_YOURS,
        Code.NOTHING_TO_CLAIM,
        Code.UNCHANGED,
        Code.STORE_BUSY,
    }
)
_LONGEST_HOLD = 12


class Life:
    """One event at a time, each by somebody: `step` does the next."""

    def __init__(self, client: Client, seed: int | None = None) -> None:
        self.client = client
        self.random = Random(seed)
        self.world = World(self.random.randrange(2**32), now_ms())
        self.held: list[tuple[str, int]] = []

    async def step(self) -> None:
        """Raises Problem for what is not usual, Unreachable when the engine has gone."""
        self.world.now = now_ms()
        happenings = (self._arrive, self._claim, self._finish, self._comment, self._return_moves, self._use)
        happen = self.random.choices(happenings, (36, 15, 15, 13, 15, 6))[0]
        try:
            await happen()
        except Problem as problem:
            if problem.code not in _USUAL:
                raise

    def pause(self) -> float:
        """Seconds until the next event."""
        return self.random.uniform(0.6, 3.0)

    async def _as(self, actor: str, role: Role, op: Operation, body: dict[str, Any] | None = None, **path: Any) -> Any:
        self.client.act_as = Principal(actor, role, frozenset(TENANTS))
        return await self.client.call(op, body=body, **path)

    async def _arrive(self) -> None:
        # Exceptions come from machine work that failed.
        resource = self.random.choices((Resource.SUPPORT_TASKS, Resource.RETURNS), (75, 25))[0]
        new = [self.world.new(resource) for _ in range(self.random.choice((1, 1, 1, 2, 3)))]
        await self._as("shop", Role.OPERATOR, items.CREATE, {"items": new}, resource=resource)

    async def _claim(self) -> None:
        if len(self.held) >= _LONGEST_HOLD:
            return await self._finish()
        actor = self.random.choice(OPERATORS)
        tenant = self.random.choice(TENANTS)
        body = {"filter": f"tenant:{tenant} -category:spam"}
        taken = await self._as(actor, Role.OPERATOR, items.CLAIM_NEXT, body, resource=Resource.SUPPORT_TASKS)
        item = int(taken["item"]["id"])
        if self.random.random() < 0.08:
            reason = {"reason": self.random.choice(SKIP_REASONS)}
            await self._as(actor, Role.OPERATOR, items.SKIP, reason, resource=Resource.SUPPORT_TASKS, id=item)
        else:
            self.held.append((actor, item))

    async def _finish(self) -> None:
        if not self.held:
            return
        actor, item = self.held.pop(0)
        await self._act(actor, Resource.SUPPORT_TASKS, item, "resolve", {"note": self.random.choice(COMMENTS)})

    async def _comment(self) -> None:
        if not self.held:
            return
        actor, item = self.random.choice(self.held)
        await self._act(actor, Resource.SUPPORT_TASKS, item, "comment", {"body": self.random.choice(COMMENTS)})

    async def _return_moves(self) -> None:
        status, action, actor, role, params = self.random.choice(
            (
                ("requested", "approve", self.random.choice(OPERATORS), Role.OPERATOR, {}),
                ("requested", "reject", self.random.choice(OPERATORS), Role.OPERATOR, {"reason": "outside 30 days"}),
                ("approved", "mark-received", "warehouse", Role.OPERATOR, {}),
                ("received", "refund", LEAD, Role.ADMIN, {}),
                ("refunded", "update-status", LEAD, Role.ADMIN, {"status": "closed"}),
            )
        )
        found = await self._some(Resource.RETURNS, status)
        if found is not None:
            await self._act(actor, Resource.RETURNS, found, action, params, role)

    async def _use(self) -> None:
        event = used_now(self.random, now_ms())
        await self._as("gateway", Role.OPERATOR, usage.RECORD, {"events": [event]})

    async def _some(self, resource: Resource, status: str) -> int | None:
        """One item in that state, not always the same."""
        self.client.act_as = None
        query = {"filter": f"status:{status}", "sort": "updated", "limit": 8}
        page = await self.client.call(items.LIST, query=query, resource=resource)
        return int(self.random.choice(page["items"])["id"]) if page["items"] else None

    async def _act(
        self, actor: str, resource: Resource, item: int, action: str, params: dict[str, Any], role: Role = Role.OPERATOR
    ) -> None:
        await self._as(actor, role, items.ACT, {"params": params}, resource=resource, id=item, action=action)


async def live(life: Life, stopping: asyncio.Event) -> None:
    """One step after the other until `stopping` is set. Raises what `step` raises."""
    while not stopping.is_set():
        await life.step()
        try:
            await asyncio.wait_for(stopping.wait(), life.pause())
        except TimeoutError:
            continue
