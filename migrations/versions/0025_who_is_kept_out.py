"""An index of those who were removed from a run and not let in again, of whom there are few.

Everybody who entered, or looked at the page before, was compared with all who had come into the running run.

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TABLE, INDEX = "participations", "ix_participations_kept_out"


def upgrade() -> None:
    kept_out = sa.text("ending = 'removed' AND readmitted_at IS NULL")
    op.create_index(INDEX, TABLE, ["session_uuid"], sqlite_where=kept_out, postgresql_where=kept_out)


def downgrade() -> None:
    op.drop_index(INDEX, TABLE)
