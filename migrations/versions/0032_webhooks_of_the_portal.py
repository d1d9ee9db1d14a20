"""Webhooks of the portal itself, which have no customer."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    with op.batch_alter_table("webhook_endpoints") as batch_op:
        batch_op.alter_column("customer_uuid", existing_type=sa.Uuid(), nullable=True)


def downgrade() -> None:
    of_the_portal = "(SELECT uuid FROM webhook_endpoints WHERE customer_uuid IS NULL)"
    for table, column in (("webhook_deliveries", "endpoint_uuid"), ("webhook_endpoints", "uuid")):
        op.execute(f"DELETE FROM {table} WHERE {column} IN {of_the_portal}")  # noqa: S608  (constants)
    with op.batch_alter_table("webhook_endpoints") as batch_op:
        batch_op.alter_column("customer_uuid", existing_type=sa.Uuid(), nullable=False)
