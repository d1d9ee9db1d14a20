"""Videos that a service holds instead of the portal, and where the browser sends their bytes.

Revision ID: 0046
Revises: 0045
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = portal.db.UTCDateTime()
    op.create_table(
        "service_videos",
        sa.Column("video_uuid", sa.Uuid(), nullable=False),
        sa.Column("provider_uuid", sa.Uuid(), nullable=False),
        sa.Column("external", sa.String(64), nullable=False),
        sa.Column("embed", sa.Text(), nullable=False),
        sa.Column("arrived", sa.Boolean(), nullable=False),
        sa.Column("views", sa.Integer()),
        sa.Column("comments", sa.Integer()),
        sa.Column("likes", sa.Integer()),
        sa.Column("is_private", sa.Boolean(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("checked_at", moment),
        sa.Column("next_look_at", moment),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("to_tell", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["video_uuid"], ["room_videos.uuid"], op.f("fk_service_videos_video_uuid"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["provider_uuid"], ["service_providers.uuid"], op.f("fk_service_videos_provider_uuid")),
        sa.PrimaryKeyConstraint("video_uuid", name=op.f("pk_service_videos")),
        sa.UniqueConstraint("provider_uuid", "external", name=op.f("uq_service_videos_provider_uuid_external")),
    )
    due = sa.text("next_look_at IS NOT NULL")
    op.create_index(
        "ix_service_videos_next_look_at", "service_videos", ["next_look_at"], sqlite_where=due, postgresql_where=due
    )
    with op.batch_alter_table("video_uploads") as batch:
        batch.add_column(sa.Column("place", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("video_uploads") as batch:
        batch.drop_column("place")
    op.drop_table("service_videos")
