"""indexes for the list of rooms by status, and newest first, for each relation by which somebody sees rooms.

Of inactive rooms there are few among many: what serves only them holds nothing of the others, and costs nothing
when those are made or changed.
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
    op.create_index("ix_rooms_status_sort_name_uuid", "rooms", ["status", "sort_name", "uuid"])
    for relation in RELATIONS:
        op.create_index(f"ix_rooms_{relation}_created_at_uuid", "rooms", [relation, "created_at", "uuid"])
        op.create_index(
            f"ix_rooms_inactive_{relation}",
            "rooms",
            [relation, "sort_name", "uuid"],
            sqlite_where=INACTIVE,
            postgresql_where=INACTIVE,
        )


def downgrade() -> None:
    for relation in RELATIONS:
        op.drop_index(f"ix_rooms_inactive_{relation}", "rooms")
        op.drop_index(f"ix_rooms_{relation}_created_at_uuid", "rooms")
    op.drop_index("ix_rooms_status_sort_name_uuid", "rooms")
