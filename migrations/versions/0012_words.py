"""Tables are called what the code calls them: throttle buckets, idempotent requests, submitted forms, join tickets.

Copied into new tables, so that constraints and indexes get the new names on both databases; nobody refers to them.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def _keyed(table: str, *columns: sa.Column[object], index: str) -> None:
    op.create_table(
        table,
        sa.Column("key", sa.String(length=64), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("key", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_{index}"), table, [index])


def _throttling(table: str) -> None:
    _keyed(
        table,
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("factor", sa.Integer(), nullable=False),
        sa.Column("resets_at", sa.Double(), nullable=False),
        index="resets_at",
    )


def _requests(table: str) -> None:
    _keyed(
        table,
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", portal.db.UTCDateTime(), nullable=False),
        index="at",
    )


def _forms(table: str, redirect: str) -> None:
    _keyed(
        table,
        sa.Column(redirect, sa.String(length=500), nullable=False),
        sa.Column("at", portal.db.UTCDateTime(), nullable=False),
        index="at",
    )


def _tickets(table: str) -> None:
    references = (
        ("room_uuid", "rooms", "CASCADE", False),
        ("token_uuid", "room_tokens", "CASCADE", True),
        ("user_uuid", "users", "CASCADE", True),
        ("access_code_uuid", "access_codes", "SET NULL", True),
        ("grant_uuid", "oauth_grants", "CASCADE", True),
    )
    op.create_table(
        table,
        sa.Column("uuid", sa.Uuid(), nullable=False),
        *(sa.Column(column, sa.Uuid(), nullable=nullable) for column, _, _, nullable in references),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("expires_at", portal.db.UTCDateTime(), nullable=False),
        sa.Column("used_at", portal.db.UTCDateTime(), nullable=True),
        *(
            sa.ForeignKeyConstraint([column], [f"{to}.uuid"], name=op.f(f"fk_{table}_{column}"), ondelete=ondelete)
            for column, to, ondelete, _ in references
        ),
        sa.PrimaryKeyConstraint("uuid", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("secret_hash", name=op.f(f"uq_{table}_secret_hash")),
    )
    for column in ("room_uuid", "expires_at"):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


_TICKET_COLUMNS = (
    "uuid, room_uuid, token_uuid, user_uuid, access_code_uuid, grant_uuid, "
    "secret_hash, scopes, name, expires_at, used_at"
)


def _copy(old: str, new: str, columns: str, renamed: str = "") -> None:
    op.execute(f"INSERT INTO {new} ({renamed or columns}) SELECT {columns} FROM {old}")  # noqa: S608  (names of ours)
    op.drop_table(old)


def upgrade() -> None:
    _throttling("throttle_buckets")
    _copy("tries", "throttle_buckets", "key, used, factor, resets_at")
    _requests("idempotent_requests")
    _copy("answered", "idempotent_requests", "key, request, answer, at")
    _forms("submitted_forms", "redirect")
    _copy("sendings", "submitted_forms", "key, led_to, at", "key, redirect, at")
    _tickets("join_tickets")
    _copy("entries", "join_tickets", _TICKET_COLUMNS)
    op.alter_column("audit_events", "facts", new_column_name="details")


def downgrade() -> None:
    op.alter_column("audit_events", "details", new_column_name="facts")
    _tickets("entries")
    _copy("join_tickets", "entries", _TICKET_COLUMNS)
    _forms("sendings", "led_to")
    _copy("submitted_forms", "sendings", "key, redirect, at", "key, led_to, at")
    _requests("answered")
    _copy("idempotent_requests", "answered", "key, request, answer, at")
    _throttling("tries")
    _copy("throttle_buckets", "tries", "key, used, factor, resets_at")
