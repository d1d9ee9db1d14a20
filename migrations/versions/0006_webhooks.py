"""webhooks out: endpoints, what is sent to them, and how many of a customer's listen."""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("webhooks", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.alter_column("webhooks", server_default=None)

    op.create_table(
        "webhook_endpoints",
        sa.Column("customer_uuid", sa.Uuid(), nullable=False),
        sa.Column("room_uuid", sa.Uuid(), nullable=True),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("secret_sealed", sa.Text(), nullable=False),
        sa.Column("old_secret_sealed", sa.Text(), nullable=True),
        sa.Column("old_secret_until", portal.db.UTCDateTime(), nullable=True),
        sa.Column(
            "status", sa.Enum("active", "paused", name="endpointstatus", native_enum=False, length=32), nullable=False
        ),
        sa.Column("paused_at", portal.db.UTCDateTime(), nullable=True),
        sa.Column(
            "paused_why", sa.Enum("asked", "gone", "failing", name="why", native_enum=False, length=32), nullable=True
        ),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("given_up", sa.Integer(), nullable=False),
        sa.Column("failing_since", portal.db.UTCDateTime(), nullable=True),
        sa.Column("created_by_uuid", sa.Uuid(), nullable=True),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("id", sa.String(length=10), nullable=False),
        sa.Column("created_at", portal.db.UTCDateTime(), nullable=False),
        sa.Column("updated_at", portal.db.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by_uuid"],
            ["users.uuid"],
            name=op.f("fk_webhook_endpoints_created_by_uuid"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["customer_uuid"], ["customers.uuid"], name=op.f("fk_webhook_endpoints_customer_uuid"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["room_uuid"], ["rooms.uuid"], name=op.f("fk_webhook_endpoints_room_uuid"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_webhook_endpoints")),
        sa.UniqueConstraint("id", name=op.f("uq_webhook_endpoints_id")),
    )
    with op.batch_alter_table("webhook_endpoints", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_endpoints_customer_uuid"), ["customer_uuid"], unique=False)
        batch_op.create_index(batch_op.f("ix_webhook_endpoints_room_uuid"), ["room_uuid"], unique=False)

    op.create_table(
        "webhook_deliveries",
        sa.Column("endpoint_uuid", sa.Uuid(), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("payload_sealed", sa.Text(), nullable=False),
        sa.Column("created_at", portal.db.UTCDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", portal.db.UTCDateTime(), nullable=True),
        sa.Column("claimed_at", portal.db.UTCDateTime(), nullable=True),
        sa.Column("delivered_at", portal.db.UTCDateTime(), nullable=True),
        sa.Column("gave_up_at", portal.db.UTCDateTime(), nullable=True),
        sa.Column("answered_at", portal.db.UTCDateTime(), nullable=True),
        sa.Column("answer_status", sa.Integer(), nullable=True),
        sa.Column("answer_body", sa.String(length=500), nullable=False),
        sa.Column("answer_milliseconds", sa.Integer(), nullable=True),
        sa.Column(
            "trouble",
            sa.Enum(
                "address",
                "not_public",
                "unknown_name",
                "unreachable",
                "untrusted",
                "slow",
                "garbled",
                name="trouble",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("id", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint_uuid"],
            ["webhook_endpoints.uuid"],
            name=op.f("fk_webhook_deliveries_endpoint_uuid"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint("endpoint_uuid", "message_id", name=op.f("uq_webhook_deliveries_endpoint_uuid_message_id")),
        sa.UniqueConstraint("id", name=op.f("uq_webhook_deliveries_id")),
    )
    with op.batch_alter_table("webhook_deliveries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_deliveries_created_at"), ["created_at"], unique=False)
        batch_op.create_index(
            "ix_webhook_deliveries_endpoint_uuid_created_at", ["endpoint_uuid", "created_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_webhook_deliveries_next_attempt_at"), ["next_attempt_at"], unique=False)


def downgrade() -> None:
    op.drop_table("webhook_deliveries")
    op.drop_table("webhook_endpoints")
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.drop_column("webhooks")
