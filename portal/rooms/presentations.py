"""A room's presentation: a file that people upload, and that its service shows from the beginning of each run.

Rooms have one whose service declares the setting `presentation`. The row says which file counts; a row that has lost
its room, because it was replaced, removed, or deleted with the room, waits for a job that deletes the file. The service
fetches the file at an address of the portal, which is signed, made anew for each start, and soon worthless.
"""

import hmac
from datetime import datetime, timedelta
from typing import BinaryIO
from urllib.parse import urlencode
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal import vault
from portal.audit.operations import record_event
from portal.clock import now
from portal.db import Base, TimestampMixin, session, transaction
from portal.enqueueing import enqueue
from portal.errors import Invalid, Message, NotFound
from portal.identifiers import Identified, IdentifierMixin
from portal.people.actor import Actor
from portal.providers.base import FieldKind, RunFile
from portal.public_url import public_url
from portal.rooms.models import Room
from portal.rooms.operations import nudge_watchers
from portal.rooms.presentation_kinds import KINDS, fits, shown_name
from portal.rooms.room_read import EditableRoom
from portal.rooms.settings import declared
from portal.storage import Incoming, storage
from portal.subscriptions.provider_models import ServiceType

PRESENTATION = "presentation"
LARGEST_FILE = 30_000_000
FETCHED_WITHIN = timedelta(minutes=10)
"""So long after the start of a run a server can fetch the file; it does so at once, or as soon as it has a turn."""
LONGEST_NAME = 120
DELETE = "delete-presentation"
"""The job that deletes the file of a presentation without a room; its id is the uuid of the presentation."""
FOLDER = "presentations"
_SIGNED = "address of a presentation"
_UNNAMED = timedelta(hours=1)
"""No transaction lasts as long: what no row names after that was rolled back."""


class RoomPresentation(IdentifierMixin, TimestampMixin, Base):
    """The file that a room's service shows from the beginning. It is stored under `key`."""

    __tablename__ = "room_presentations"

    room_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("rooms.uuid", ondelete="SET NULL"), unique=True)
    name: Mapped[str] = mapped_column(sa.String(LONGEST_NAME))
    """What people call the file. Its end, one of `KINDS`, says what it is."""
    size: Mapped[int] = mapped_column(sa.BigInteger)
    """In bytes."""

    @property
    def end(self) -> str:
        """The end of its name, such as `pdf`."""
        return self.name.rpartition(".")[2]

    @property
    def media_type(self) -> str:
        """What it is called in headers."""
        return KINDS[self.end].media_type

    @property
    def key(self) -> str:
        """Where it is stored."""
        return f"{FOLDER}/{self.uuid}"


def takes_presentations(room_type: ServiceType, provider_type: str) -> bool:
    """Whether rooms of this type have a presentation at such a provider."""
    setting = declared(room_type, provider_type).get(PRESENTATION)
    return setting is not None and setting.kind is FieldKind.FILE


def presentation_of(room: Identified) -> RoomPresentation | None:
    """The room's presentation; None if it has none."""
    return session.scalar(sa.select(RoomPresentation).where(RoomPresentation.room_uuid == room.uuid))


def set_presentation(room: EditableRoom, *, by: Actor, name: str, file: Incoming) -> RoomPresentation:
    """Let this file, which the disk has, be the room's presentation, in place of any other.

    `name` is what its sender calls it. Raises `NotFound` if the room's service takes none, and `Invalid` on `file` for
    an empty file, or one that is of no known kind or not of the kind that its name says.
    """
    _require_taken(room)
    shown, end = shown_name(name)
    _require_kind(end, file)
    before = _detach(room)
    made = RoomPresentation(room_uuid=room.uuid, name=shown, size=file.size)
    session.add(made)
    session.flush()
    storage().publish(file, made.key)
    _note(room, by=by, before=before, after=made)
    return made


def remove_presentation(room: EditableRoom, *, by: Actor) -> None:
    """Let the room have no presentation. Raises `NotFound` if it has none, or its service takes none."""
    _require_taken(room)
    before = _detach(room)
    if before is None:
        raise NotFound
    _note(room, by=by, before=before, after=None)


def _require_taken(room: EditableRoom) -> None:
    if not takes_presentations(room.room_type, room.provider_type):
        raise NotFound


def _require_kind(end: str, file: Incoming) -> None:
    if not file.size:
        raise Invalid(file=Message("This file is empty."))
    kind = KINDS.get(end)
    if kind is None:
        raise Invalid(file=Message("Use a file of one of these kinds: %(kinds)s.", kinds=", ".join(KINDS)))
    if not fits(kind, file, file.size):
        words = Message("The content of this file is not what its name says (%(end)s). Save it anew.", end=end)
        raise Invalid(file=words)


def _detach(room: EditableRoom) -> RoomPresentation | None:
    """Take its presentation from the room, which is locked, and have the file deleted after the commit."""
    before = presentation_of(room)
    if before is not None:
        before.room_uuid = None
        session.flush()
        enqueue(DELETE, str(before.uuid))
    return before


def _note(room: EditableRoom, *, by: Actor, before: RoomPresentation | None, after: RoomPresentation | None) -> None:
    session.execute(sa.update(Room).where(Room.uuid == room.uuid).values(updated_at=now()))
    names = [one.name if one is not None else None for one in (before, after)]
    record_event("room.updated", room, by=by, room=room.uuid, webhooks=room.webhooks, changes={PRESENTATION: names})
    nudge_watchers(room)


def address_of(presentation: RoomPresentation, *, at: datetime) -> str:
    """The address at which a service can fetch the file for some minutes from `at`. It is stored nowhere.

    Signature and end are in the query, which no log keeps. The path ends like the file's name, for servers that read
    from that what it is.
    """
    expires = int((at + FETCHED_WITHIN).timestamp())
    signature = vault.lookup_hash(_signed(presentation.id, expires), purpose=_SIGNED)
    query = urlencode({"expires": expires, "signature": signature})
    return public_url(f"/{FOLDER}/{presentation.id}/{file_name(presentation)}?{query}")


def run_files(room: Identified, room_type: ServiceType, provider_type: str) -> dict[str, RunFile]:
    """The files that a service of this type is told of when a run of the room starts, by their settings."""
    found = presentation_of(room) if takes_presentations(room_type, provider_type) else None
    return {PRESENTATION: RunFile(found.name, address_of(found, at=now()))} if found is not None else {}


def file_name(presentation: RoomPresentation) -> str:
    """What the file is called in its address, whatever people call it."""
    return f"{PRESENTATION}.{presentation.end}"


def fetched(presentation_id: str, *, expires: str, signature: str, at: datetime) -> RoomPresentation:
    """The presentation at an address of `address_of`. Raises `NotFound` if that is forged or over, or the file gone.

    The database is asked for a good address only.
    """
    good = vault.lookup_hashes(_signed(presentation_id, expires), purpose=_SIGNED)
    if not any(hmac.compare_digest(signature.encode(), one.encode()) for one in good):
        raise NotFound
    if int(expires) <= at.timestamp():
        raise NotFound
    found = session.scalar(
        sa.select(RoomPresentation)
        .join(Room, Room.uuid == RoomPresentation.room_uuid)
        .where(RoomPresentation.id == presentation_id, Room.trashed_at.is_(None))
    )
    if found is None:
        raise NotFound
    return found


def opened(presentation: RoomPresentation) -> BinaryIO:
    """The file, open for reading. Raises `portal.storage.NotStored`."""
    return storage().open(presentation.key)


def _signed(presentation_id: str, expires: object) -> str:
    return f"{presentation_id} {expires}"


def presentations_to_delete() -> list[UUID]:
    """Those without a room, whose files are to be deleted."""
    return list(session.scalars(sa.select(RoomPresentation.uuid).where(RoomPresentation.room_uuid.is_(None))))


def delete_file(presentation_uuid: UUID) -> None:
    """Delete the file of a presentation that has no room, and then the row. It can be done again."""
    with transaction():
        found = session.get(RoomPresentation, presentation_uuid)
        if found is None or found.room_uuid is not None:
            return
    storage().delete(found.key)
    with transaction():
        session.execute(sa.delete(RoomPresentation).where(RoomPresentation.uuid == presentation_uuid))


def sweep_unnamed() -> None:
    """Housekeeping: delete files whose row was never committed."""
    keys = set(storage().keys(FOLDER, before=now() - _UNNAMED))
    with transaction():
        known = {f"{FOLDER}/{uuid}" for uuid in session.scalars(sa.select(RoomPresentation.uuid))} if keys else set()
    for key in keys - known:
        storage().delete(key)
