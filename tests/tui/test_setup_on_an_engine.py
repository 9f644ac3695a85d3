"""What the forms send is what the engine takes: made, changed and deleted on a real one, over its socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.client.client import Client
from quarterdeck.client.transport import LocalAddress
from quarterdeck.config.home import Home
from quarterdeck.config.settings import ConsoleSettings
from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.enums import AlertType, ChannelKind
from quarterdeck.contract.operations import Operation, alerts, channels, sla, system
from quarterdeck.contract.problems import Problem
from quarterdeck.engine.store.store import Store
from quarterdeck.tui.screens.setup.channel_form import channel_entries
from quarterdeck.tui.screens.setup.entries import Entry, body_of, changes_of, placed, texts_of
from quarterdeck.tui.screens.setup.rule_form import rule_entries
from quarterdeck.tui.screens.setup.silence_form import silence_entries
from tests.support.desk import make_engine
from tests.support.serving import served
from tests.tui.consoles import FakeConsole, Person, console_on
from tests.tui.setting_up import at_field, fill, paste

Row = dict[str, Any]


class RealConsole(FakeConsole):
    client: Client

    async def connect(self, home: Home, *, on_wait: Any) -> Any:
        return self.client


@pytest.fixture
def store_kind() -> str:
    return "sqlite"


@pytest.fixture
async def client(store: Store, engine_home: Home) -> AsyncIterator[Client]:
    async with served(make_engine(store, engine_home)), Client(LocalAddress(engine_home)) as made:
        made.info = await made.call(system.ENGINE)
        yield made


@pytest.mark.timeout(60)
async def test_a_form_on_a_real_engine(tmp_path: Path, client: Client) -> None:
    console = console_on(tmp_path / "home", kind=RealConsole, settings=ConsoleSettings(detail_delay_ms=0))
    assert isinstance(console, RealConsole)
    console.client, console.session.now = client, now_ms
    async with console.run_test(size=(80, 24)) as pilot:
        person = Person(console, pilot)
        await person.until(lambda: not console.session.lost, "the engine")
        await the_policies(person, client)


async def the_policies(person: Person, client: Client) -> None:
    person.console.everywhere.go("policies")
    await person.sees("No policy yet")
    await person.press("n")
    await person.sees("New policy")
    await paste(person, "Standard")
    await at_field(person, "Promises")
    await paste(person, "urgent 15m / 2h")
    await at_field(person, "Counts")
    await paste(person, "mon-fri 09:00-12:00 13:00-17:00")
    await at_field(person, "Time zone")
    await paste(person, "Europe/Stockholm")
    await at_field(person, "Holidays of")
    await paste(person, "XX")
    await person.press("enter")
    await person.sees("XX is no country whose holidays are known")
    await fill(person, "SE")
    await at_field(person, "Then")
    await paste(person, "75% suggest raise priority")
    await person.press("tab")
    await paste(person, "100% of first response do assign lead: Call the customer.")
    await person.press("enter")
    await person.sees("Standard holds for items that enter from now on.")
    await person.press("c")
    await person.sees("Change policy Standard")
    await person.press("tab")
    await fill(person, "urgent 10m / 1h 30m")
    await person.press("enter")
    await person.sees("Standard is version 2")
    (row,) = (await client.call(sla.POLICIES))["items"]
    settings = row["settings"]
    assert settings["targets"][0]["resolution_minutes"] == 90
    assert [(each["act"], each["target"]) for each in settings["escalation"]] == [
        ("raise_priority", "resolution"),
        ("assign", "first_response"),
    ]
    await person.press("enter")
    await person.sees("what it promises holds for items that enter from", "enter Change  n New  e Switch")
    await person.press("D")
    await person.sees("y delete")
    await person.press("y")
    await person.sees("Standard is deleted.", "No policy yet")
    assert not person.console.screen.has_class("-detail"), "of nothing there is nothing to say"


async def make(client: Client, operation: Operation, entries: list[Entry], fixed: Row, **texts: str) -> Row:
    """As the form does: fields are named by their titles."""
    named = {entry.title.replace(" ", "_"): entry.at for entry in entries}
    written = {**texts_of(entries, None), **{named[title]: text for title, text in texts.items()}}
    return await client.call(operation, body=body_of(entries, written, fixed))


async def change(
    client: Client, operation: Operation, entries: list[Entry], row: Row, fixed: Row, **texts: str
) -> tuple[Row, Row]:
    """What was sent, and what the engine has then."""
    named = {entry.title.replace(" ", "_"): entry.at for entry in entries}
    before = texts_of(entries, row)
    written = {**before, **{named[title]: text for title, text in texts.items()}}
    body = changes_of(entries, written, before, row, fixed)
    return body, await client.call(operation, body=body, id=row["id"])


async def test_rules_of_every_type_are_taken(client: Client) -> None:
    for kind in AlertType:
        entries = await rule_entries(kind, ["ops"], ["acme"], new=True)
        threshold = {} if kind is AlertType.EXTERNAL else {"Threshold": "20"}
        row = await make(client, alerts.CREATE, entries, {"type": str(kind)}, Name=f"Rule {kind}", **threshold)
        entries = await rule_entries(kind, ["ops"], (), new=False)
        hours = {"Quiet_hours": "mon-fri 22:00-07:00\nsat 12:00-13:00", "Time_zone": "Europe/Stockholm"}
        more = {"Labels": 'team=mail site="two words"', "Keeps_quiet": "severity=info same cluster", **hours}
        sent, changed = await change(client, alerts.CHANGE, entries, row, {}, Severity="critical", Reason="x", **more)
        assert set(sent) == {"settings", "reason"}
        assert set(sent["settings"]) == {"severity", "labels", "inhibits", "quiet_hours"}
        assert changed["settings"] == {**row["settings"], **sent["settings"]}
        assert (changed["settings"]["labels"]["site"], changed["settings"]["severity"]) == ("two words", "critical")
        with pytest.raises(Problem) as refused:
            await change(
                client, alerts.CHANGE, entries, row, {}, Time_zone="Europe/Nowhere", Quiet_hours="sat 1:00-2:00"
            )
        assert list(placed(entries, refused.value)[0]) == ["settings/quiet_hours/timezone"]
        sent, changed = await change(
            client, alerts.CHANGE, entries, changed, {}, Quiet_hours="", Time_zone="", Rule="off"
        )
        assert (changed["settings"]["quiet_hours"], changed["enabled"]) == (None, False)
        await client.call(alerts.DELETE, id=row["id"])


async def test_channels_of_every_kind_and_silences_are_taken(client: Client) -> None:
    secret = {"Secret_in": "QUARTERDECK_CHANNEL_X"}
    own = {
        ChannelKind.WEBHOOK: {"Address": "https://hooks.example.org/in", **secret},
        ChannelKind.EMAIL: {"Mail_server": "mail.example.org", "From": "a@example.org", "To": "b@example.org"},
        ChannelKind.SLACK: secret,
        ChannelKind.PAGERDUTY: {"or_keyring": "duty"},
    }
    for kind, values in own.items():
        fixed = {"settings/kind": str(kind)}
        entries = await channel_entries(kind, (), new=True)
        row = await make(client, channels.CREATE, entries, fixed, Name="ops", **values)
        entries = await channel_entries(kind, (), new=False)
        sent, changed = await change(client, channels.CHANGE, entries, row, fixed, Name="duty", Channel="off")
        assert sent == {"name": "duty", "enabled": False}
        assert (changed["name"], changed["settings"]) == ("duty", row["settings"])
        if kind is ChannelKind.WEBHOOK:
            with pytest.raises(Problem) as refused:
                await change(client, channels.CHANGE, entries, row, fixed, Address="http://10.0.0.1/in")
            assert list(placed(entries, refused.value)[0]) == ["settings/url"]
            with pytest.raises(Problem) as refused:
                await change(client, channels.CHANGE, entries, row, fixed, Secret_in="OTHER")
            assert list(placed(entries, refused.value)[0]) == ["secret_env"]
        await client.call(channels.DELETE, id=row["id"])

    entries = await silence_entries((), now_ms())
    words = {"Keeps_quiet": 'host=~"web.*" team!=mail', "Until": "2h", "Why": "Moving."}
    row = await make(client, alerts.SILENCE, entries, {}, **words)
    assert [each["is_equal"] for each in row["matchers"]] == [True, False]
    with pytest.raises(Problem) as refused:
        await make(client, alerts.PREVIEW_SILENCE, entries, {}, **{**words, "Keeps_quiet": "host=~(a"})
    assert list(placed(entries, refused.value)[0]) == ["matchers"]
    assert (await client.call(alerts.END_SILENCE, id=row["id"]))["state"] == "expired"
