"""Moderators' answers to guests who wait in the lobby. Rooms that refuse guests, or accept them, go on as before.

Revision ID: 0034
Revises: 0033
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

REFERENCES = {
    "session_uuid": ("room_sessions", "CASCADE"),
    "user_uuid": ("users", "SET NULL"),
    "token_uuid": ("room_tokens", "SET NULL"),
}


def upgrade() -> None:
    op.create_table(
        "lobby_answers",
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("id", sa.String(10), nullable=False),
        sa.Column("session_uuid", sa.Uuid(), nullable=False),
        sa.Column("waiter", sa.String(64), nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("user_uuid", sa.Uuid()),
        sa.Column("token_uuid", sa.Uuid()),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("admitted", sa.Boolean(), nullable=False),
        sa.Column("answered_at", portal.db.UTCDateTime(), nullable=False),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.uuid"], op.f(f"fk_lobby_answers_{column}"), ondelete=rule)
            for column, (table, rule) in REFERENCES.items()
        ),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_lobby_answers")),
        sa.UniqueConstraint("id", name=op.f("uq_lobby_answers_id")),
        sa.UniqueConstraint("session_uuid", "waiter", name=op.f("uq_lobby_answers_session_uuid_waiter")),
    )


def downgrade() -> None:
    op.drop_table("lobby_answers")
