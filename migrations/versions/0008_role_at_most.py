"""What a program may is the most that somebody is whom it let in."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ROLE = sa.Enum("moderator", "attendee", "guest", name="role", native_enum=False, length=32)


def upgrade() -> None:
    for table in ("entries", "participations"):
        op.add_column(table, sa.Column("role_at_most", ROLE, nullable=True))


def downgrade() -> None:
    for table in ("participations", "entries"):
        op.drop_column(table, "role_at_most")
