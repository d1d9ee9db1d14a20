"""An index of a subscription's people who are in that PostgreSQL does not take for one of a room's people.

The one before had only open participations, none by the planner's figures as long as nobody is in. So it was read from
end to end, by each who entered any room, where few of its entries were of that room.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLE = "participations"
BEFORE, AFTER = "ix_participations_subscription_present", "ix_participations_subscription_uuid_left_at"


def upgrade() -> None:
    op.drop_index(BEFORE, TABLE)
    op.create_index(AFTER, TABLE, ["subscription_uuid", "left_at"])


def downgrade() -> None:
    op.drop_index(AFTER, TABLE)
    present = sa.text("left_at IS NULL")
    op.create_index(BEFORE, TABLE, ["subscription_uuid"], sqlite_where=present, postgresql_where=present)
