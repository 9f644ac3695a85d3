"""When a dead letter died elsewhere, and an index for workers that take certain kinds only.

Some stores at 0006 have both already.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEPT = (
    "id, tenant_id, queue, event_type, status, error_class, error_code, error_message, group_id, attempts, retries, "
    "run_id, retry_run_id, exception_id, source_id, created_at, updated_at, expires_at, version, payload, metadata, "
    "detail"
)
INDEXES = {
    "created": ["created_at", "id"],
    "error": ["error_code", "id"],
    "exception": ["exception_id"],
    "expires": ["expires_at"],
    "group": ["group_id", "id"],
    "queue": ["queue", "id"],
    "run": ["run_id"],
    "source": ["queue", "source_id", "tenant_id"],
    "status": ["status", "id"],
    "tenant": ["tenant_id", "id"],
    "type": ["event_type", "id"],
}
PARTIAL = {"exception": "exception_id", "run": "run_id", "source": "source_id"}


def upgrade() -> None:
    there = sa.inspect(op.get_bind())
    if "ix_runs_waiting_kind" not in {index["name"] for index in there.get_indexes("runs")}:
        op.create_index(
            "ix_runs_waiting_kind",
            "runs",
            ["queue", "kind", "priority", "run_at", "id"],
            sqlite_where=sa.text("status = 'waiting'"),
            postgresql_where=sa.text("status = 'waiting'"),
        )
    if "died_at" in {column["name"] for column in there.get_columns("dead_letters")}:
        return
    if op.get_bind().dialect.name == "sqlite":
        _rebuild_dead_letters()
    else:
        op.add_column("dead_letters", sa.Column("died_at", sa.BigInteger(), nullable=True))


def _rebuild_dead_letters() -> None:
    """SQLite adds no column before others."""
    for name in INDEXES:
        op.drop_index(f"ix_dead_letters_{name}", "dead_letters")
    op.rename_table("dead_letters", "dead_letters_before")
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error_class", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=False),
        sa.Column("error_message", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("retries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("retry_run_id", sa.BigInteger(), nullable=True),
        sa.Column("exception_id", sa.BigInteger(), nullable=True),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("died_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
        sqlite_autoincrement=True,
    )
    op.execute(f"INSERT INTO dead_letters ({KEPT}) SELECT {KEPT} FROM dead_letters_before")
    # No id is given twice: what is counted on from is the newest that ever was.
    op.execute("DELETE FROM sqlite_sequence WHERE name = 'dead_letters'")
    op.execute("UPDATE sqlite_sequence SET name = 'dead_letters' WHERE name = 'dead_letters_before'")
    op.drop_table("dead_letters_before")
    for name, columns in INDEXES.items():
        where = sa.text(f"{PARTIAL[name]} IS NOT NULL") if name in PARTIAL else None
        op.create_index(
            f"ix_dead_letters_{name}",
            "dead_letters",
            columns,
            unique=name in ("run", "source"),
            sqlite_where=where,
        )


def downgrade() -> None:
    raise NotImplementedError("a store is copied aside before it is migrated; go back to that copy")
