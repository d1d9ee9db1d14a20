"""indexes for the list of rooms by status, and newest first, for each relation by which somebody sees rooms.

Of inactive rooms there may be few among many: what serves only them holds nothing of the others, and costs nothing
when those are made or changed. Where active rooms are the few, PostgreSQL finds them by an index of the status: it
has no order, and so is not taken for as good as that of a relation. SQLite would take it whenever a status is asked
for, however many have it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

RELATIONS = ("owner_uuid", "account_uuid", "customer_uuid")
PLACES = ("sort_name", "created_at")
INACTIVE = sa.text("status = 'inactive'")


def upgrade() -> None:
    for relation in RELATIONS:
        op.create_index(f"ix_rooms_{relation}_created_at_uuid", "rooms", [relation, "created_at", "uuid"])
    for columns in _of_inactive():
        op.create_index(_name(columns), "rooms", columns, sqlite_where=INACTIVE, postgresql_where=INACTIVE)
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_rooms_status", "rooms", ["status"])


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_rooms_status", "rooms")
    for columns in _of_inactive():
        op.drop_index(_name(columns), "rooms")
    for relation in RELATIONS:
        op.drop_index(f"ix_rooms_{relation}_created_at_uuid", "rooms")


def _of_inactive() -> list[list[str]]:
    return [[*relation, place, "uuid"] for place in PLACES for relation in ([], *([name] for name in RELATIONS))]


def _name(columns: list[str]) -> str:
    return f"ix_rooms_inactive_{'_'.join(columns)}"
