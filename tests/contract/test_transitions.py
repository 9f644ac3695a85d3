"""The state machines: closed, reachable, and in step with the actions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.contract.actions import ACTIONS, Action, actions_for, find_action
from quarterdeck.contract.enums import (
    AnyResource,
    BulkStatus,
    ItemStatus,
    MachineResource,
    Priority,
    Resource,
    Role,
    RunStatus,
)
from quarterdeck.contract.transitions import (
    BULK_TRANSITIONS,
    CLAIMABLE,
    FIRST_STATUS,
    ITEM_TRANSITIONS,
    RUN_TRANSITIONS,
    TRANSITIONS,
    Table,
    can_move,
    sources,
    statuses,
)

MACHINES = {**TRANSITIONS, "bulk": BULK_TRANSITIONS}


@pytest.mark.parametrize("name", MACHINES)
def test_every_state_that_can_be_reached_is_a_state_of_the_machine(name: str) -> None:
    table: Table = MACHINES[name]
    assert {target for targets in table.values() for target in targets} <= set(table)
    assert all(state not in targets for state, targets in table.items()), "a move to where one is"


@pytest.mark.parametrize("resource", Resource)
def test_every_state_can_be_reached_from_the_first(resource: Resource) -> None:
    table = ITEM_TRANSITIONS[resource]
    seen, ahead = set[str](), [str(FIRST_STATUS[resource])]
    while ahead:
        state = ahead.pop()
        if state not in seen:
            seen.add(state)
            ahead += table[state]
    assert seen == set(table)


def test_the_machines_know_all_words() -> None:
    assert {state for resource in Resource for state in statuses(resource)} == {str(each) for each in ItemStatus}
    assert set(RUN_TRANSITIONS) == {str(each) for each in RunStatus}
    assert set(BULK_TRANSITIONS) == {str(each) for each in BulkStatus}
    final = {state for state in BULK_TRANSITIONS if BulkStatus(state).is_final}
    # These are final for whoever waits, but a full disk can be emptied, a cancel regretted, the operation resumed.
    assert {state for state, targets in BULK_TRANSITIONS.items() if not targets} == final - {"failed", "cancelled"}


@pytest.mark.parametrize("resource", Resource)
def test_sources_and_moves_agree(resource: Resource) -> None:
    table = ITEM_TRANSITIONS[resource]
    for target in table:
        assert sources(resource, target) == {state for state in table if can_move(table, state, target)}
    assert CLAIMABLE[resource] <= set(table)


@given(st.text(), st.text())
def test_a_word_that_is_no_state_moves_nowhere(current: str, target: str) -> None:
    known = set(statuses(Resource.RETURNS))
    assert can_move(ITEM_TRANSITIONS[Resource.RETURNS], current, target) == (
        {current, target} <= known and target in ITEM_TRANSITIONS[Resource.RETURNS][current]
    )


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.name)
def test_an_action_fits_its_machine(action: Action) -> None:
    table = TRANSITIONS[action.resource]
    assert action.from_states
    assert action.from_states <= set(table)
    if action.to is not None:
        for state in action.from_states:
            assert can_move(table, state, action.to), f"{action.name} from {state}"
    assert 1 <= action.batch.size <= action.batch.largest
    assert action.batch.parallel >= 1
    assert action.role.covers(Role.OPERATOR)
    assert action.params.load().model_json_schema()["type"] == "object"
    assert action.summary.endswith(".")


@pytest.mark.parametrize("resource", [*Resource, *MachineResource])
def test_no_two_actions_of_a_resource_share_a_key_or_a_label(resource: AnyResource) -> None:
    actions = list(actions_for(resource))
    assert len({action.key for action in actions}) == len(actions)
    assert len({action.label for action in actions}) == len(actions)


def test_an_action_says_why_it_does_not_apply() -> None:
    resolve = find_action(Resource.SUPPORT_TASKS, "resolve")
    assert resolve is not None
    assert not resolve.applies_to("closed")
    assert resolve.why_not("closed") == "Resolve applies to in_progress, open, waiting; this one is closed."


def test_priorities_and_roles_have_their_order() -> None:
    assert [Priority.of_rank(rank) for rank in range(4)] == list(Priority)
    assert [priority.rank for priority in Priority] == [0, 1, 2, 3]
    assert Role.ADMIN.covers(Role.OPERATOR)
    assert not Role.VIEWER.covers(Role.OPERATOR)
