"""Since when a service answers, its version, when it was tested, and how busy it is. Nothing of that is known yet.

Revision ID: 0041
Revises: 0040
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

TABLE = "service_providers"
COUNTS = ("counts", "labels")


def _columns() -> list[sa.Column[Any]]:
    return [
        *(sa.Column(name, portal.db.UTCDateTime(), nullable=True) for name in ("up_since", "tested_at", "counted_at")),
        sa.Column("version", sa.String(40), nullable=True),
        *(sa.Column(name, sa.JSON(), nullable=False, server_default="{}") for name in COUNTS),
    ]


def upgrade() -> None:
    for column in _columns():
        op.add_column(TABLE, column)
    with op.batch_alter_table(TABLE) as batch:
        for name in COUNTS:
            batch.alter_column(name, existing_type=sa.JSON(), server_default=None)


def downgrade() -> None:
    for column in _columns():
        op.drop_column(TABLE, column.name)
