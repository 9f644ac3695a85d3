"""Rules, channels and limits have a version, which every change raises; a limit that is forgotten keeps its own."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("alert_rules", "notification_channels", "usage_limits"):
        op.add_column(table, sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("usage_limits", sa.Column("deleted_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("a store is copied aside before it is migrated; go back to that copy")
