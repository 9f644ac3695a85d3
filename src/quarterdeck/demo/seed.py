"""The first minute of the demo world: items with a past, and some bulk operations behind them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from random import Random
from typing import Any

from quarterdeck.client.client import Client
from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import Resource, Role
from quarterdeck.contract.operations import bulk, items
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.demo.metered import meter
from quarterdeck.demo.promises import promise
from quarterdeck.demo.words import LEAD
from quarterdeck.demo.world import World

SEED = 1805
_BATCH = 1_000

# (resource, action, filter, parameters, reason): what the lead did this morning.
_OPERATIONS: tuple[tuple[Resource, str, str, dict[str, Any], str], ...] = (
    (Resource.SUPPORT_TASKS, "cancel", "category:spam status:open,waiting", {"reason": "spam"}, "morning clean-up"),
    (Resource.SUPPORT_TASKS, "set-priority", "kind:refund status:open", {"priority": "high"}, "refunds first"),
    (
        Resource.RETURNS,
        "approve",
        "status:requested category:faulty",
        {"note": "faulty goods"},
        "faulty is always approved",
    ),
)


async def is_empty(client: Client) -> bool:
    """Whether nobody has made this world yet."""
    for resource in Resource:
        if (await client.call(items.COUNT, resource=resource))["count"]:
            return False
    return True


async def seed(client: Client, tell: Callable[[str], None]) -> int:
    """Fill the store; how many items there are then. Raises Problem, Unreachable."""
    world = World(SEED, now_ms())
    await promise(client, world.now)
    await meter(client, world.now, Random(SEED))
    made = 0
    for resource in Resource:
        made_here = world.imported(resource)
        while batch := list(islice(made_here, _BATCH)):
            body = {"import_id": f"demo-{resource}", "items": batch}
            answer = await client.call(items.IMPORT, body=body, resource=resource)
            if answer["rejected"]:
                first = answer["rejected"][0]
                raise Problem(
                    Code.INVALID_INPUT, f"The demo's items were refused: {first['column']} {first['reason']}."
                )
            made += len(batch)
        tell(f"{made:,} items")
    await _history(client)
    return made


async def _history(client: Client) -> None:
    usual, client.act_as = client.act_as, Principal(LEAD, Role.ADMIN)
    try:
        for resource, action, query, params, reason in _OPERATIONS:
            chosen = await client.call(items.SELECT, body={"filter": query}, resource=resource)
            body = {"selection": chosen["token"], "params": params, "reason": reason}
            preview = await client.call(bulk.DRAFT, body=body, resource=resource, action=action)
            operation = preview["operation"]
            if operation["eligible"]:
                await client.call(bulk.CONFIRM, body={"count": operation["eligible"]}, id=operation["id"])
    finally:
        client.act_as = usual
