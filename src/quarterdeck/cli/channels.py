"""qd alerts channels: where notifications go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from quarterdeck.cli.exits import CommandError, Exit, usage
from quarterdeck.cli.output import Heading, pairs, table
from quarterdeck.cli.runtime import Cli, command, group
from quarterdeck.contract.enums import ChannelKind, MailSecurity, PagerDutyRegion
from quarterdeck.contract.operations import channels as ops

channels = group("channels", "Channels: webhooks, mail, Slack and PagerDuty, by which people hear of alerts.")

_WORDS = ("alerts", "channels")
NameOrId = Annotated[str, typer.Argument(metavar="CHANNEL", help="Its name or its id.")]
_HEADINGS = (
    Heading("id", right=True),
    Heading("name"),
    Heading("kind"),
    Heading("tenant"),
    Heading("state"),
    Heading("goes to"),
    Heading("secret"),
)
# Which options belong to which kind.
_OWN = {
    ChannelKind.WEBHOOK: ("url",),
    ChannelKind.EMAIL: ("host", "port", "security", "username", "sender", "to"),
    ChannelKind.SLACK: (),
    ChannelKind.PAGERDUTY: ("region",),
}
_NEEDED = {ChannelKind.WEBHOOK: ("url",), ChannelKind.EMAIL: ("host", "sender", "to")}


@command(channels, *_WORDS, "list")
async def list_(cli: Cli) -> None:
    """List the channels, and where each keeps its secret."""
    found = await cli.call(ops.LIST)
    rows = [_row(each) for each in found["items"]]
    cli.out.result(found, table(_HEADINGS, rows, width=cli.out.width) if rows else [])
    if not found["items"] and not cli.json:
        cli.out.note("There is no channel; make one with: qd alerts channels add.")


SecretEnv = Annotated[
    str | None,
    typer.Option("--secret-env", help="The engine's environment variable (QUARTERDECK_CHANNEL_…) with the secret."),
]
SecretKeyring = Annotated[
    str | None, typer.Option("--secret-keyring", help="The name under which the engine's keyring has the secret.")
]
Url = Annotated[str | None, typer.Option("--url", help="webhook: the address.")]
Host = Annotated[str | None, typer.Option("--host", help="email: the mail server.")]
Port = Annotated[int | None, typer.Option("--port", help="email: its port, 587 unless said.")]
Security = Annotated[MailSecurity | None, typer.Option("--security", help="email: starttls unless said.")]
Username = Annotated[str | None, typer.Option("--username", help="email: whose password the secret is.")]
Sender = Annotated[str | None, typer.Option("--from", help="email: who writes.")]
To = Annotated[list[str] | None, typer.Option("--to", help="email: who gets it; can be repeated.")]
Region = Annotated[PagerDutyRegion | None, typer.Option("--region", help="pagerduty: us unless said.")]


@command(channels, *_WORDS, "add")
async def add(
    cli: Cli,
    kind: Annotated[ChannelKind, typer.Argument(help="What it goes to.")],
    name: Annotated[str, typer.Argument(help="What rules call it.")],
    tenant: Annotated[str | None, typer.Option("--tenant", help="For alerts of this tenant only.")] = None,
    secret_env: SecretEnv = None,
    secret_keyring: SecretKeyring = None,
    url: Url = None,
    host: Host = None,
    port: Port = None,
    security: Security = None,
    username: Username = None,
    sender: Sender = None,
    to: To = None,
    region: Region = None,
) -> None:
    """Make a channel. Secrets are named here, and stay where they are."""
    given = {"url": url, "host": host, "port": port, "security": security, "username": username, "sender": sender}
    settings = _settings(kind, {**given, "to": to or None, "region": region})
    missing = [each for each in _NEEDED.get(kind, ()) if each not in settings]
    if missing:
        raise usage(f"A channel of the kind {kind} needs {_flag(missing[0])}.")
    secrets = {"secret_env": secret_env, "secret_keyring": secret_keyring}
    body = {"name": name, "tenant_id": tenant, "settings": settings, **secrets}
    found = await cli.call(ops.CREATE, body=body)
    said = f"Made the channel {name}; send a test with: qd alerts channels verify {name}."
    cli.out.result(found, [said, "", *_described(found)])
    await cli.remark_on(found["tenant_id"])


@command(channels, *_WORDS, "show")
async def show(cli: Cli, channel: NameOrId) -> None:
    """Show one channel."""
    one = await _find(cli, channel)
    found = await cli.call(ops.SHOW, id=one["id"])
    cli.out.result(found, _described(found))


@command(channels, *_WORDS, "change")
async def change(
    cli: Cli,
    channel: NameOrId,
    on: Annotated[bool | None, typer.Option("--on/--off", help="Whether anything goes through it.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="What rules call it from now on.")] = None,
    secret_env: SecretEnv = None,
    secret_keyring: SecretKeyring = None,
    url: Url = None,
    host: Host = None,
    port: Port = None,
    security: Security = None,
    username: Username = None,
    sender: Sender = None,
    to: To = None,
    region: Region = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; kept in the audit log.")] = None,
) -> None:
    """Change a channel; what waits for it goes by the change too."""
    given = {"url": url, "host": host, "port": port, "security": security, "username": username, "sender": sender}
    one = await _find(cli, channel)
    settings = _settings(ChannelKind(one["kind"]), {**given, "to": to or None, "region": region})
    body: dict[str, Any] = {"enabled": on, "name": name}
    if len(settings) > 1:
        body["settings"] = settings
    body = {each: value for each, value in body.items() if value is not None}
    if secret_env is not None or secret_keyring is not None:
        body |= {"secret_env": secret_env, "secret_keyring": secret_keyring}
    if not body:
        raise usage(f"Say what to change, such as --off; qd alerts channels show {channel} shows it.")
    found = await cli.call(ops.CHANGE, body={**body, "reason": reason, "version": one["version"]}, id=one["id"])
    cli.out.result(found, [f"Changed the channel {found['name']}.", "", *_described(found)])


@command(channels, *_WORDS, "verify")
async def verify(cli: Cli, channel: NameOrId) -> None:
    """Send a test at once, and say what the other side answered; exit code 1 where it did not take it."""
    one = await _find(cli, channel)
    found = await cli.call(ops.VERIFY, id=one["id"])
    said = [("delivered", "yes" if found["delivered"] else "no"), ("said", found["said"]), ("code", found["code"])]
    said += [("answer", found["detail"]), ("took", f"{found['took_ms']} ms")]
    cli.out.result(found, pairs(said))
    if not found["delivered"]:
        raise CommandError(f"The test did not get through {one['name']}: {found['said']}")


@command(channels, *_WORDS, "delete")
async def delete(cli: Cli, channel: NameOrId) -> None:
    """Forget a channel; notifications that wait for it become dead letters."""
    one = await _find(cli, channel)
    found = await cli.call(ops.DELETE, id=one["id"], query={"version": one["version"]})
    cli.out.result(found, [f"Deleted the channel {found['name']}."])


def _settings(kind: ChannelKind, given: Mapping[str, Any]) -> dict[str, Any]:
    foreign = [name for name, value in given.items() if value is not None and name not in _OWN[kind]]
    if foreign:
        raise usage(f"{_flag(foreign[0])} is not for {kind}.")
    return {"kind": str(kind), **{name: given[name] for name in _OWN[kind] if given[name] is not None}}


def _flag(name: str) -> str:
    return "--from" if name == "sender" else f"--{name}"


async def _find(cli: Cli, channel: str) -> dict[str, Any]:
    """By its id, or by its name where only one is called so."""
    if channel.isascii() and channel.isdigit():
        return await cli.call(ops.SHOW, id=int(channel))
    named = [each for each in (await cli.call(ops.LIST))["items"] if each["name"] == channel]
    if len(named) == 1:
        found: dict[str, Any] = named[0]
        return found
    if named:
        ids = " or ".join(str(each["id"]) for each in named)
        raise CommandError(f"Several channels are called {channel}; say which: {ids}.")
    raise CommandError(f"There is no channel {channel}; see: qd alerts channels list.", Exit.NOTHING)


def _row(channel: Mapping[str, Any]) -> list[object]:
    state = "on" if channel["enabled"] else "off"
    return [
        channel["id"],
        channel["name"],
        channel["kind"],
        channel["tenant_id"] or "all",
        state,
        _target(channel),
        _secret(channel),
    ]


def _target(channel: Mapping[str, Any]) -> str:
    settings = channel["settings"]
    match settings["kind"]:
        case ChannelKind.WEBHOOK:
            return str(settings["url"])
        case ChannelKind.EMAIL:
            return ", ".join(settings["to"])
        case ChannelKind.PAGERDUTY:
            return f"region {settings['region']}"
    return ""


def _secret(channel: Mapping[str, Any]) -> str:
    if channel["secret_env"]:
        return f"${channel['secret_env']}"
    return f"keyring {channel['secret_keyring']}" if channel["secret_keyring"] else ""


def _described(channel: Mapping[str, Any]) -> list[str]:
    return pairs(
        [
            ("id", channel["id"]),
            ("kind", channel["kind"]),
            ("tenant", channel["tenant_id"] or "all"),
            ("state", "on" if channel["enabled"] else "off"),
            ("why", channel["disabled_reason"]),
            ("goes to", _target(channel)),
            ("secret", _secret(channel)),
        ]
    )
