"""Rules, alerts and their groups, notices, silences."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "alert_rules",
        sa.Column("id", row_id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("evaluated_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_rules")),
    )
    op.create_table(
        "alerts",
        sa.Column("id", row_id, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.Column("rule_id", sa.BigInteger(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("threshold", sa.Float(), nullable=True),
        sa.Column("pending_at", sa.BigInteger(), nullable=True),
        sa.Column("starts_at", sa.BigInteger(), nullable=True),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("held_until", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("changes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=True),
        sa.Column("sent", sa.Text(), nullable=True),
        sa.Column("acked_by", sa.Text(), nullable=True),
        sa.Column("acked_at", sa.BigInteger(), nullable=True),
        sa.Column("acked_until", sa.BigInteger(), nullable=True),
        sa.Column("acked_value", sa.Float(), nullable=True),
        sa.Column("silenced_by", sa.BigInteger(), nullable=True),
        sa.Column("inhibited_by", sa.BigInteger(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("annotations", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sqlite_autoincrement=True,
    )
    where = sa.text("acked_until IS NOT NULL")
    op.create_index("ix_alerts_acked", "alerts", ["acked_until"], sqlite_where=where, postgresql_where=where)
    where = sa.text("state = 'firing' AND ends_at IS NOT NULL")
    op.create_index("ix_alerts_expiring", "alerts", ["ends_at"], sqlite_where=where, postgresql_where=where)
    op.create_index("ix_alerts_fingerprint", "alerts", ["fingerprint", "resolved_at"])
    op.create_index(
        "ix_alerts_group", "alerts", ["group_id", "state", "sent", "silenced_by", "inhibited_by", "acked_until"]
    )
    where = sa.text("held_until IS NOT NULL")
    op.create_index("ix_alerts_held", "alerts", ["held_until"], sqlite_where=where, postgresql_where=where)
    where = sa.text("inhibited_by IS NOT NULL")
    op.create_index("ix_alerts_inhibited", "alerts", ["inhibited_by"], sqlite_where=where, postgresql_where=where)
    op.create_index("ix_alerts_name", "alerts", ["name", "id"])
    where = sa.text("(state IN ('pending', 'firing') OR held_until IS NOT NULL)")
    op.create_index(
        "ix_alerts_open", "alerts", ["fingerprint"], unique=True, sqlite_where=where, postgresql_where=where
    )
    op.create_index("ix_alerts_resolved", "alerts", ["resolved_at"])
    op.create_index("ix_alerts_rule", "alerts", ["rule_id", "state", "id"])
    where = sa.text("(state IN ('pending', 'firing') OR held_until IS NOT NULL)")
    op.create_index("ix_alerts_rule_open", "alerts", ["rule_id"], sqlite_where=where, postgresql_where=where)
    op.create_index("ix_alerts_severity", "alerts", ["severity", "state", "id"])
    where = sa.text("silenced_by IS NOT NULL")
    op.create_index("ix_alerts_silenced", "alerts", ["silenced_by"], sqlite_where=where, postgresql_where=where)
    op.create_index("ix_alerts_starts", "alerts", ["starts_at"])
    op.create_index("ix_alerts_state", "alerts", ["state", "id"])
    op.create_index("ix_alerts_tenant", "alerts", ["tenant_id", "state", "id"])
    op.create_table(
        "alert_events",
        sa.Column("id", row_id, nullable=False),
        sa.Column("alert_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_events")),
    )
    op.create_index("ix_alert_events_alert", "alert_events", ["alert_id", "id"])
    op.create_table(
        "alert_values",
        sa.Column("alert_id", row_id, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", "at", name=op.f("pk_alert_values")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alert_groups",
        sa.Column("id", row_id, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("sent_kind", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_groups")),
    )
    op.create_index("ix_alert_groups_key", "alert_groups", ["key"], unique=True)
    where = sa.text("next_at IS NOT NULL")
    op.create_index("ix_alert_groups_next", "alert_groups", ["next_at"], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "alert_notices",
        sa.Column("id", row_id, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=True),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("notification_id", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_notices")),
    )
    op.create_index("ix_alert_notices_channel", "alert_notices", ["channel", "at"])
    op.create_index("ix_alert_notices_group", "alert_notices", ["group_id", "id"])
    where = sa.text("held AND notification_id IS NULL")
    op.create_index("ix_alert_notices_held", "alert_notices", ["channel"], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "silences",
        sa.Column("id", row_id, nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.Column("matchers", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silences")),
    )
    where = sa.text("next_at IS NOT NULL")
    op.create_index("ix_silences_next", "silences", ["next_at"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    raise NotImplementedError("a store is copied aside before it is migrated; go back to that copy")
