"""Every setting, with its default and a sentence. config.example.toml is made from this.

Standard dataclasses, so that a console without a config file starts without pydantic; `load` validates a
file with pydantic when there is one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

if TYPE_CHECKING:  # bounds only count where a file is validated; whoever does brings them
    from annotated_types import Ge, Le


def setting(default: Any, sentence: str) -> Any:
    """A field with its sentence. Lists and dictionaries are copied for each instance."""
    if isinstance(default, (list, dict)):
        return field(default_factory=lambda: type(default)(default), metadata={"doc": sentence})
    return field(default=default, metadata={"doc": sentence})


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """The engine process."""

    idle_minutes: Annotated[int, Ge(0)] = setting(
        15, "Minutes without a client and without work after which the engine stops; 0 never stops it."
    )
    claim_minutes: Annotated[int, Ge(1), Le(10_080)] = setting(
        30, "Minutes a claim lasts when its holder does nothing; then the item goes back to the queue."
    )
    skip_minutes: Annotated[int, Ge(1), Le(10_080)] = setting(
        60, "Minutes for which claim-next does not offer a skipped item to the same person again."
    )
    bin_days: Annotated[int, Ge(1)] = setting(30, "Days a deleted item stays in the bin before it is removed.")
    bulk_per_user: Annotated[int, Ge(1)] = setting(3, "Bulk operations one person may have running at once.")
    bulk_keep_days: Annotated[int, Ge(1)] = setting(
        90, "Days the per-item results of a finished bulk operation are kept."
    )
    selection_hours: Annotated[int, Ge(1)] = setting(24, "Hours a selection token can be used.")
    checkpoint_seconds: Annotated[int, Ge(1)] = setting(
        60, "Seconds between signed checkpoints of the audit log, written only when there is something new."
    )
    allowed_addresses: list[str] = setting(
        [],
        "Addresses inside your own network that http queues and workers may be called at, as CIDRs such as"
        ' "10.1.0.0/16" or "127.0.0.1/32"; private, loopback, link-local and reserved ones are refused otherwise.',
    )
    handler_modules: list[str] = setting(
        [],
        "Python modules whose functions a python queue may name as its target (module:function); what they contain"
        " counts too. Entry points of the group quarterdeck.handlers need no entry here.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting("info", "What the engine log holds.")

    def __post_init__(self) -> None:
        if self.allowed_addresses:
            from ipaddress import ip_network

            for text in self.allowed_addresses:
                try:
                    ip_network(text, strict=False)
                except ValueError:
                    raise ValueError(f"engine.allowed_addresses: {text!r} is no CIDR such as 10.1.0.0/16.") from None


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where the data lives."""

    url: str = setting(
        "",
        "PostgreSQL address, postgresql://user@host/database; empty keeps a SQLite file in the home folder.",
    )
    password_env: str = setting(
        "", "Name of the environment variable that holds the PostgreSQL password; empty asks the keyring."
    )
    copies_kept: Annotated[int, Ge(1)] = setting(3, "Copies of the store kept aside from before migrations.")


@dataclass(frozen=True, slots=True)
class WorkersSettings:
    """Workers outside the engine, and how their health is looked after."""

    urls: list[str] = setting(
        [], 'Addresses whose /healthz and /readyz are asked, such as "http://127.0.0.1:9100"; one for each worker.'
    )
    ports: str = setting("", 'Ports on this machine where workers answer as well, such as "9100-9109,9200".')
    check_seconds: Annotated[int, Ge(1), Le(3_600)] = setting(
        30, "Seconds between checks; what a check found counts until the next one."
    )
    check_timeout_seconds: Annotated[int, Ge(1), Le(60)] = setting(3, "Seconds a worker has to answer a check.")
    unhealthy_after: Annotated[int, Ge(1), Le(100)] = setting(
        3, "Failed checks in a row after which a worker is unhealthy; before that it is degraded."
    )
    healthy_after: Annotated[int, Ge(1), Le(100)] = setting(
        2, "Good checks in a row after which a worker that was unhealthy or degraded is healthy again."
    )
    silent_seconds: Annotated[int, Ge(10)] = setting(
        90, "Seconds without a word after which a worker that only leases is unhealthy."
    )
    forget_hours: Annotated[int, Ge(1)] = setting(24, "Hours after which a worker that has gone is forgotten.")

    def __post_init__(self) -> None:
        port_numbers(self.ports)
        for url in self.urls:
            if not url.startswith(("http://", "https://")):
                raise ValueError(f"workers.urls: {url!r} is no address such as http://127.0.0.1:9100.")


def port_numbers(text: str) -> list[int]:
    """`9100-9102,9200` as 9100, 9101, 9102, 9200. Raises ValueError."""
    found: dict[int, None] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        first, _, last = part.partition("-")
        if not (first.isdigit() and (last or first).isdigit() and 0 < int(first) <= int(last or first) < 65_536):
            raise ValueError(f'workers.ports: {part!r} is no port or range of ports such as "9100-9109".')
        found |= dict.fromkeys(range(int(first), int(last or first) + 1))
    if len(found) > 1_000:
        raise ValueError(f"workers.ports names {len(found)} ports; at most 1,000 can be checked.")
    return list(found)


@dataclass(frozen=True, slots=True)
class ExceptionsSettings:
    """Failures that are handed to a person."""

    filter: str = setting(
        "", "Which dead letters open an exception, in the grammar of their filters; empty for all of them."
    )
    retries_before_review: Annotated[int, Ge(1), Le(100)] = setting(
        3, "Failed retries after which an exception needs manual review."
    )


@dataclass(frozen=True, slots=True)
class AlertsSettings:
    """Alerts: how often rules are looked at, and how often people are told."""

    evaluation_seconds: Annotated[int, Ge(5), Le(3_600)] = setting(60, "Seconds between evaluations of the rules.")
    group_wait_seconds: Annotated[float, Ge(0), Le(86_400)] = setting(
        30, "Seconds a new group of alerts waits for others before the first notice."
    )
    group_interval_seconds: Annotated[float, Ge(0.2), Le(86_400)] = setting(
        300, "Seconds between notices of a group that has changed."
    )
    repeat_seconds: Annotated[float, Ge(1), Le(2_592_000)] = setting(
        14_400, "Seconds after which a group that still fires is told again."
    )
    resolve_seconds: Annotated[int, Ge(10), Le(604_800)] = setting(
        300, "Seconds after which an alert from outside is over that says no end and is not posted again."
    )
    acknowledge_minutes: Annotated[int, Ge(1), Le(43_200)] = setting(
        240, "Minutes after which an acknowledged alert that still fires starts again."
    )
    worse_percent: Annotated[int, Ge(1), Le(10_000)] = setting(
        20, "Percent by which the value of an acknowledged alert has to get worse to start it again."
    )
    flap_seconds: Annotated[int, Ge(0), Le(86_400)] = setting(
        300, "Seconds within which an alert that comes back counts as the same one."
    )
    channel_per_minute: Annotated[int, Ge(2), Le(10_000)] = setting(
        30, "Notices a channel is given in a minute; what is more comes as one summary."
    )
    keep_days: Annotated[int, Ge(1)] = setting(90, "Days alerts are kept after they are over.")


@dataclass(frozen=True, slots=True)
class UsageSettings:
    """What tenants use."""

    metering: bool = setting(True, "Whether the engine meters what it does itself; what is posted is always recorded.")
    event_days: Annotated[int, Ge(1), Le(3_650)] = setting(
        90, "Days an event is kept, and how late one may come; the sums of its day are kept for ever."
    )
    minute_days: Annotated[int, Ge(1), Le(400)] = setting(
        32, "Days for which usage can be told by the minute and by the hour."
    )
    limits: dict[str, dict[str, int]] = setting(
        {},
        "What each tenant may use that has no limit of its own, by resource type and day, week or month; for example"
        " { api_calls = { day = 10000, month = 200000 } }. Set at every start of the engine.",
    )

    def __post_init__(self) -> None:
        if self.limits:
            from quarterdeck.config.usage_limits import check

            check(self.limits)


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """The console."""

    theme: str = setting("brutalist", "Name of a file in themes/, or the path of a theme file of your own.")
    mouse: bool = setting(True, "Whether the mouse works.")
    ascii: bool = setting(False, "Only ASCII for lines, badges and bars.")
    read_only: bool = setting(False, "Every action that changes something is off.")
    detail_delay_ms: Annotated[int, Ge(0)] = setting(
        120, "Milliseconds the cursor rests before an open detail pane follows it."
    )
    secret_keys: list[str] = setting(
        [
            "*password*",
            "*passwd*",
            "*secret*",
            "*token*",
            "*authorization*",
            "*api_key*",
            "*apikey*",
            "*card*",
            "*cvc*",
        ],
        "Names in payloads whose values are masked for everybody below admin; * stands for any letters.",
    )
    first_screen: Literal["last", "queue", "home"] = setting(
        "last", "What a start shows: the last screen of the time before, the queue, or home."
    )
    home_refresh_seconds: Annotated[float, Ge(0.5)] = setting(
        2, "Seconds between two looks of the home screen, however much happens."
    )
    alert_bell: bool = setting(False, "Ring the terminal's bell when a critical alert begins to fire.")
    alert_notice: Literal["off", "osc9", "osc777"] = setting(
        "off",
        "A desktop notice when a critical alert begins to fire: osc9 (iTerm2, WezTerm, kitty, Windows Terminal), "
        "osc777 (foot, Ghostty, urxvt), or off.",
    )
    page_cache: Annotated[int, Ge(4)] = setting(24, "Pages of rows a table keeps in memory.")
    keys: dict[str, str] = setting(
        {}, 'Remapped keys, action = key; for example { assign = "w" }. A clash is refused at start.'
    )


@dataclass(frozen=True, slots=True)
class Settings:
    engine: EngineSettings = field(default_factory=EngineSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    workers: WorkersSettings = field(default_factory=WorkersSettings)
    # By name, only what a section names; see `queue_sections`.
    queues: dict[str, dict[str, Any]] = field(default_factory=dict)
    exceptions: ExceptionsSettings = field(default_factory=ExceptionsSettings)
    alerts: AlertsSettings = field(default_factory=AlertsSettings)
    usage: UsageSettings = field(default_factory=UsageSettings)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
