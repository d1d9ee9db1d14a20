"""Links by which somebody who has no password sets the first one.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLE = "password_links"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("user_uuid", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", portal.db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_uuid"], ["users.uuid"], name=op.f(f"fk_{TABLE}_user_uuid"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_uuid", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint("token_hash", name=op.f(f"uq_{TABLE}_token_hash")),
    )
    op.create_index(op.f(f"ix_{TABLE}_expires_at"), TABLE, ["expires_at"])


def downgrade() -> None:
    op.drop_table(TABLE)
