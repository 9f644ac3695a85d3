"""The schema of channels and of what went out through them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, text

from quarterdeck.engine.store.metadata import JsonText, RowId, metadata, moment

# `settings` is contract.models.channels.ChannelSettings; nothing secret is in it. A tenant that is absent means every
# one. Ids are never used again: a notification that waits must not go to another channel than it was meant for.
notification_channels = Table(
    "notification_channels",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", Text, nullable=False),
    Column("tenant_id", Text),
    Column("kind", Text, nullable=False),
    Column("settings", JsonText, nullable=False),
    Column("secret_env", Text),
    Column("secret_keyring", Text),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("disabled_reason", Text),
    moment("created_at"),
    moment("updated_at"),
    Column("updated_by", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    sqlite_autoincrement=True,
)
# Rules name channels; two made at once cannot share a name, among those of a tenant or those of everybody.
Index("ix_notification_channels_tenant", notification_channels.c.name, notification_channels.c.tenant_id, unique=True)
_EVERYBODY = text("tenant_id IS NULL")
Index(
    "ix_notification_channels_everybody",
    notification_channels.c.name,
    unique=True,
    sqlite_where=_EVERYBODY,
    postgresql_where=_EVERYBODY,
)

# One message to one channel; `notification_ID` is its id to whoever receives it, over all attempts. `content` is what
# service.Notice says. `slot_at`: when its channel's rate lets it go (ms). Ids are never used again, so that a receiver
# never takes a new message for one that it has had.
notifications = Table(
    "notifications",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("channel_id", BigInteger),
    Column("channel", Text, nullable=False),
    Column("tenant_id", Text),
    Column("state", Text, nullable=False),
    Column("run_id", BigInteger),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("slot_at", BigInteger),
    moment("created_at"),
    moment("ended_at", nullable=True),
    Column("content", JsonText, nullable=False),
    sqlite_autoincrement=True,
)
# Old ones are removed.
Index("ix_notifications_created", notifications.c.created_at)
