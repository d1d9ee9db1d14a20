"""Pictures of a room: copies of what is at the addresses of its settings, fetched once, and shown from our own origin.

When a setting is set, a row waits for a job (`portal.jobs.room_images`) that fetches the picture, checks it, and makes
it anew. What becomes of the address later changes nothing, until it is set again. A row that has lost its room, because
another address was set, or with the room, waits for a job that deletes the file.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import now
from portal.column_types import enum_type
from portal.db import Base, TimestampMixin, session, transaction
from portal.enqueueing import enqueue
from portal.errors import Message
from portal.identifiers import Identified, IdentifierMixin
from portal.partial_indexes import partial_index
from portal.rooms.settings import ADDRESS_LENGTH, FEATURED_IMAGE, HERO_IMAGE
from portal.storage import storage

LONGEST_SIDES = {FEATURED_IMAGE: 640, HERO_IMAGE: 1920}
"""Setting → pixels of the longer side of its picture."""
FOLDER = "images"
FETCH, DELETE = "fetch-room-image", "delete-room-image"
"""The jobs; their id is the uuid of the row."""
MOST_ATTEMPTS = 3
_PATIENCE = timedelta(minutes=3)
"""After so long it is tried again: then its worker has died."""
_UNNAMED = timedelta(hours=1)
_NEVER_ENDED = Message("It was begun several times and never came to an end.")


class ImageState(StrEnum):
    """Whether the picture is to be fetched, is there, or could not be had."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


class RoomImage(IdentifierMixin, TimestampMixin, Base):
    """The picture of one setting of a room, stored under `key` once it is ready."""

    __tablename__ = "room_images"

    room_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("rooms.uuid", ondelete="SET NULL"))
    setting: Mapped[str] = mapped_column(sa.String(32))
    address: Mapped[str] = mapped_column(sa.String(ADDRESS_LENGTH))
    state: Mapped[ImageState] = mapped_column(enum_type(ImageState), default=ImageState.WAITING)
    error: Mapped[str] = mapped_column(sa.String(300), default="")
    """Why it could not be had, in a sentence for people."""
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None]
    """When a worker may fetch it; None if it was, or could not be."""
    fetched_at: Mapped[datetime | None]
    size: Mapped[int] = mapped_column(default=0)
    width: Mapped[int] = mapped_column(default=0)
    height: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        sa.UniqueConstraint("room_uuid", "setting"),
        partial_index("ix_room_images_due_at", "due_at", where="due_at IS NOT NULL"),
        partial_index("ix_room_images_gone", "uuid", where="room_uuid IS NULL"),
    )

    @property
    def key(self) -> str:
        """Where it is stored."""
        return f"{FOLDER}/{self.uuid}"


@dataclass(frozen=True)
class ImageToFetch:
    """A picture that a worker has taken on."""

    uuid: UUID
    address: str
    longest: int


def follow_images(room_uuid: UUID, settings: Mapping[str, Any], *, sent: Collection[str]) -> None:
    """Have the pictures fetched of those settings that were `sent` and lead elsewhere, or failed. Delete others."""
    names = [name for name in LONGEST_SIDES if name in sent]
    if not names:
        return
    there = {
        one.setting: one
        for one in session.scalars(
            sa.select(RoomImage).where(RoomImage.room_uuid == room_uuid, RoomImage.setting.in_(names))
        )
    }
    for name in names:
        before, address = there.get(name), str(settings.get(name) or "")
        if before is not None and before.address == address and before.state is not ImageState.FAILED:
            continue
        if before is not None:
            before.room_uuid = None
            session.flush()
            enqueue(DELETE, str(before.uuid))
        if address:
            made = RoomImage(room_uuid=room_uuid, setting=name, address=address, due_at=now())
            session.add(made)
            session.flush()
            enqueue(FETCH, str(made.uuid))


def images_of(room: Identified) -> dict[str, RoomImage]:
    """Setting → its picture, whatever became of it."""
    found = session.scalars(sa.select(RoomImage).where(RoomImage.room_uuid == room.uuid))
    return {one.setting: one for one in found}


def shown_image(room: Identified, settings: Mapping[str, Any], name: str) -> RoomImage | None:
    """The picture of this setting, if it can be shown. The database is asked only where the setting is set."""
    image = images_of(room).get(name) if settings.get(name) else None
    return image if image is not None and image.state is ImageState.READY else None


def find_image(room: Identified, image_id: str) -> RoomImage | None:
    """The picture of the room with this id, if it can be shown."""
    return session.scalar(
        sa.select(RoomImage).where(
            RoomImage.room_uuid == room.uuid, RoomImage.id == image_id, RoomImage.state == ImageState.READY
        )
    )


def take_image(image_uuid: UUID) -> ImageToFetch | None:
    """Take on fetching this picture; None if it is not to be fetched now."""
    image = _locked(image_uuid)
    if image is None or image.due_at is None or image.due_at > now():
        return None
    if image.attempts >= MOST_ATTEMPTS:
        fail_image(image_uuid, _NEVER_ENDED)
        return None
    image.attempts += 1
    image.due_at = now() + _PATIENCE
    return ImageToFetch(image.uuid, image.address, LONGEST_SIDES[image.setting])


def keep_image(image_uuid: UUID, made: Path, *, width: int, height: int) -> None:
    """Let this file, which is called by the uuid, be the picture. Does nothing if nobody wants it any more."""
    image = _locked(image_uuid)
    if image is None or image.due_at is None:
        return
    image.size, image.width, image.height = made.stat().st_size, width, height
    image.state, image.error, image.due_at, image.fetched_at = ImageState.READY, "", None, now()
    session.flush()
    storage().publish_made([made], FOLDER)


def fail_image(image_uuid: UUID, why: str) -> None:
    """Say why the picture could not be had."""
    image = _locked(image_uuid)
    if image is not None and image.due_at is not None:
        image.state, image.error, image.due_at = ImageState.FAILED, why[:300], None


def _locked(image_uuid: UUID) -> RoomImage | None:
    return session.scalar(
        sa.select(RoomImage)
        .where(RoomImage.uuid == image_uuid, RoomImage.room_uuid.is_not(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def images_to_fetch() -> list[UUID]:
    """Those that wait for a worker."""
    return list(
        session.scalars(sa.select(RoomImage.uuid).where(RoomImage.due_at <= now(), RoomImage.room_uuid.is_not(None)))
    )


def images_to_delete() -> list[UUID]:
    """Those without a room, whose files are to be deleted."""
    return list(session.scalars(sa.select(RoomImage.uuid).where(RoomImage.room_uuid.is_(None))))


def delete_image(image_uuid: UUID) -> None:
    """Delete the file of a picture that has no room, and then the row. It can be done again."""
    with transaction():
        found = session.get(RoomImage, image_uuid)
        if found is None or found.room_uuid is not None:
            return
    storage().delete(found.key)
    with transaction():
        session.execute(sa.delete(RoomImage).where(RoomImage.uuid == image_uuid))


def sweep_unnamed_images() -> None:
    """Housekeeping: delete files whose row was never committed."""
    keys = set(storage().keys(FOLDER, before=now() - _UNNAMED))
    with transaction():
        known = {f"{FOLDER}/{uuid}" for uuid in session.scalars(sa.select(RoomImage.uuid))} if keys else set()
    for key in keys - known:
        storage().delete(key)
