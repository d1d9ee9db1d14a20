"""Since when a moderator has stopped the screen sharing of a run. In no run so far one has.

Revision ID: 0037
Revises: 0036
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("room_sessions", sa.Column("sharing_stopped_at", portal.db.UTCDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("room_sessions", "sharing_stopped_at")
