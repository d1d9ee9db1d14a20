"""indexes for the list of rooms by status, and newest first, for each relation by which somebody sees rooms.

Of inactive rooms there may be few among many: what serves only them holds nothing of the others, and costs nothing
when those are made or changed. Where active rooms are the few, PostgreSQL finds them by an index of the status: it
has no order, and so is not taken for as good as that of a relation. SQLite would take it whenever a status is asked
for, however many have it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None

RELATIONS = ("owner_uuid", "account_uuid", "customer_uuid")
INACTIVE = sa.text("status = 'inactive'")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_rooms_status", "rooms", ["status"])
    _of_inactive("ix_rooms_inactive", ["sort_name", "uuid"])
    for relation in RELATIONS:
        _of_inactive(f"ix_rooms_inactive_{relation}", [relation, "sort_name", "uuid"])
        op.create_index(f"ix_rooms_{relation}_created_at_uuid", "rooms", [relation, "created_at", "uuid"])


def downgrade() -> None:
    for relation in RELATIONS:
        op.drop_index(f"ix_rooms_{relation}_created_at_uuid", "rooms")
        op.drop_index(f"ix_rooms_inactive_{relation}", "rooms")
    op.drop_index("ix_rooms_inactive", "rooms")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_rooms_status", "rooms")


def _of_inactive(name: str, columns: list[str]) -> None:
    op.create_index(name, "rooms", columns, sqlite_where=INACTIVE, postgresql_where=INACTIVE)
