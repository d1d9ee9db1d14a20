"""Who issued a password link: it ends when somebody else gives its person a right.

Of older links nobody knows it, so any right ends them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("password_links", sa.Column("issued_by_uuid", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("password_links", "issued_by_uuid")
