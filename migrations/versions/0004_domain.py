"""links are replaced with a time of grace, one-time entries, and how many were in a run at most."""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "entries",
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("room_uuid", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("token_uuid", sa.Uuid(), nullable=True),
        sa.Column("user_uuid", sa.Uuid(), nullable=True),
        sa.Column("access_code_uuid", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("expires_at", portal.db.UTCDateTime(), nullable=False),
        sa.Column("used_at", portal.db.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["room_uuid"], ["rooms.uuid"], name=op.f("fk_entries_room_uuid"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["token_uuid"], ["room_tokens.uuid"], name=op.f("fk_entries_token_uuid"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_uuid"], ["users.uuid"], name=op.f("fk_entries_user_uuid"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["access_code_uuid"],
            ["access_codes.uuid"],
            name=op.f("fk_entries_access_code_uuid"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_entries")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_entries_secret_hash")),
    )
    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_entries_room_uuid"), ["room_uuid"], unique=False)
        batch_op.create_index(batch_op.f("ix_entries_expires_at"), ["expires_at"], unique=False)

    with op.batch_alter_table("room_tokens", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rotated_to_uuid", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("grace_until", portal.db.UTCDateTime(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_room_tokens_rotated_to_uuid"),
            "room_tokens",
            ["rotated_to_uuid"],
            ["uuid"],
            ondelete="SET NULL",
        )

    with op.batch_alter_table("room_sessions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("most", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("room_sessions", schema=None) as batch_op:
        batch_op.alter_column("most", server_default=None)
    op.execute(_counted())


def downgrade() -> None:
    with op.batch_alter_table("room_sessions", schema=None) as batch_op:
        batch_op.drop_column("most")
    op.execute(  # a link that was replaced has no other end
        "UPDATE room_tokens SET expires_at = grace_until"
        " WHERE grace_until IS NOT NULL AND (expires_at IS NULL OR expires_at > grace_until)"
    )
    with op.batch_alter_table("room_tokens", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_room_tokens_rotated_to_uuid"), type_="foreignkey")
        batch_op.drop_column("grace_until")
        batch_op.drop_column("rotated_to_uuid")
    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_entries_expires_at"))
        batch_op.drop_index(batch_op.f("ix_entries_room_uuid"))
    op.drop_table("entries")


def _counted() -> sa.Update:
    """Runs from before: the most that were in at the moment when somebody of them entered."""
    runs = sa.table("room_sessions", sa.column("uuid"), sa.column("most"))

    def stays(name: str) -> sa.TableClause:
        columns = ("session_uuid", "entered_at", "left_at")
        return sa.table("participations", *(sa.column(column) for column in columns)).alias(name)  # type: ignore[return-value]

    one, other = stays("one"), stays("other")
    at_once = (
        sa.select(sa.func.count().label("count"))
        .select_from(other)
        .where(
            other.c.session_uuid == one.c.session_uuid,
            other.c.entered_at <= one.c.entered_at,
            sa.or_(other.c.left_at.is_(None), other.c.left_at > one.c.entered_at),
        )
        .scalar_subquery()
    )
    most = sa.select(sa.func.max(at_once)).where(one.c.session_uuid == runs.c.uuid).scalar_subquery()
    return sa.update(runs).values(most=sa.func.coalesce(most, 0))
