"""From where somebody acted; of which end of a subscription staff were warned; indexes for lists of both."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

NARROWED_BY = ("actor_uuid", "on_behalf_of_uuid")
SORTED_BY = ("created_at", "ends_at")


def upgrade() -> None:
    op.add_column("audit_events", sa.Column("network", sa.String(45)))
    op.drop_index("ix_audit_events_at", "audit_events")
    op.create_index("ix_audit_events_at_uuid", "audit_events", ["at", "uuid"])
    for column in NARROWED_BY:
        there = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_audit_events_{column}_at_uuid",
            "audit_events",
            [column, "at", "uuid"],
            sqlite_where=there,
            postgresql_where=there,
        )
    op.add_column("subscriptions", sa.Column("warned_days", sa.Integer()))
    op.create_index("ix_subscriptions_cancels_at", "subscriptions", ["cancels_at"])
    for column in SORTED_BY:
        op.create_index(f"ix_subscriptions_{column}_uuid", "subscriptions", [column, "uuid"])


def downgrade() -> None:
    for column in SORTED_BY:
        op.drop_index(f"ix_subscriptions_{column}_uuid", "subscriptions")
    op.drop_index("ix_subscriptions_cancels_at", "subscriptions")
    op.drop_column("subscriptions", "warned_days")
    for column in NARROWED_BY:
        op.drop_index(f"ix_audit_events_{column}_at_uuid", "audit_events")
    op.drop_index("ix_audit_events_at_uuid", "audit_events")
    op.create_index("ix_audit_events_at", "audit_events", ["at"])
    op.drop_column("audit_events", "network")
