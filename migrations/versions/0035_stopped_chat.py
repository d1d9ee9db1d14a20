"""Since when a moderator has stopped the chat of a run for all others. In no run so far it was.

Revision ID: 0035
Revises: 0034
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("room_sessions", sa.Column("chat_stopped_at", portal.db.UTCDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("room_sessions", "chat_stopped_at")
