"""Whom a program lets in is no more than the program: its grant and scopes are kept with entries and stays."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("grant_uuid", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("scopes", sa.JSON(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_entries_grant_uuid"), "oauth_grants", ["grant_uuid"], ["uuid"], ondelete="CASCADE"
        )
    op.add_column("participations", sa.Column("scopes", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("participations", "scopes")
    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_entries_grant_uuid"), type_="foreignkey")
        batch_op.drop_column("scopes")
        batch_op.drop_column("grant_uuid")
