"""The schema of alerts."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, Table, Text, text

from quarterdeck.engine.store.metadata import JsonText, RowId, metadata, moment

# `settings` is contract.models.alerts.RuleSettings. `error` says why the last evaluation read nothing.
alert_rules = Table(
    "alert_rules",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("tenant_id", Text),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("settings", JsonText, nullable=False),
    moment("evaluated_at", nullable=True),
    Column("error", Text),
    moment("created_at"),
    moment("updated_at"),
    Column("updated_by", Text, nullable=False),
    moment("deleted_at", nullable=True),  # the row stays, since alerts name it
    Column("version", Integer, nullable=False, server_default="1"),
)

# One row for each time that something was wrong. `series` tells the alerts of a rule apart; `sent` is what was last
# said of it: firing or resolved. What somebody resolved is not taken up again before `held_until`.
alerts = Table(
    "alerts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("tenant_id", Text),
    Column("rule_id", BigInteger),
    Column("type", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("series", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("value", Float),
    Column("threshold", Float),
    moment("pending_at", nullable=True),
    moment("starts_at", nullable=True),
    moment("ends_at", nullable=True),  # when one from outside ends unless it is posted again
    moment("resolved_at", nullable=True),
    moment("held_until", nullable=True),
    moment("updated_at"),
    Column("changes", Integer, nullable=False, server_default="0"),
    Column("group_id", BigInteger),
    Column("sent", Text),
    Column("acked_by", Text),
    moment("acked_at", nullable=True),
    moment("acked_until", nullable=True),
    Column("acked_value", Float),
    Column("silenced_by", BigInteger),
    Column("inhibited_by", BigInteger),
    Column("url", Text),
    Column("labels", JsonText, nullable=False),
    Column("annotations", JsonText, nullable=False),
    # Ids are never used again, so that pages stay in order.
    sqlite_autoincrement=True,
)

# What the next evaluation has to know of: what is not over, and what somebody resolved while it was still true.
OPEN = "(state IN ('pending', 'firing') OR held_until IS NOT NULL)"
FIRING = "state = 'firing'"
ACKED = "acked_until IS NOT NULL"
EXPIRING = "state = 'firing' AND ends_at IS NOT NULL"


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> None:
    condition = text(where)
    made = (alerts.c[each] for each in columns)
    Index(name, *made, unique=unique, sqlite_where=condition, postgresql_where=condition)


# One thing has one alert at a time, whoever evaluates.
_partial("ix_alerts_open", "fingerprint", where=OPEN, unique=True)
# A rule's own, for its evaluation.
_partial("ix_alerts_rule_open", "rule_id", where=OPEN)
# One that comes back soon is the same one.
Index("ix_alerts_fingerprint", alerts.c.fingerprint, alerts.c.resolved_at)
# What a group has to say: few states and what was said of them, without reading the alerts.
Index(
    "ix_alerts_group",
    *(alerts.c[name] for name in ("group_id", "state", "sent", "silenced_by", "inhibited_by", "acked_until")),
)
# Lists, newest first.
Index("ix_alerts_state", alerts.c.state, alerts.c.id)
Index("ix_alerts_severity", alerts.c.severity, alerts.c.state, alerts.c.id)
Index("ix_alerts_tenant", alerts.c.tenant_id, alerts.c.state, alerts.c.id)
Index("ix_alerts_rule", alerts.c.rule_id, alerts.c.state, alerts.c.id)
Index("ix_alerts_name", alerts.c.name, alerts.c.id)
# What time alone ends: those from outside, and acknowledgements.
_partial("ix_alerts_expiring", "ends_at", where=EXPIRING)
_partial("ix_alerts_acked", "acked_until", where=ACKED)
# Figures of a time, and what is old enough to be forgotten.
Index("ix_alerts_starts", alerts.c.starts_at)
Index("ix_alerts_resolved", alerts.c.resolved_at)
_partial("ix_alerts_held", "held_until", where="held_until IS NOT NULL")
# What is kept quiet: few, looked for by what does it.
_partial("ix_alerts_silenced", "silenced_by", where="silenced_by IS NOT NULL")
_partial("ix_alerts_inhibited", "inhibited_by", where="inhibited_by IS NOT NULL")

# What people and the engine did to an alert, beyond what its own row says.
alert_events = Table(
    "alert_events",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("alert_id", BigInteger, nullable=False),
    moment("at"),
    Column("type", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("body", Text),
)
Index("ix_alert_events_alert", alert_events.c.alert_id, alert_events.c.id)

# How the value moved while it was open; written when it did.
alert_values = Table(
    "alert_values",
    metadata,
    Column("alert_id", RowId, primary_key=True, autoincrement=False),
    moment("at", primary_key=True, autoincrement=False),
    Column("value", Float, nullable=False),
    sqlite_with_rowid=False,
)

# Alerts that are told together. `next_at` is when it may speak again; none: it has nothing to say.
alert_groups = Table(
    "alert_groups",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", Text, nullable=False),
    Column("rule_id", BigInteger, nullable=False),
    Column("tenant_id", Text),
    Column("labels", JsonText, nullable=False),
    moment("created_at"),
    moment("next_at", nullable=True),
    moment("sent_at", nullable=True),
    Column("sent_kind", Text),
)
Index("ix_alert_groups_key", alert_groups.c.key, unique=True)
Index(
    "ix_alert_groups_next",
    alert_groups.c.next_at,
    sqlite_where=text("next_at IS NOT NULL"),
    postgresql_where=text("next_at IS NOT NULL"),
)

# What was handed to channels. `held` waits for a summary, because its channel was told enough already.
alert_notices = Table(
    "alert_notices",
    metadata,
    Column("id", RowId, primary_key=True),
    moment("at"),
    Column("group_id", BigInteger),
    Column("tenant_id", Text),
    Column("channel", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("notification_id", BigInteger),
    Column("error", Text),
)
Index("ix_alert_notices_group", alert_notices.c.group_id, alert_notices.c.id)
# How much a channel was told lately.
Index("ix_alert_notices_channel", alert_notices.c.channel, alert_notices.c.at)
HELD = "held AND notification_id IS NULL"
Index("ix_alert_notices_held", alert_notices.c.channel, sqlite_where=text(HELD), postgresql_where=text(HELD))

# `next_at`: when it begins or ends; none once it is over.
silences = Table(
    "silences",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("tenant_id", Text),
    Column("matchers", JsonText, nullable=False),
    moment("starts_at"),
    moment("ends_at"),
    moment("next_at", nullable=True),
    Column("comment", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    moment("created_at"),
    Column("ended_by", Text),
)
Index(
    "ix_silences_next",
    silences.c.next_at,
    sqlite_where=text("next_at IS NOT NULL"),
    postgresql_where=text("next_at IS NOT NULL"),
)
