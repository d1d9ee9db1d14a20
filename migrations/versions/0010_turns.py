"""Whose turn it is among webhooks: each knows when it was served, and indexes find what waits and what is taken."""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_webhook_deliveries_waiting": "next_attempt_at IS NOT NULL",
    "ix_webhook_deliveries_waiting_tests": "event = 'webhook.test' AND next_attempt_at IS NOT NULL",
    "ix_webhook_deliveries_taken": "claimed_at IS NOT NULL",
}


def upgrade() -> None:
    op.add_column("webhook_endpoints", sa.Column("served_at", portal.db.UTCDateTime(), nullable=True))
    op.add_column("webhook_endpoints", sa.Column("slow", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.drop_index("ix_webhook_deliveries_next_attempt_at", "webhook_deliveries")
    for name, which in INDEXES.items():
        columns, these = ["endpoint_uuid", "next_attempt_at"], sa.text(which)
        op.create_index(name, "webhook_deliveries", columns, sqlite_where=these, postgresql_where=these)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "webhook_deliveries")
    op.create_index("ix_webhook_deliveries_next_attempt_at", "webhook_deliveries", ["next_attempt_at"])
    op.drop_column("webhook_endpoints", "slow")
    op.drop_column("webhook_endpoints", "served_at")
