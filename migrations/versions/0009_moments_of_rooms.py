"""indexes for the lists of rooms by the moment of making or changing them: everybody's, and most for who has many.

Somebody with few rooms is served by the indexes of his relations, which leave little to sort.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MOMENTS = ("created_at", "updated_at")


def upgrade() -> None:
    for moment in MOMENTS:
        op.create_index(f"ix_rooms_{moment}_uuid", "rooms", [moment, "uuid"])


def downgrade() -> None:
    for moment in MOMENTS:
        op.drop_index(f"ix_rooms_{moment}_uuid", "rooms")
