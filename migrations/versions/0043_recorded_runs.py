"""Whether a run may be recorded, and whether a service refused the name of a recording.

Revision ID: 0043
Revises: 0042
"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("room_sessions", sa.Column("recording", sa.String(32), nullable=True))
    with op.batch_alter_table("recordings") as table:
        table.add_column(sa.Column("rename_refused", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("recordings") as table:
        table.alter_column("rename_refused", server_default=None)


def downgrade() -> None:
    op.drop_column("recordings", "rename_refused")
    op.drop_column("room_sessions", "recording")
