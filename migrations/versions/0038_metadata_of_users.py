"""What programs store with a user. Users so far have nothing.

Revision ID: 0038
Revises: 0037
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("user_metadata", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("users") as users:
        users.alter_column("user_metadata", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.drop_column("user_metadata")
