"""Somebody whom a moderator removed may be let in again: when that was. Those removed so far are kept out as before.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("participations", sa.Column("readmitted_at", portal.db.UTCDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("participations", "readmitted_at")
