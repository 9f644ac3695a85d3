"""What the console itself can be told, as data. What can be done to items is in `contract.actions`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from quarterdeck.contract.enums import Listed, MachineResource, Resource, Watched


class Scope(StrEnum):
    """Where a command works. `reach` says which of them a screen has."""

    EVERYWHERE = "everywhere"
    TABLE = "tables"
    LIST = "lists"  # rows that can be marked, filtered, sorted
    QUEUE = "the queue"  # what is only done with items
    DONE = "what you did"
    OPERATIONS = "the operations screen"
    FIGURES = "charts"  # of queues, of workers, of service levels
    QUEUES = "the queues screen"
    WORKERS = "the workers screen"
    SLA = "the service levels screen"
    HOME = "the home screen"
    ALERTS = "the alerts screen"
    USAGE = "the usage screen"
    SETUP = "what is set up"  # rules, channels, silences, policies
    SETTINGS = "settings"  # those of them that can be changed and switched off
    RULES = "the rules screen"
    CHANNELS = "the channels screen"
    SILENCES = "the silences screen"
    POLICIES = "the policies screen"
    MACHINES = "runs and dead letters"
    RUNS = "runs"
    DEAD_LETTERS = "dead letters"
    HAS_RUN = "what belongs to a run"
    HAS_DEAD_LETTER = "what belongs to a dead letter"
    HAS_EXCEPTION = "what belongs to an exception"
    GROUPS = "the errors screen"
    GROWTH = "the growth screen"
    READING = "what is read"  # a payload, a log
    PAYLOAD = "the payload"
    LOG = "the log"
    ACTION = "actions"


# Where a screen looks its keys up: the list of a resource, or a screen of its own.
Place = Listed | Scope
PLACES: tuple[Place, ...] = (
    Scope.HOME,
    *(*Resource, Scope.OPERATIONS, *MachineResource, Scope.QUEUES, Scope.WORKERS, Scope.SLA, Scope.USAGE),
    Watched.ALERTS,
    *(Scope.GROUPS, Scope.GROWTH, Scope.PAYLOAD, Scope.LOG),
    *(Scope.RULES, Scope.CHANNELS, Scope.SILENCES, Scope.POLICIES),
)
_OWN: Mapping[Place, tuple[Scope, ...]] = {
    Resource.EXCEPTIONS: (Scope.HAS_RUN, Scope.HAS_DEAD_LETTER),
    MachineResource.RUNS: (Scope.MACHINES, Scope.RUNS, Scope.HAS_DEAD_LETTER),
    MachineResource.DEAD_LETTERS: (Scope.MACHINES, Scope.DEAD_LETTERS, Scope.HAS_RUN, Scope.HAS_EXCEPTION),
    Watched.ALERTS: (Scope.ALERTS, Scope.HAS_RUN),
    Scope.PAYLOAD: (Scope.READING, Scope.PAYLOAD),
    Scope.LOG: (Scope.READING, Scope.LOG),
    Scope.RULES: (Scope.SETUP, Scope.SETTINGS, Scope.RULES),
    Scope.CHANNELS: (Scope.SETUP, Scope.SETTINGS, Scope.CHANNELS),
    Scope.SILENCES: (Scope.SETUP,),
    Scope.POLICIES: (Scope.SETUP, Scope.SETTINGS),
}


def reach(place: Place) -> tuple[Scope, ...]:
    """The scopes of the commands that a place has, besides the actions of its resource."""
    if isinstance(place, Resource):
        return Scope.EVERYWHERE, Scope.TABLE, Scope.LIST, Scope.QUEUE, Scope.DONE, *_OWN.get(place, ())
    if isinstance(place, MachineResource | Watched):
        return Scope.EVERYWHERE, Scope.TABLE, Scope.LIST, Scope.DONE, *_OWN[place]
    if place is Scope.QUEUES:
        return Scope.EVERYWHERE, Scope.TABLE, Scope.FIGURES, Scope.DONE, place
    if place is Scope.WORKERS:
        return Scope.EVERYWHERE, Scope.TABLE, Scope.FIGURES, place
    if place is Scope.SLA:
        return Scope.EVERYWHERE, Scope.TABLE, Scope.FIGURES, place
    if place is Scope.USAGE:
        return Scope.EVERYWHERE, Scope.TABLE, Scope.FIGURES, Scope.DONE, place
    return Scope.EVERYWHERE, Scope.TABLE, *_OWN.get(place, (place,))


@dataclass(frozen=True, slots=True)
class Command:
    """`keys`: the first is the one shown. `weight`: place in the footer, 0 for not there.

    `changes`: it changes something, so that it is off in read-only mode.
    """

    name: str
    keys: tuple[str, ...]
    label: str
    summary: str
    scope: Scope
    weight: int = 0
    changes: bool = False


def _commands(scope: Scope, *rows: tuple[str, str, str, str, int]) -> list[Command]:
    return [
        Command(name, tuple(keys.split()), label, summary, scope, weight) for name, keys, label, summary, weight in rows
    ]


def _changing(scope: Scope, *rows: tuple[str, str, str, str, int]) -> list[Command]:
    return [
        Command(name, tuple(keys.split()), label, summary, scope, weight, True)
        for name, keys, label, summary, weight in rows
    ]


COMMANDS: tuple[Command, ...] = (
    *_commands(
        Scope.TABLE,
        ("down", "j down", "Down", "Next row.", 0),
        ("up", "k up", "Up", "Previous row.", 0),
        ("top", "g home", "Top", "First row.", 0),
        ("bottom", "G end", "Bottom", "Last row.", 0),
        ("page-down", "pagedown", "Page down", "One screen further.", 0),
        ("page-up", "pageup", "Page up", "One screen back.", 0),
        ("open", "enter", "Detail", "Show or hide the detail pane.", 90),
        ("detail-down", "J", "Detail down", "Scroll the detail pane down.", 0),
        ("detail-up", "K", "Detail up", "Scroll the detail pane up.", 0),
        ("copy", "y", "Copy", "Copy the id, or the ids of what is marked, to the clipboard.", 0),
        ("reload", "f5", "Reload", "Look again at everything on the screen.", 0),
        ("clear", "escape", "Clear", "Close the detail pane; then clear the range, the marks, the filter.", 0),
    ),
    *_commands(
        Scope.LIST,
        ("mark", "space", "Mark", "Mark or unmark the row and go to the next.", 80),
        ("range", "v", "Range", "Begin a range; move; v or space marks it.", 0),
        ("mark-all", "A", "All", "Mark everything that matches the filter.", 60),
        ("filter", "/", "Filter", "Say what to show; tab completes.", 95),
        ("sort", "o", "Sort", "Choose the order.", 50),
        ("bring-in", "i", "Bring in", "Bring in the new rows the table speaks of.", 0),
    ),
    *_changing(Scope.LIST, ("templates", "b", "Saved", "Start a bulk operation that was saved under a name.", 0)),
    *_changing(
        Scope.QUEUE,
        ("claim-next", "n", "Next", "Claim the best unassigned item that matches the filter.", 85),
        ("suggestion", "e", "Suggested", "Carry out what the item's service level suggests first.", 0),
        ("skip", "S", "Skip", "Put back the item you claimed, with a reason; it is not offered to you for a while.", 0),
    ),
    *_changing(Scope.DONE, ("undo", "u", "Undo", "Take back the last thing you did.", 40)),
    *_commands(
        Scope.OPERATIONS,
        ("outcome", "o", "Results", "Choose which results to show: failed, skipped, succeeded, all.", 70),
        ("operation-export", "e", "Export", "Write the result of every item to a CSV file.", 50),
    ),
    *_changing(
        Scope.OPERATIONS,
        ("operation-retry", "r", "Retry failed", "Act again on just the items that failed.", 65),
        ("operation-undo", "u", "Undo", "Restore what the operation changed.", 60),
        ("operation-cancel", "x", "Cancel", "Stop after the batches in flight.", 55),
        ("operation-resume", "c", "Resume", "Go on with an operation that stopped for a reason outside it.", 0),
    ),
    *_commands(
        Scope.FIGURES,
        ("window", "w", "Window", "Look back over another length of time.", 65),
        ("chart-next", "l right", "Next chart", "The next chart, where not all of them fit.", 0),
        ("chart-previous", "h left", "Previous chart", "The chart before.", 0),
    ),
    *_commands(
        Scope.QUEUES,
        ("queue-runs", "s", "Runs", "See the runs of the queue.", 70),
        ("queue-dead-letters", "d", "Dead letters", "See the dead letters of the queue.", 20),
    ),
    *_changing(
        Scope.QUEUES,
        ("queue-pause", "p", "Pause", "Start nothing new; what is active goes on to its end.", 85),
        ("queue-resume", "r", "Resume", "Go on after a pause.", 84),
        ("queue-change", "c", "Change", "Change how many runs are active at once, and other limits.", 75),
    ),
    *_commands(
        Scope.SLA,
        ("sla-other", "b", "Risk/broken", "What falls due soon, or what was broken.", 85),
        ("sla-tenant", "t", "Tenant", "One tenant, or all.", 60),
        ("sla-target", "f", "Promise", "Figures of resolutions, or of first responses.", 55),
        ("sla-policies", "p", "Policies", "What is promised: policies, to be made and changed.", 50),
    ),
    *_changing(
        Scope.SETUP,
        ("setup-new", "n", "New", "Make a new one, with a form.", 88),
        ("setup-delete", "D", "Delete", "Delete it, after a look at what follows from that.", 50),
    ),
    *_changing(
        Scope.SETTINGS,
        ("setup-change", "c", "Change", "Change its settings; so does enter where the pane is open.", 86),
        ("setup-switch", "e", "On/off", "Switch it off, or on again.", 60),
    ),
    *_commands(
        Scope.RULES,
        ("rule-test", "t", "Test", "What it would do now, and would have done in the last 24 hours.", 80),
    ),
    *_changing(
        Scope.CHANNELS, ("channel-verify", "t", "Test", "Send a test through it at once, and see what came of it.", 80)
    ),
    *_commands(
        Scope.USAGE,
        ("usage-other", "b", "Table", "By tenant, by time, or against limits.", 85),
        ("usage-tenant", "t", "Tenant", "One tenant, or all.", 60),
        ("usage-type", "f", "Resource", "One resource type, or all.", 55),
        ("usage-export", "e", "Export", "Write what is shown to a file, CSV or JSON.", 58),
        ("usage-sort", "o", "Sort", "Another order of the table.", 50),
        ("usage-earlier", "p", "Earlier", "The day, week or month before.", 53),
        ("usage-later", "n", "Later", "The day, week or month after.", 0),
    ),
    *_changing(Scope.USAGE, ("usage-limit", "s", "Limit", "Set what may be used, or forget that limit.", 48)),
    *_commands(
        Scope.HOME,
        ("home-right", "l right", "Right", "The next of several on a line.", 0),
        ("home-left", "h left", "Left", "The one before on the line.", 0),
    ),
    *_changing(
        Scope.ALERTS,
        ("alert-acknowledge", "a", "Acknowledge", "Say that you look after it; it stops repeating for a time.", 88),
        ("alert-silence", "s", "Silence", "Keep what has these labels from being sent, for a time.", 86),
        ("alert-resolve", "x", "Resolve", "Say that it is over, and why.", 84),
        ("alert-unsilence", "S", "End silence", "End the silence that keeps it quiet.", 82),
    ),
    *_commands(
        Scope.ALERTS,
        ("alert-about", "d", "Go to it", "Go to the queue, item, worker or operation that it is about.", 70),
        ("alert-groups", "f", "Groups", "What fires in groups, or every alert by itself.", 45),
        ("alert-rules", "r", "Rules", "What is wrong, and who hears of it.", 42),
        ("alert-channels", "c", "Channels", "How alerts get to people and systems.", 41),
        ("alert-silences", "z", "Silences", "What is kept quiet, by whom and how long.", 0),
        ("alert-link", "Y", "Copy link", "Copy the link to the runbook, or to where it comes from.", 0),
    ),
    *_commands(Scope.MACHINES, ("payload", "p", "Payload", "Look into the payload: fold, search, copy.", 72)),
    *_commands(Scope.RUNS, ("log", "l", "Log", "What the attempts wrote, as it comes.", 74)),
    *_commands(
        Scope.DEAD_LETTERS,
        ("groups", "E", "Errors", "Those that match, in groups of the same error.", 74),
        ("growth", "c", "Chart", "How many came and went, and where they are from.", 40),
    ),
    *_commands(
        Scope.HAS_RUN, ("see-run", "R", "Its run", "Go to the run behind it: its newest retry, else the first.", 0)
    ),
    *_commands(Scope.HAS_DEAD_LETTER, ("see-dead-letter", "d", "Dead letter", "Go to the dead letter behind it.", 35)),
    *_commands(
        Scope.HAS_EXCEPTION, ("see-exception", "x", "Exception", "Go to the item that hands it to a person.", 0)
    ),
    *_commands(
        Scope.GROUPS, ("take-group", "A space", "Take all", "Filter by the group and mark every dead letter of it.", 85)
    ),
    *_commands(Scope.GROWTH, ("period", "w", "Period", "Look back an hour, a day or a month.", 85)),
    *_commands(
        Scope.READING,
        ("search", "/", "Search", "Look for words.", 95),
        ("next-match", "n", "Next match", "The next place where the words stand.", 60),
        ("previous-match", "N", "Match before", "The place before where the words stand.", 0),
    ),
    *_commands(
        Scope.PAYLOAD,
        ("fold", "h left", "Fold", "Fold the value, or go to what it stands in.", 55),
        ("unfold", "l right", "Unfold", "Unfold the value, or go in.", 54),
        ("fold-all", "z", "Fold all", "Only the first level.", 0),
        ("unfold-all", "Z", "Unfold all", "Every level.", 0),
        ("secrets", "s", "Secrets", "Show what stands under secret names, or hide it again.", 0),
        ("copy-path", "Y", "Copy path", "Copy where the value stands, as jq writes it.", 50),
    ),
    *_commands(Scope.LOG, ("follow", "f", "Follow", "Stay at the end, where new lines come; or stay here.", 80)),
    *_commands(
        Scope.EVERYWHERE,
        ("go-to", ":", "Go to", "Go to a queue, an item, an operation or a screen.", 30),
        ("palette", "f2", "Palette", "Everything that can be done here, by name.", 0),
        ("home", "0", "Home", "What needs you now, and how everything does, in short.", 0),
        ("operations", "f3", "Operations", "Bulk operations: running, done, failed.", 20),
        ("queues", "f6", "Queues", "Queues of machine work: what is stuck, and why.", 0),
        ("runs", "f7", "Runs", "Machine work, piece by piece.", 0),
        ("dead-letters", "f8", "Dead letters", "What has used up its attempts.", 0),
        ("workers", "f9", "Workers", "Who does the machine work, and how well they are.", 0),
        ("sla", "f10", "Service levels", "What is at risk, what was broken, how promises are kept.", 0),
        ("alerts", "! f11", "Alerts", "What fires, who looks after it, and what is over.", 0),
        ("usage", "$ f12", "Usage", "What each tenant has used, over time and against limits.", 0),
        ("theme", "f4", "Theme", "Choose how the console looks.", 0),
        ("help", "? f1", "Help", "Every key and what it does.", 100),
        ("back", "q", "Back", "Close what is open; on the queue, leave the console.", 10),
    ),
    *_changing(
        Scope.EVERYWHERE,
        ("retry-last", "F", "Retry failed", "Act again on what failed in the operation that ended last.", 0),
    ),
)
