"""The audit says through which program somebody acted, and on whose behalf.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_SAID = ("client_uuid", "on_behalf_of_uuid")


def upgrade() -> None:
    for column in _SAID:
        op.add_column("audit_events", sa.Column(column, sa.Uuid(), nullable=True))


def downgrade() -> None:
    for column in _SAID:
        op.drop_column("audit_events", column)
