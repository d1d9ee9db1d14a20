"""Messages that participants write in a conference."""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0030"
down_revision = "0029"

REFERENCES = {"session_uuid": "room_sessions", "sender_uuid": "participations", "receiver_uuid": "participations"}


def upgrade() -> None:
    op.create_table(
        "chat_messages",
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("id", sa.String(10), nullable=False),
        sa.Column("session_uuid", sa.Uuid(), nullable=False),
        sa.Column("sender_uuid", sa.Uuid(), nullable=False),
        sa.Column("receiver_uuid", sa.Uuid()),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("text", sa.String(2000), nullable=False),
        sa.Column("sent_at", portal.db.UTCDateTime(), nullable=False),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.uuid"], op.f(f"fk_chat_messages_{column}"), ondelete="CASCADE")
            for column, table in REFERENCES.items()
        ),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_chat_messages")),
        sa.UniqueConstraint("id", name=op.f("uq_chat_messages_id")),
        sa.UniqueConstraint("sender_uuid", "key", name="uq_chat_messages_sender_uuid_key"),
    )
    op.create_index("ix_chat_messages_receiver_uuid", "chat_messages", ["receiver_uuid"])
    op.create_index("ix_chat_messages_session_uuid_uuid", "chat_messages", ["session_uuid", "uuid"])


def downgrade() -> None:
    op.drop_table("chat_messages")
