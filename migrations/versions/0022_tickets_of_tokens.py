"""A join ticket ends with the access token that issued it, not only with the token's grant.

Tickets last for minutes, so the table is made anew and those that are on their way have to be asked for again.

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLE = "join_tickets"


def _anew(column: str, to: str) -> None:
    op.drop_table(TABLE)
    references = (
        ("room_uuid", "rooms", "CASCADE", False),
        ("token_uuid", "room_tokens", "CASCADE", True),
        ("user_uuid", "users", "CASCADE", True),
        ("access_code_uuid", "access_codes", "SET NULL", True),
        (column, to, "CASCADE", True),
    )
    op.create_table(
        TABLE,
        sa.Column("uuid", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Uuid(), nullable=nullable) for name, _, _, nullable in references),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("expires_at", portal.db.UTCDateTime(), nullable=False),
        sa.Column("used_at", portal.db.UTCDateTime(), nullable=True),
        *(
            sa.ForeignKeyConstraint([name], [f"{table}.uuid"], name=op.f(f"fk_{TABLE}_{name}"), ondelete=ondelete)
            for name, table, ondelete, _ in references
        ),
        sa.PrimaryKeyConstraint("uuid", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint("secret_hash", name=op.f(f"uq_{TABLE}_secret_hash")),
    )
    for name in ("room_uuid", "expires_at"):
        op.create_index(op.f(f"ix_{TABLE}_{name}"), TABLE, [name])


def upgrade() -> None:
    _anew("access_token_uuid", "access_tokens")


def downgrade() -> None:
    _anew("grant_uuid", "oauth_grants")
