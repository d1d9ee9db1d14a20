"""The audit says through which program somebody acted, and on whose behalf; accounts and customers have members.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_SAID = ("client_uuid", "on_behalf_of_uuid")


def _members(noun: str) -> None:
    table = f"{noun}_members"
    op.create_table(
        table,
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("id", sa.String(length=10), nullable=False),
        sa.Column(f"{noun}_uuid", sa.Uuid(), nullable=False),
        sa.Column("user_uuid", sa.Uuid(), nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("until", portal.db.UTCDateTime(), nullable=True),
        sa.Column("created_at", portal.db.UTCDateTime(), nullable=False),
        sa.Column("updated_at", portal.db.UTCDateTime(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [f"{one}_uuid"], [f"{one}s.uuid"], name=op.f(f"fk_{table}_{one}_uuid"), ondelete="CASCADE"
            )
            for one in (noun, "user")
        ),
        sa.PrimaryKeyConstraint("uuid", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("id", name=op.f(f"uq_{table}_id")),
        sa.UniqueConstraint(f"{noun}_uuid", "user_uuid", name=op.f(f"uq_{table}_{noun}_uuid_user_uuid")),
    )
    op.create_index(op.f(f"ix_{table}_user_uuid"), table, ["user_uuid"])


def upgrade() -> None:
    for column in _SAID:
        op.add_column("audit_events", sa.Column(column, sa.Uuid(), nullable=True))
    for noun in ("account", "customer"):
        _members(noun)


def downgrade() -> None:
    for noun in ("account", "customer"):
        op.drop_table(f"{noun}_members")
    for column in _SAID:
        op.drop_column("audit_events", column)
