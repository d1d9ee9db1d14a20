"""Broadcasts of live rooms: one for each run, its connections, and its journal of segments.

Revision ID: 0047
Revises: 0046
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

STATE = sa.Enum("starting", "live", "interrupted", "ending", "ended", native_enum=False, length=32)
ENDING = sa.Enum(
    "restarted", "broken", "replaced", "taken_over", "stopped", "unusable", "left", native_enum=False, length=32
)  # fmt: skip


def _foreign(table: str, column: str, to: str, key: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.{key}"], op.f(f"fk_{table}_{column}"), ondelete=ondelete)


def upgrade() -> None:
    moment = portal.db.UTCDateTime()
    op.create_table(
        "broadcasts",
        sa.Column("session_uuid", sa.Uuid(), nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("segment_milliseconds", sa.Integer(), nullable=False),
        sa.Column("dvr_minutes", sa.Integer(), nullable=False),
        sa.Column("grace_seconds", sa.Integer(), nullable=False),
        sa.Column("latest_number", sa.Integer(), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("breaks", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("claims", sa.Integer(), nullable=False),
        sa.Column("lease_host", sa.String(255), nullable=False),
        sa.Column("lease_worker", sa.String(40), nullable=False),
        sa.Column("lease_until", moment),
        _foreign("broadcasts", "session_uuid", "room_sessions", "uuid", "CASCADE"),
        sa.PrimaryKeyConstraint("session_uuid", name=op.f("pk_broadcasts")),
    )
    leased = sa.text("lease_until IS NOT NULL")
    op.create_index(
        "ix_broadcasts_lease_until", "broadcasts", ["lease_until"], sqlite_where=leased, postgresql_where=leased
    )
    op.create_table(
        "broadcast_connections",
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("id", sa.String(10), nullable=False),
        sa.Column("session_uuid", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("participation_uuid", sa.Uuid()),
        sa.Column("mime", sa.String(100), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("ended_at", moment),
        sa.Column("ending", ENDING),
        sa.Column("error", sa.String(300), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        _foreign("broadcast_connections", "session_uuid", "broadcasts", "session_uuid", "CASCADE"),
        _foreign("broadcast_connections", "participation_uuid", "participations", "uuid", "SET NULL"),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_broadcast_connections")),
        sa.UniqueConstraint("id", name=op.f("uq_broadcast_connections_id")),
        sa.UniqueConstraint("session_uuid", "number", name=op.f("uq_broadcast_connections_session_uuid_number")),
    )
    still_open = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_broadcast_connections_open", "broadcast_connections", ["session_uuid"],
        unique=True, sqlite_where=still_open, postgresql_where=still_open,
    )  # fmt: skip
    op.create_index("ix_broadcast_connections_participation_uuid", "broadcast_connections", ["participation_uuid"])
    op.create_table(
        "journal_segments",
        sa.Column("session_uuid", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("connection_uuid", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("breaks", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        _foreign("journal_segments", "session_uuid", "broadcasts", "session_uuid", "CASCADE"),
        _foreign("journal_segments", "connection_uuid", "broadcast_connections", "uuid", "CASCADE"),
        sa.PrimaryKeyConstraint("session_uuid", "sequence", name=op.f("pk_journal_segments")),
    )
    op.create_index("ix_journal_segments_connection_uuid", "journal_segments", ["connection_uuid"])


def downgrade() -> None:
    for table in ("journal_segments", "broadcast_connections", "broadcasts"):
        op.drop_table(table)
