"""The form of a channel: what each kind is asked. Secrets are named, never typed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from quarterdeck.contract.enums import ChannelKind
from quarterdeck.contract.operations import channels
from quarterdeck.tui.screens.picker import Option
from quarterdeck.tui.screens.setup.entries import Entry, shaped, tenant_entry
from quarterdeck.tui.screens.setup.written import LIST, SWITCH, WHOLE

OPTIONS = (
    Option(str(ChannelKind.WEBHOOK), "Webhook", "posted to an address, signed"),
    Option(str(ChannelKind.EMAIL), "Mail", "sent by a mail server"),
    Option(str(ChannelKind.SLACK), "Slack", "an incoming webhook"),
    Option(str(ChannelKind.PAGERDUTY), "PagerDuty", "incidents, opened and resolved"),
)
ABOUT = "Secrets are not typed here: name where the engine finds them. No table, answer or log ever holds one."
_SECRETS = {
    ChannelKind.WEBHOOK: "the signing secret (whsec_…); without one nothing is signed",
    ChannelKind.EMAIL: "the password of the user name",
    ChannelKind.SLACK: "the whole address of the incoming webhook",
    ChannelKind.PAGERDUTY: "the integration key",
}
_OWN: dict[ChannelKind, tuple[Entry, ...]] = {
    ChannelKind.WEBHOOK: (
        Entry("settings/url", "Address", "Where it is posted to.", example="such as https://example.org/hooks/alerts"),
    ),
    ChannelKind.EMAIL: (
        Entry("settings/to", "To", "Who gets it, with commas between.", LIST, example="such as ops@example.org"),
        Entry("settings/sender", "From", "Who it is from.", example="such as alerts@example.org"),
        Entry("settings/host", "Mail server", "The name of the mail server.", example="such as mail.example.org"),
        Entry("settings/port", "Port", "Its port.", WHOLE),
        Entry(
            "settings/security",
            "Security",
            "starttls: safe before anything is said, or nothing is; tls: safe from the start; none: readable by all.",
        ),
        Entry("settings/username", "User name", "Who logs in; empty: nobody does."),
    ),
    ChannelKind.SLACK: (),
    ChannelKind.PAGERDUTY: (Entry("settings/region", "Region", "Where the account is kept. Left and right choose."),),
}


async def channel_entries(kind: ChannelKind, tenants: Sequence[str], *, new: bool) -> list[Entry]:
    """Loads pydantic on first use, beside the screen."""
    return await asyncio.to_thread(_entries, kind, tenants, new)


def _entries(kind: ChannelKind, tenants: Sequence[str], new: bool) -> list[Entry]:
    entries = [Entry("name", "Name", "What rules call it.", example="such as on-call" if new else "")]
    if new:
        hint = "For alerts of this tenant only; it goes before one of everybody with the same name."
        entries.append(tenant_entry(hint, tenants))
    what = _SECRETS[kind]
    entries += [
        *_OWN[kind],
        Entry(
            "secret_env",
            "Secret in",
            f"Name of the engine's environment variable that holds {what}.",
            example="such as QUARTERDECK_CHANNEL_ONCALL",
        ),
        Entry(
            "secret_keyring",
            "or keyring",
            f"Name under which the engine's keyring holds {what}; put there with: keyring set quarterdeck channel:NAME",
            example="such as oncall",
        ),
        Entry("enabled", "Channel", "Whether anything goes through it.", SWITCH),
    ]
    if not new:
        entries.append(Entry("reason", "Reason", "Why; kept in the audit log. May be empty."))
    return shaped(entries, channels.CREATE, channels.CHANGE)
