"""A delivery has one state and the time when it ended; whoever saved a webhook last is its owner.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

OPEN = "state IN ('waiting', 'sending')"
NEW_INDEXES = {"open": OPEN, "open_tests": f"event = 'webhook.test' AND {OPEN}", "sending": "state = 'sending'"}
OLD_INDEXES = {
    "waiting": "next_attempt_at IS NOT NULL",
    "waiting_tests": "event = 'webhook.test' AND next_attempt_at IS NOT NULL",
    "taken": "claimed_at IS NOT NULL",
}


def upgrade() -> None:
    _drop_indexes(OLD_INDEXES)
    op.add_column("webhook_deliveries", sa.Column("state", sa.String(length=32), nullable=True))
    op.add_column("webhook_deliveries", sa.Column("ended_at", portal.db.UTCDateTime(), nullable=True))
    op.execute(
        "UPDATE webhook_deliveries SET ended_at = COALESCE(delivered_at, gave_up_at), state = CASE "
        "WHEN delivered_at IS NOT NULL THEN 'delivered' "
        "WHEN gave_up_at = answered_at THEN 'failed' "
        "WHEN gave_up_at IS NOT NULL THEN 'dropped' "
        "WHEN claimed_at IS NOT NULL THEN 'sending' ELSE 'waiting' END"
    )
    op.execute("UPDATE webhook_deliveries SET next_attempt_at = NULL WHERE ended_at IS NOT NULL")
    with op.batch_alter_table("webhook_deliveries", schema=None) as batch_op:
        batch_op.alter_column("state", existing_type=sa.String(length=32), nullable=False)
        batch_op.drop_column("delivered_at")
        batch_op.drop_column("gave_up_at")
    _create_indexes(NEW_INDEXES)
    _rename_person("created_by_uuid", "owner_uuid")


def downgrade() -> None:
    _rename_person("owner_uuid", "created_by_uuid")
    _drop_indexes(NEW_INDEXES)
    op.add_column("webhook_deliveries", sa.Column("delivered_at", portal.db.UTCDateTime(), nullable=True))
    op.add_column("webhook_deliveries", sa.Column("gave_up_at", portal.db.UTCDateTime(), nullable=True))
    op.execute("UPDATE webhook_deliveries SET delivered_at = ended_at WHERE state = 'delivered'")
    op.execute("UPDATE webhook_deliveries SET gave_up_at = ended_at WHERE state IN ('failed', 'dropped')")
    op.drop_column("webhook_deliveries", "state")
    op.drop_column("webhook_deliveries", "ended_at")
    _create_indexes(OLD_INDEXES)


def _drop_indexes(indexes: dict[str, str]) -> None:
    for name in indexes:
        op.drop_index(f"ix_webhook_deliveries_{name}", "webhook_deliveries")


def _create_indexes(indexes: dict[str, str]) -> None:
    columns = ["endpoint_uuid", "next_attempt_at"]
    for name, which in indexes.items():
        these = sa.text(which)
        op.create_index(
            f"ix_webhook_deliveries_{name}", "webhook_deliveries", columns, sqlite_where=these, postgresql_where=these
        )


def _rename_person(old: str, new: str) -> None:
    with op.batch_alter_table("webhook_endpoints", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f(f"fk_webhook_endpoints_{old}"), type_="foreignkey")
        batch_op.alter_column(old, new_column_name=new, existing_type=sa.Uuid(), existing_nullable=True)
    with op.batch_alter_table("webhook_endpoints", schema=None) as batch_op:
        batch_op.create_foreign_key(
            batch_op.f(f"fk_webhook_endpoints_{new}"), "users", [new], ["uuid"], ondelete="SET NULL"
        )
