"""Channels: where notifications go. What a channel keeps secret is named here, and stands elsewhere."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from quarterdeck.contract.enums import ChannelKind, MailSecurity, NotificationState, PagerDutyRegion
from quarterdeck.contract.models.base import Answer, Id, LongText, Model, Tenant, Timestamp, Version

ChannelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$", examples=["on-call"])]
# Only such variables: a channel sends its secret away, and the engine's other secrets are none of its business.
SecretEnv = Annotated[
    str,
    Field(
        pattern=r"^QUARTERDECK_CHANNEL_[A-Z0-9_]{1,100}$",
        title="Secret",
        description="Name of the engine's environment variable that holds the secret.",
        examples=["QUARTERDECK_CHANNEL_ONCALL"],
    ),
]
SecretKeyring = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$",
        title="Keyring",
        description="Name under which the engine's keyring holds the secret (service quarterdeck, user channel:NAME).",
        examples=["oncall"],
    ),
]
MailAddress = Annotated[
    str,
    Field(max_length=320, pattern=r"^[^\s@<>,;:\"\\()\[\]\x00-\x1f\x7f]+@[A-Za-z0-9.-]+$", examples=["a@example.org"]),
]
Url = Annotated[str, Field(min_length=1, max_length=2_000, examples=["https://example.org/hooks/alerts"])]
MailHost = Annotated[str, Field(pattern=r"^[A-Za-z0-9.:_-]{1,253}$", examples=["mail.example.org"])]
Port = Annotated[int, Field(ge=1, le=65_535)]
MailUser = Annotated[str, Field(min_length=1, max_length=320, pattern=r"^[^\x00-\x1f\x7f]+$")]
MailAddresses = Annotated[list[MailAddress], Field(min_length=1, max_length=50)]
Text = Annotated[str, Field(max_length=2_000)]


class WebhookChannel(Model):
    """Standard Webhooks. Its secret is the signing secret (whsec_…); without one nothing is signed."""

    kind: Literal[ChannelKind.WEBHOOK]
    url: Url


class EmailChannel(Model):
    """Its secret is the password of `username`."""

    kind: Literal[ChannelKind.EMAIL]
    host: MailHost
    port: Port = 587
    security: MailSecurity = MailSecurity.STARTTLS
    username: MailUser | None = None
    sender: MailAddress
    to: MailAddresses

    @model_validator(mode="after")
    def _no_password_in_the_open(self) -> EmailChannel:
        if self.username is not None and self.security is MailSecurity.NONE:
            raise ValueError("security none would send the password readable for everybody; choose starttls or tls")
        return self


class SlackChannel(Model):
    """Its secret is the address of the incoming webhook, all of it."""

    kind: Literal[ChannelKind.SLACK]


class PagerDutyChannel(Model):
    """Its secret is the integration key (Events API v2)."""

    kind: Literal[ChannelKind.PAGERDUTY]
    region: PagerDutyRegion = PagerDutyRegion.US


ChannelSettings = Annotated[
    WebhookChannel | EmailChannel | SlackChannel | PagerDutyChannel, Field(discriminator="kind")
]


# Of each kind.
SETTINGS: dict[ChannelKind, type[Model]] = {
    ChannelKind.WEBHOOK: WebhookChannel,
    ChannelKind.EMAIL: EmailChannel,
    ChannelKind.SLACK: SlackChannel,
    ChannelKind.PAGERDUTY: PagerDutyChannel,
}


class WebhookChange(Model):
    kind: Literal[ChannelKind.WEBHOOK]
    url: Url | None = None


class EmailChange(Model):
    kind: Literal[ChannelKind.EMAIL]
    host: MailHost | None = None
    port: Port | None = None
    security: MailSecurity | None = None
    username: MailUser | None = None
    sender: MailAddress | None = None
    to: MailAddresses | None = None


class PagerDutyChange(Model):
    kind: Literal[ChannelKind.PAGERDUTY]
    region: PagerDutyRegion | None = None


# The members of `ChannelSettings`, none of which is needed.
ChannelSettingsChange = Annotated[
    WebhookChange | EmailChange | SlackChannel | PagerDutyChange, Field(discriminator="kind")
]


class NewChannel(Model):
    """For alerts of one tenant, or of every tenant where `tenant_id` is absent. At most one of `secret_env` and
    `secret_keyring`, which name where the secret stands."""

    name: ChannelName
    tenant_id: Tenant | None = None
    settings: ChannelSettings
    secret_env: SecretEnv | None = None
    secret_keyring: SecretKeyring | None = None
    enabled: bool = True


class ChannelChange(Model):
    """Only what is given changes, of `settings` too; null takes a secret off. The kind stays.

    `version` refuses the change if the channel has changed since.
    """

    name: ChannelName | None = None
    settings: ChannelSettingsChange | None = None
    secret_env: SecretEnv | None = None
    secret_keyring: SecretKeyring | None = None
    enabled: bool | None = None
    reason: Text | None = None
    version: Version | None = None


class LastNotification(Answer):
    """The last one that went out, `at` its end or, where it waits for another attempt, when it was made."""

    at: Timestamp
    state: NotificationState
    attempts: int
    run_id: Id | None
    error: LongText | None


class Channel(Answer):
    """A channel as it is now. `disabled_reason` says why the engine has switched it off. `last` is told in lists, of
    channels through which something went out lately."""

    id: Id
    version: Version
    name: str
    tenant_id: str | None
    kind: ChannelKind
    settings: ChannelSettings
    secret_env: str | None
    secret_keyring: str | None
    enabled: bool
    disabled_reason: LongText | None
    updated_at: Timestamp
    updated_by: str
    last: LastNotification | None = None


class ChannelList(Answer):
    """Every channel, in the order of names; there are few."""

    items: list[Channel]


class Verified(Answer):
    """What became of a test. `said`: what the other side answered, or why it could not be asked, in a sentence;
    `detail` is its answer as it came, without secrets."""

    delivered: bool
    code: str | None
    said: LongText
    detail: LongText | None
    took_ms: int
