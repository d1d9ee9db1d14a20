"""Since when guests wait in the lobby of a run, where a moderator has turned that on for it. In no run so far they do.

Revision ID: 0036
Revises: 0035
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("room_sessions", sa.Column("lobby_since", portal.db.UTCDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("room_sessions", "lobby_since")
