"""Links know the first of their chain; participations know their access code, and since when a connection is lost.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_TOKENS = sa.table(
    "room_tokens",
    sa.column("uuid", sa.Uuid()),
    sa.column("rotated_to_uuid", sa.Uuid()),
    sa.column("chain_uuid", sa.Uuid()),
)


def upgrade() -> None:
    op.add_column("room_tokens", sa.Column("chain_uuid", sa.Uuid(), nullable=True))
    _find_chains()
    with op.batch_alter_table("participations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("away_since", portal.db.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("access_code_uuid", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_participations_access_code_uuid"),
            "access_codes",
            ["access_code_uuid"],
            ["uuid"],
            ondelete="SET NULL",
        )
        batch_op.drop_index("ix_participations_room_uuid")
        batch_op.create_index("ix_participations_room_uuid_device", ["room_uuid", "device"])


def downgrade() -> None:
    with op.batch_alter_table("participations", schema=None) as batch_op:
        batch_op.drop_index("ix_participations_room_uuid_device")
        batch_op.create_index("ix_participations_room_uuid", ["room_uuid"])
        batch_op.drop_constraint(batch_op.f("fk_participations_access_code_uuid"), type_="foreignkey")
        batch_op.drop_column("access_code_uuid")
        batch_op.drop_column("away_since")
    op.drop_column("room_tokens", "chain_uuid")


def _find_chains() -> None:
    """Write the first link of its chain into each link that replaced another."""
    connection = op.get_bind()
    rotated = _TOKENS.c.rotated_to_uuid.is_not(None)
    before = {
        new: old for old, new in connection.execute(sa.select(_TOKENS.c.uuid, _TOKENS.c.rotated_to_uuid).where(rotated))
    }
    for new in before:
        first = new
        while first in before:
            first = before[first]
        connection.execute(sa.update(_TOKENS).where(_TOKENS.c.uuid == new).values(chain_uuid=first))
