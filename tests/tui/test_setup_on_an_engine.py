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
from quarterdeck.contract.operations import alerts, channels, sla, system
from quarterdeck.engine.store.store import Store
from quarterdeck.tui.screens.setup.channel_form import channel_entries
from quarterdeck.tui.screens.setup.entries import body_of, texts_of
from quarterdeck.tui.screens.setup.rule_form import rule_entries
from tests.support.desk import make_engine
from tests.support.serving import served
from tests.tui.consoles import FakeConsole, Person, console_on
from tests.tui.setting_up import at_field, fill, paste


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
async def test_every_form_on_a_real_engine(tmp_path: Path, client: Client) -> None:
    console = console_on(tmp_path / "home", kind=RealConsole, settings=ConsoleSettings(detail_delay_ms=0))
    assert isinstance(console, RealConsole)
    console.client, console.session.now = client, now_ms
    async with console.run_test(size=(80, 24)) as pilot:
        person = Person(console, pilot)
        await person.until(lambda: not console.session.lost, "the engine")
        await the_channels(person, client)
        await the_rules(person, client)
        await the_silences(person, client)
        await the_policies(person, client)


async def the_channels(person: Person, client: Client) -> None:
    person.console.everywhere.go("channels")
    await person.sees("No channel yet: nobody hears of alerts.")
    await person.press("n", "enter")
    await person.sees("New channel: webhook")
    await paste(person, "ops")
    await at_field(person, "Address")
    await paste(person, "http://10.0.0.1/in")
    await at_field(person, "Secret in")
    await paste(person, "QUARTERDECK_CHANNEL_OPS")
    await person.press("enter")
    await person.sees("✕ ", "10.0.0.1", "Where it is posted to.")
    await fill(person, "https://hooks.example.org/in")
    await person.press("enter")
    await person.sees("ops is there.")
    secret = {"secret_env": "QUARTERDECK_CHANNEL_X"}
    mail = {"settings/host": "mail.example.org", "settings/sender": "a@example.org", "settings/to": "b@example.org"}
    own: dict[ChannelKind, dict[str, str]] = {
        ChannelKind.EMAIL: mail,
        ChannelKind.SLACK: secret,
        ChannelKind.PAGERDUTY: {"secret_keyring": "duty"},
    }
    for kind, values in own.items():
        entries = await channel_entries(kind, (), new=True)
        texts = {**texts_of(entries, None), "name": f"zz-{kind}", **values}
        made = await client.call(channels.CREATE, body=body_of(entries, texts, {"settings/kind": str(kind)}))
        await client.call(channels.DELETE, id=made["id"])
    await person.press("c")
    await person.sees("Change channel ops")
    await at_field(person, "Secret in")
    await person.press("ctrl+u", "enter")
    await person.sees("ops is changed")
    (row,) = (await client.call(channels.LIST))["items"]
    assert (row["settings"]["url"], row["secret_env"]) == ("https://hooks.example.org/in", None)
    await person.press("D")
    await person.sees("No rule names it.")
    await person.press("y")
    await person.sees("ops is deleted.")


async def the_rules(person: Person, client: Client) -> None:
    person.console.everywhere.go("rules")
    await person.sees("No rule yet")
    for number, kind in enumerate(AlertType):
        entries = await rule_entries(kind, ["ops"], ["acme"], new=True)
        texts = {**texts_of(entries, None), "name": f"Rule {number}"}
        if kind is not AlertType.EXTERNAL:
            texts["settings/threshold"] = "20"
        await client.call(alerts.CREATE, body=body_of(entries, texts, {"type": str(kind)}))
    await person.press("f5")
    await person.sees("9 rules")
    await person.press("g", "c")
    await person.sees("Change rule Rule 0")
    await at_field(person, "Unit")
    await person.press("right")
    await at_field(person, "Each")
    await paste(person, "tenant")
    await at_field(person, "Labels")
    await paste(person, 'team=mail site="two words"')
    await at_field(person, "Quiet hours")
    await paste(person, "mon-fri 22:00-07:00")
    await at_field(person, "Time zone")
    await paste(person, "Europe/Nowhere")
    await person.press("enter")
    await person.sees("'Europe/Nowhere' is no time zone such as Europe/Stockholm", "1 field to put right")
    await fill(person, "Europe/Stockholm")
    await person.press("enter")
    await person.sees("Rule 0 goes by its new settings")
    settings = (await client.call(alerts.RULES))["items"][0]["settings"]
    assert (settings["unit"], settings["by"]) == ("percent", ["tenant"])
    assert settings["labels"] == {"team": "mail", "site": "two words"}
    assert settings["quiet_hours"]["windows"][0]["end"] == "07:00"
    await person.press("t")
    await person.sees("Test of rule Rule 0", "last 24 hours")
    await person.press("escape", "D")
    await person.sees("Nothing fires by it now.")
    await person.press("y")
    await person.sees("Rule 0 is deleted.", "8 rules")


async def the_silences(person: Person, client: Client) -> None:
    person.console.everywhere.go("silences")
    await person.sees("Nothing is silenced.")
    await person.press("n")
    await person.sees("New silence")
    await paste(person, "host=~(a+)+")
    await person.press("tab", "tab")
    await paste(person, "Moving.")
    await person.press("enter")
    await person.sees("nothing that repeats")
    await fill(person, 'host=~"web.*" team!=mail')
    await person.press("enter")
    await person.sees("0 firing and 0 pending alerts match now.")
    await person.press("enter")
    await person.sees("0 alerts are kept quiet.", "1 silence holds")
    (row,) = (await client.call(alerts.SILENCES))["items"]
    assert [each["is_equal"] for each in row["matchers"]] == [True, False]
    await person.press("D")
    await person.sees("y end")
    await person.press("y")
    await person.sees("is over.", "0 silences hold")


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
    await person.press("D")
    await person.sees("y delete")
    await person.press("y")
    await person.sees("Standard is deleted.", "No policy yet")
