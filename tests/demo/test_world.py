"""The demo world is believable, and its items are what the engine takes."""

from __future__ import annotations

import json

from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import Resource
from quarterdeck.contract.models.items import ImportedItem, NewItem
from quarterdeck.contract.transitions import statuses
from quarterdeck.demo.words import TENANTS
from quarterdeck.demo.world import COUNTS, World


def test_every_imported_item_is_valid_and_has_a_past() -> None:
    now = now_ms()
    world = World(1, now)
    for resource in Resource:
        made = [ImportedItem.model_validate_json(json.dumps(item)) for item in world.imported(resource)]
        assert len(made) == COUNTS[resource]
        assert {item.status for item in made} <= set(statuses(resource))
        assert {item.tenant_id for item in made} == set(TENANTS)
        assert len({item.external_id for item in made}) == len(made)
        for item in made:
            assert item.created_at is not None
            assert item.updated_at is not None
            assert item.created_at <= item.updated_at
            assert item.updated_at.timestamp() * 1000 <= now
            assert [event.at for event in item.events] == sorted(event.at for event in item.events)


def test_the_same_seed_gives_the_same_world() -> None:
    assert list(World(7, 10**12).imported(Resource.RETURNS)) == list(World(7, 10**12).imported(Resource.RETURNS))


def test_new_items_are_valid() -> None:
    world = World(3, now_ms())
    for resource in Resource:
        for _ in range(200):
            NewItem.model_validate_json(json.dumps(world.new(resource)))
