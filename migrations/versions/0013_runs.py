"""Runs know who drives them and on which provider row they started; statuses are polled and carry labelled counts.

Revision ID: 0013
Revises: 0012
"""

import json

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

COUNTS = {"moderator": "moderators", "attendee": "attendees", "guest": "guests"}
LABELS = {"participants": "Participants", "moderators": "Moderators", "attendees": "Attendees", "guests": "Guests"}


def upgrade() -> None:
    with op.batch_alter_table("room_sessions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("driver", sa.String(length=32), nullable=False, server_default="presence"))
        batch_op.add_column(sa.Column("provider_uuid", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("external", sa.String(length=255), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("end_wanted", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.create_foreign_key(
            batch_op.f("fk_room_sessions_provider_uuid"),
            "service_providers",
            ["provider_uuid"],
            ["uuid"],
            ondelete="SET NULL",
        )
        batch_op.create_index("ix_room_sessions_provider_uuid_external", ["provider_uuid", "external"])
    wanted = sa.text("end_wanted")
    op.create_index(
        "ix_room_sessions_end_wanted", "room_sessions", ["ended_at"], sqlite_where=wanted, postgresql_where=wanted
    )
    op.execute(
        "UPDATE room_sessions SET provider_uuid = (SELECT subscriptions.provider_uuid FROM subscriptions "
        "JOIN rooms ON rooms.subscription_uuid = subscriptions.uuid WHERE rooms.uuid = room_sessions.room_uuid)"
    )
    op.add_column("participations", sa.Column("expected_at", portal.db.UTCDateTime(), nullable=True))
    op.add_column("room_statuses", sa.Column("labels", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("room_statuses", sa.Column("next_look_at", portal.db.UTCDateTime(), nullable=True))
    op.add_column("room_statuses", sa.Column("misses", sa.Integer(), nullable=False, server_default="0"))
    waiting = sa.text("next_look_at IS NOT NULL")
    op.create_index(
        "ix_room_statuses_next_look_at",
        "room_statuses",
        ["next_look_at"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    _rewrite_counts(COUNTS, LABELS)


def downgrade() -> None:
    _rewrite_counts({new: old for old, new in COUNTS.items()}, {})
    op.drop_index("ix_room_statuses_next_look_at", table_name="room_statuses")
    for column in ("misses", "next_look_at", "labels"):
        op.drop_column("room_statuses", column)
    op.drop_column("participations", "expected_at")
    with op.batch_alter_table("room_sessions", schema=None) as batch_op:
        batch_op.drop_index("ix_room_sessions_end_wanted")
        batch_op.drop_index("ix_room_sessions_provider_uuid_external")
        batch_op.drop_constraint(batch_op.f("fk_room_sessions_provider_uuid"), type_="foreignkey")
        for column in ("end_wanted", "external", "provider_uuid", "driver"):
            batch_op.drop_column(column)


def _rewrite_counts(keys: dict[str, str], labels: dict[str, str]) -> None:
    """Call the figures of rooms in which somebody is by other keys; idle rooms have none."""
    statuses = sa.table(
        "room_statuses",
        sa.column("room_uuid", sa.Uuid()),
        sa.column("count", sa.Integer()),
        sa.column("counts", sa.JSON()),
        sa.column("labels", sa.JSON()),
    )
    connection = op.get_bind()
    live = connection.execute(
        sa.select(statuses.c.room_uuid, statuses.c.count, statuses.c.counts).where(statuses.c.count > 0)
    ).all()
    for room_uuid, count, counts in live:
        known = json.loads(counts) if isinstance(counts, str) else counts
        figures = {new: known.get(old, 0) for old, new in keys.items()}
        if labels:
            figures = {"participants": count, **figures}
        connection.execute(
            sa.update(statuses).where(statuses.c.room_uuid == room_uuid).values(counts=figures, labels=labels)
        )
