"""When services are asked again for callbacks about the runs that go on. About those of now they are asked at once.

Revision ID: 0040
Revises: 0039
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

INDEX = "ix_room_sessions_next_registration_at"


def upgrade() -> None:
    op.add_column("room_sessions", sa.Column("next_registration_at", portal.db.UTCDateTime(), nullable=True))
    goes_on = sa.text("ended_at IS NULL")
    op.create_index(INDEX, "room_sessions", ["next_registration_at"], sqlite_where=goes_on, postgresql_where=goes_on)
    runs = sa.table(
        "room_sessions",
        sa.column("driver"),
        sa.column("ended_at"),
        sa.column("next_registration_at", portal.db.UTCDateTime()),
    )
    driven = (runs.c.ended_at.is_(None), runs.c.driver == "provider")
    op.execute(runs.update().where(*driven).values(next_registration_at=datetime.now(UTC)))


def downgrade() -> None:
    op.drop_index(INDEX, "room_sessions")
    op.drop_column("room_sessions", "next_registration_at")
