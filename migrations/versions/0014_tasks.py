"""Long work: a table of tasks, each with its lease."""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATES = ("waiting", "running", "done", "failed", "cancelled")


def upgrade() -> None:
    op.create_table(
        "tasks",
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("subject_uuid", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Enum(*STATES, name="taskstate", native_enum=False, length=32), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=True),
        sa.Column("message", sa.String(length=500), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=10), nullable=True),
        sa.Column("lease_until", portal.db.UTCDateTime(), nullable=True),
        sa.Column("cancel_requested_at", portal.db.UTCDateTime(), nullable=True),
        sa.Column("created_at", portal.db.UTCDateTime(), nullable=False),
        sa.Column("started_at", portal.db.UTCDateTime(), nullable=True),
        sa.Column("ended_at", portal.db.UTCDateTime(), nullable=True),
        sa.Column("created_by_uuid", sa.Uuid(), nullable=True),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("id", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by_uuid"], ["users.uuid"], name=op.f("fk_tasks_created_by_uuid"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_tasks")),
        sa.UniqueConstraint("id", name=op.f("uq_tasks_id")),
    )
    op.create_index(op.f("ix_tasks_ended_at"), "tasks", ["ended_at"])
    held = sa.text("lease_until IS NOT NULL")
    op.create_index("ix_tasks_lease_until", "tasks", ["lease_until"], sqlite_where=held, postgresql_where=held)


def downgrade() -> None:
    op.drop_table("tasks")
