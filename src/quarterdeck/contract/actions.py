"""What an operator can do to a resource, each declared once.

From one declaration come the single and the bulk route, key bindings, footer, help, palette, the
dialog's form, the command line, the read-only gate and the docs page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from quarterdeck.contract.enums import AnyResource, ItemStatus, MachineResource, Resource, Risk, Role
from quarterdeck.contract.reference import ModelRef
from quarterdeck.contract.transitions import CLAIMABLE, sources, statuses


@dataclass(frozen=True, slots=True)
class Batch:
    """How a bulk operation of this action runs.

    `size` and `largest` count items; `parallel` counts batches at once; `rate` is items a second, None
    for no limit. Store-only actions use large batches; an action with a side effect uses 50.
    """

    size: int = 2_000
    largest: int = 2_000
    parallel: int = 1
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """One verb on one resource. `from_states` are those it applies to; `to` is the state it leads to."""

    resource: AnyResource
    verb: str
    label: str
    summary: str
    key: str
    params: ModelRef
    from_states: frozenset[str]
    to: str | None = None
    risk: Risk = Risk.LOW
    undoable: bool = True
    role: Role = Role.OPERATOR
    bulk: bool = True
    batch: Batch = field(default_factory=Batch)

    @property
    def name(self) -> str:
        return f"{self.resource}.{self.verb}"

    def applies_to(self, status: str) -> bool:
        return status in self.from_states

    def why_not(self, status: str) -> str:
        """One sentence for an item in a state to which this does not apply."""
        return f"{self.label} applies to {', '.join(sorted(self.from_states))}; this one is {status}."


ACTIONS: dict[tuple[AnyResource, str], Action] = {}

_EVERY = tuple(Resource)


def _declare(
    verb: str,
    label: str,
    summary: str,
    key: str,
    params: str,
    *,
    resources: tuple[Resource, ...] = _EVERY,
    to: ItemStatus | None = None,
    only: Mapping[Resource, frozenset[str]] | None = None,
    risk: Risk = Risk.LOW,
    undoable: bool = True,
    role: Role = Role.OPERATOR,
    bulk: bool = True,
) -> None:
    for resource in resources:
        if only is not None:
            states = only[resource]
        elif to is not None:
            states = sources(resource, to)
        else:
            states = frozenset(statuses(resource))
        ACTIONS[resource, verb] = Action(
            resource,
            verb,
            label,
            summary,
            key,
            ModelRef(f"item_params:{params}"),
            states,
            str(to) if to else None,
            risk,
            undoable,
            role,
            bulk,
        )


_SUPPORT = (Resource.SUPPORT_TASKS,)
_RETURNS = (Resource.RETURNS,)
_OPEN_STATES = {
    Resource.SUPPORT_TASKS: frozenset({"open", "in_progress", "waiting"}),
    Resource.RETURNS: frozenset({"requested", "approved", "received"}),
    Resource.EXCEPTIONS: frozenset({"open", "retrying", "needs_manual_review"}),
}
_REOPENABLE = {
    Resource.SUPPORT_TASKS: frozenset({"resolved", "closed", "cancelled"}),
    Resource.RETURNS: frozenset({"rejected"}),
}

_declare("claim", "Claim", "Take the item; the claim lapses when you stop working on it.", "t", "Claim", only=CLAIMABLE)
_declare("release", "Release", "Give the item back to the queue.", "x", "Release", only=_OPEN_STATES)
_declare("assign", "Assign", "Give the item to somebody, or to nobody.", "a", "Assign", only=_OPEN_STATES)
_declare("set-priority", "Set priority", "Change how pressing the item is.", "p", "SetPriority")
_declare("set-category", "Set category", "File the item under a category.", "f", "SetCategory")
_declare("update-status", "Update status", "Move the item to another state.", "s", "UpdateStatus", risk=Risk.MEDIUM)
_declare(
    "resolve",
    "Resolve",
    "The work is done.",
    "r",
    "Resolve",
    resources=_SUPPORT,
    to=ItemStatus.RESOLVED,
    risk=Risk.MEDIUM,
)
_declare(
    "reopen",
    "Reopen",
    "The work is not done after all.",
    "O",
    "Reopen",
    resources=(Resource.SUPPORT_TASKS, Resource.RETURNS),
    only=_REOPENABLE,
    risk=Risk.MEDIUM,
)
_declare(
    "cancel",
    "Cancel item",
    "Nobody will work on this any more.",
    "X",
    "Reason",
    resources=(Resource.SUPPORT_TASKS, Resource.EXCEPTIONS),
    to=ItemStatus.CANCELLED,
    risk=Risk.MEDIUM,
)
_declare("comment", "Comment", "Add a comment to the timeline.", "c", "Comment", undoable=False)
_declare("delete", "Delete", "Move the item to the bin, from where it can be restored.", "D", "Reason", risk=Risk.HIGH)
_declare("restore", "Restore", "Bring the item back from the bin.", "U", "Reason")
_declare(
    "approve",
    "Approve",
    "Accept the return.",
    "1",
    "Note",
    resources=_RETURNS,
    to=ItemStatus.APPROVED,
    risk=Risk.MEDIUM,
)
_declare(
    "reject",
    "Reject",
    "Refuse the return.",
    "2",
    "Reject",
    resources=_RETURNS,
    to=ItemStatus.REJECTED,
    risk=Risk.MEDIUM,
)
_declare(
    "mark-received",
    "Mark received",
    "The goods have arrived.",
    "3",
    "Note",
    resources=_RETURNS,
    to=ItemStatus.RECEIVED,
)
_declare(
    "refund",
    "Refund",
    "The money goes back.",
    "4",
    "Note",
    resources=_RETURNS,
    to=ItemStatus.REFUNDED,
    risk=Risk.HIGH,
    role=Role.ADMIN,
)

ACTIONS[Resource.EXCEPTIONS, "retry"] = Action(
    Resource.EXCEPTIONS,
    "retry",
    "Retry",
    "Retry the dead letter behind the exception.",
    "r",
    ModelRef("machine_params:RetryDeadLetter"),
    frozenset({"open", "needs_manual_review"}),
    str(ItemStatus.RETRYING),
    Risk.MEDIUM,
    undoable=False,
)

_RUNS, _DEAD = MachineResource.RUNS, MachineResource.DEAD_LETTERS


def _declare_for_machines(
    resource: MachineResource,
    verb: str,
    label: str,
    summary: str,
    key: str,
    params: str,
    states: tuple[str, ...],
    *,
    to: str,
    risk: Risk = Risk.LOW,
    undoable: bool = False,
    bulk: bool = True,
) -> None:
    model = ModelRef(f"machine_params:{params}")
    ACTIONS[resource, verb] = Action(
        resource, verb, label, summary, key, model, frozenset(states), to, risk, undoable, Role.OPERATOR, bulk
    )


_declare_for_machines(
    _RUNS,
    "retry",
    "Retry",
    "Do the run again from the start, with all its attempts.",
    "r",
    "RetryRun",
    ("dead", "cancelled"),
    to="waiting",
    risk=Risk.MEDIUM,
)
_declare_for_machines(
    _RUNS,
    "run-now",
    "Run now",
    "Do not wait for the scheduled time or the next attempt.",
    "w",
    "Reason",
    ("scheduled", "failed"),
    to="waiting",
)
_declare_for_machines(
    _RUNS,
    "cancel",
    "Cancel",
    "Stop the run; an attempt at work is told to stop, and no other follows.",
    "X",
    "Reason",
    ("scheduled", "waiting", "active", "failed"),
    to="cancelled",
    risk=Risk.MEDIUM,
)
_declare_for_machines(
    _DEAD,
    "retry",
    "Retry",
    "Put a run with the same payload into the queue it came from.",
    "r",
    "RetryDeadLetter",
    ("pending",),
    to="retrying",
    risk=Risk.MEDIUM,
)
_declare_for_machines(
    _DEAD,
    "edit-retry",
    "Edit and retry",
    "Change the payload, then retry; the difference is kept.",
    "e",
    "EditedRetry",
    ("pending",),
    to="retrying",
    risk=Risk.MEDIUM,
    bulk=False,
)
_declare_for_machines(
    _DEAD,
    "discard",
    "Discard",
    "Give it up; it is kept until its time is over and can be brought back.",
    "D",
    "Discard",
    ("pending",),
    to="discarded",
    risk=Risk.HIGH,
    undoable=True,
)
_declare_for_machines(
    _DEAD,
    "reopen",
    "Bring back",
    "Make a discarded dead letter pending again.",
    "O",
    "Reason",
    ("discarded",),
    to="pending",
    undoable=True,
)


def actions_for(resource: AnyResource) -> Iterator[Action]:
    return (action for action in ACTIONS.values() if action.resource == resource)


def item_actions() -> Iterator[Action]:
    """Those of every item queue; not those of machine work."""
    return (action for action in ACTIONS.values() if isinstance(action.resource, Resource))


def ways_to(resource: AnyResource, status: object) -> Iterator[Action]:
    """The actions that exist to lead to a state: whatever else leads there asks for their role and risk."""
    return (action for action in actions_for(resource) if action.to is not None and action.to == status)


def risk_of(action: Action, params: Mapping[str, object]) -> Risk:
    """What the action risks with these parameters."""
    risks = [action.risk, *(way.risk for way in ways_to(action.resource, params.get("status")))]
    return max(risks, key=lambda risk: risk.rank)


def find_action(resource: AnyResource, verb: str) -> Action | None:
    return ACTIONS.get((resource, verb))
