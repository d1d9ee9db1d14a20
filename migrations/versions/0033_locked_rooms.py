"""Since when a moderator keeps a room locked, so that nobody else enters its run. No run so far is locked.

Revision ID: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("room_sessions", sa.Column("locked_at", portal.db.UTCDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("room_sessions", "locked_at")
