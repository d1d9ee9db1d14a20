"""Recordings of rooms, and when services are asked about those that they keep.

Revision ID: 0039
Revises: 0038
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

INDEXES = {  # of few rows each: name → column, condition
    "ix_recordings_tell_at": (["tell_at"], "tell_at IS NOT NULL", False),
    "ix_recordings_expires_at": (["expires_at"], "expires_at IS NOT NULL", False),
    "uq_recordings_provider_uuid_external": (["provider_uuid", "external"], "external <> ''", True),
}


def upgrade() -> None:
    moment = portal.db.UTCDateTime()
    op.create_table(
        "recordings",
        sa.Column("room_uuid", sa.Uuid()),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("provider_uuid", sa.Uuid()),
        sa.Column("external", sa.String(255), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("visibility", sa.String(32), nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("ended_at", moment),
        sa.Column("duration", sa.Integer()),
        sa.Column("size", sa.BigInteger()),
        sa.Column("formats", sa.JSON(), nullable=False),
        sa.Column("error", sa.String(200), nullable=False),
        sa.Column("ready_at", moment),
        sa.Column("expires_at", moment),
        sa.Column("deleted_at", moment),
        sa.Column("service_name", sa.String(200), nullable=False),
        sa.Column("service_published", sa.Boolean(), nullable=False),
        sa.Column("tell_at", moment),
        sa.Column("changed_at", moment),
        sa.Column("missed_at", moment),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("id", sa.String(10), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["room_uuid"], ["rooms.uuid"], op.f("fk_recordings_room_uuid"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["provider_uuid"], ["service_providers.uuid"], op.f("fk_recordings_provider_uuid"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_recordings")),
        sa.UniqueConstraint("id", name=op.f("uq_recordings_id")),
    )
    op.create_index("ix_recordings_room_uuid_started_at", "recordings", ["room_uuid", "started_at"])
    for name, (columns, condition, unique) in INDEXES.items():
        where = sa.text(condition)
        op.create_index(name, "recordings", columns, unique=unique, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "recording_looks",
        sa.Column("room_uuid", sa.Uuid(), nullable=False),
        sa.Column("provider_uuid", sa.Uuid(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("next_look_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["room_uuid"], ["rooms.uuid"], op.f("fk_recording_looks_room_uuid"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["provider_uuid"], ["service_providers.uuid"], op.f("fk_recording_looks_provider_uuid"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("room_uuid", "provider_uuid", name=op.f("pk_recording_looks")),
    )
    op.create_index("ix_recording_looks_next_look_at", "recording_looks", ["next_look_at"])
    op.add_column("rooms", sa.Column("first_recorded_at", moment, nullable=True))


def downgrade() -> None:
    op.drop_column("rooms", "first_recorded_at")
    op.drop_table("recording_looks")
    op.drop_table("recordings")
