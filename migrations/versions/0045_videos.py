"""Videos of rooms: the rows, their uploads, captions and views; a queue for media work; the built-in service for them.

Revision ID: 0045
Revises: 0044
"""

from datetime import UTC, datetime
from secrets import choice
from typing import Any

import sqlalchemy as sa
from alembic import op
from ulid import ULID

import portal.db

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
STATE = sa.Enum(
    "uploading", "waiting", "checking", "preparing", "ready", "failed", native_enum=False, length=32
)  # fmt: skip
QUEUE = sa.Enum("ordinary", "media", native_enum=False, length=32)


def _foreign(table: str, column: str, to: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.uuid"], op.f(f"fk_{table}_{column}"), ondelete=ondelete)


def _keys(table: str) -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("uuid", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("id", name=op.f(f"uq_{table}_id")),
    ]


def _identified(*, times: bool = True) -> list[sa.Column[Any]]:
    columns: list[sa.Column[Any]] = [
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("id", sa.String(10), nullable=False),
    ]
    if times:
        columns += [sa.Column(one, portal.db.UTCDateTime(), nullable=False) for one in ("created_at", "updated_at")]
    return columns


def upgrade() -> None:
    moment = portal.db.UTCDateTime()
    with op.batch_alter_table("tasks") as batch:
        batch.add_column(sa.Column("queue", QUEUE, nullable=False, server_default="ordinary"))
        batch.add_column(sa.Column("turn_of_uuid", sa.Uuid()))
    op.create_table(
        "room_videos",
        *_identified(),
        sa.Column("room_uuid", sa.Uuid()),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("description", sa.String(2000), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("published_from", moment),
        sa.Column("trashed_at", moment),
        sa.Column("state", STATE, nullable=False),
        sa.Column("error", sa.String(300), nullable=False),
        sa.Column("task_uuid", sa.Uuid()),
        sa.Column("source", sa.String(60), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("prepared_source", sa.String(60), nullable=False),
        sa.Column("prepared_file_name", sa.String(200), nullable=False),
        sa.Column("folder", sa.String(60), nullable=False),
        sa.Column("playable", sa.Boolean(), nullable=False),
        sa.Column("renditions", sa.JSON(), nullable=False),
        sa.Column("sprite", sa.JSON(), nullable=False),
        sa.Column("poster", sa.String(60), nullable=False),
        sa.Column("milliseconds", sa.BigInteger()),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.Column("seconds_watched", sa.BigInteger(), nullable=False),
        sa.Column("created_by_uuid", sa.Uuid()),
        _foreign("room_videos", "room_uuid", "rooms", "SET NULL"),
        _foreign("room_videos", "task_uuid", "tasks", "SET NULL"),
        _foreign("room_videos", "created_by_uuid", "users", "SET NULL"),
        *_keys("room_videos"),
    )
    op.create_index("ix_room_videos_room_uuid_position", "room_videos", ["room_uuid", "position"])
    op.create_index("ix_room_videos_task_uuid", "room_videos", ["task_uuid"])
    for name, column, where in (
        ("ix_room_videos_trashed_at", "trashed_at", "trashed_at IS NOT NULL"),
        ("ix_room_videos_gone", "uuid", "room_uuid IS NULL"),
    ):
        condition = sa.text(where)
        op.create_index(name, "room_videos", [column], sqlite_where=condition, postgresql_where=condition)
    op.create_table(
        "video_uploads",
        *_identified(times=False),
        sa.Column("video_uuid", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("replaces", sa.Boolean(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("created_by_uuid", sa.Uuid()),
        _foreign("video_uploads", "video_uuid", "room_videos", "CASCADE"),
        _foreign("video_uploads", "created_by_uuid", "users", "SET NULL"),
        *_keys("video_uploads"),
    )
    op.create_index("ix_video_uploads_video_uuid", "video_uploads", ["video_uuid"])
    op.create_index("ix_video_uploads_expires_at", "video_uploads", ["expires_at"])
    op.create_table(
        "video_captions",
        *_identified(),
        sa.Column("video_uuid", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("label", sa.String(80), nullable=False),
        sa.Column("default", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        _foreign("video_captions", "video_uuid", "room_videos", "CASCADE"),
        *_keys("video_captions"),
        sa.UniqueConstraint("video_uuid", "language", name=op.f("uq_video_captions_video_uuid_language")),
    )
    op.create_table(
        "video_views",
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("video_uuid", sa.Uuid(), nullable=False),
        sa.Column("participation_uuid", sa.Uuid(), nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("reported_at", moment, nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("settled", sa.Integer(), nullable=False),
        sa.Column("parts", sa.String(100), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("counted_at", moment),
        _foreign("video_views", "video_uuid", "room_videos", "CASCADE"),
        _foreign("video_views", "participation_uuid", "participations", "CASCADE"),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_video_views")),
        sa.UniqueConstraint(
            "video_uuid", "participation_uuid", name=op.f("uq_video_views_video_uuid_participation_uuid")
        ),
    )
    op.create_index("ix_video_views_participation_uuid", "video_views", ["participation_uuid"])
    unsettled = sa.text("seconds > settled")
    op.create_index(
        "ix_video_views_unsettled", "video_views", ["video_uuid"], sqlite_where=unsettled, postgresql_where=unsettled
    )
    _add_room_images()
    _add_embedded_provider()


def _add_room_images() -> None:
    moment = portal.db.UTCDateTime()
    state = sa.Enum("waiting", "ready", "failed", native_enum=False, length=32)
    op.create_table(
        "room_images",
        *_identified(),
        sa.Column("room_uuid", sa.Uuid()),
        sa.Column("setting", sa.String(32), nullable=False),
        sa.Column("address", sa.String(2000), nullable=False),
        sa.Column("state", state, nullable=False),
        sa.Column("error", sa.String(300), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", moment),
        sa.Column("fetched_at", moment),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("size", "width", "height")),
        _foreign("room_images", "room_uuid", "rooms", "SET NULL"),
        *_keys("room_images"),
        sa.UniqueConstraint("room_uuid", "setting", name=op.f("uq_room_images_room_uuid_setting")),
    )
    for name, column, where in (
        ("ix_room_images_due_at", "due_at", "due_at IS NOT NULL"),
        ("ix_room_images_gone", "uuid", "room_uuid IS NULL"),
    ):
        condition = sa.text(where)
        op.create_index(name, "room_images", [column], sqlite_where=condition, postgresql_where=condition)


def _add_embedded_provider() -> None:
    """Give an empty portal a service for videos: it needs no properties."""
    at, identity = datetime.now(UTC), ULID().to_uuid7(compliant=True)
    texts = ("id", "provider_name", "provider_type", "service_type", "active", "draining")
    providers = sa.table(
        "service_providers",
        sa.column("uuid", sa.Uuid()),
        *(sa.column(one) for one in texts),
        *(sa.column(one, sa.JSON()) for one in ("properties", "provider_metadata", "counts", "labels")),
        *(sa.column(one, portal.db.UTCDateTime()) for one in ("created_at", "updated_at")),
    )
    if op.get_bind().scalar(sa.select(providers.c.uuid).where(providers.c.provider_type == "vod").limit(1)) is not None:
        return
    op.execute(
        providers.insert().values(
            uuid=identity, id="".join(choice(ALPHABET) for _ in range(10)), created_at=at, updated_at=at,
            provider_name="Built in", provider_type="vod", service_type="video", active=True, draining=False,
            properties={}, provider_metadata={}, counts={}, labels={},
        )
    )  # fmt: skip


def downgrade() -> None:
    for table in ("room_images", "video_views", "video_captions", "video_uploads", "room_videos"):
        op.drop_table(table)
    with op.batch_alter_table("tasks") as batch:
        batch.drop_column("turn_of_uuid")
        batch.drop_column("queue")
