"""forms that were sent and acted upon; accounts whose password everybody knows."""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sendings",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("led_to", sa.String(length=500), nullable=False),
        sa.Column("at", portal.db.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sendings")),
    )
    op.create_index(op.f("ix_sendings_at"), "sendings", ["at"])
    op.add_column("users", sa.Column("password_is_public", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("users", "password_is_public")
    op.drop_index(op.f("ix_sendings_at"), table_name="sendings")
    op.drop_table("sendings")
