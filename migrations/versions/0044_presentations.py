"""Presentations of rooms: files that their services show from the beginning.

Revision ID: 0044
Revises: 0043
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = portal.db.UTCDateTime()
    op.create_table(
        "room_presentations",
        sa.Column("room_uuid", sa.Uuid()),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("id", sa.String(10), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["room_uuid"], ["rooms.uuid"], op.f("fk_room_presentations_room_uuid"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_room_presentations")),
        sa.UniqueConstraint("id", name=op.f("uq_room_presentations_id")),
        sa.UniqueConstraint("room_uuid", name=op.f("uq_room_presentations_room_uuid")),
    )


def downgrade() -> None:
    op.drop_table("room_presentations")
