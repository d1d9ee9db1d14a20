"""Connections: who sends in a run. One at a time; a second moderator is offered to take over, and the first is told.

Chunks are appended to one file for each connection, by their offset: how much has come is the size of the file. So any
web process may take them, and a chunk that was sent twice, or is missing, or came too early, is answered by how much is
here. A container cannot be read on after a gap: whoever has lost a chunk opens another connection.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.audit.operations import record_event
from portal.broadcasts.hosting import topic_of
from portal.broadcasts.models import (
    MIME_LENGTH,
    Broadcast,
    BroadcastConnection,
    BroadcastState,
    ConnectionEnding,
)
from portal.channels import channels
from portal.clock import now
from portal.db import on_commit, session
from portal.errors import Conflict, Invalid, Message, NotFound, Throttled, Unavailable
from portal.people.actor import Actor
from portal.rooms.models import Room
from portal.rooms.settings import asks_name
from portal.status.models import Participation, RoomSession
from portal.storage import storage

MOST_BYTES = 64_000_000_000
"""Of one connection."""
MOST_OF_CHUNK = 16_000_000
BYTES_A_SECOND, BYTES_AT_ONCE = 2_500_000, 32_000_000
"""How fast a connection may bring bytes, and how many more than that: what was kept while the line was cut."""
SILENT = timedelta(seconds=10)
"""After so long without a byte another page may send instead, without being asked whether it takes over."""
CLAIMED_WITHIN = timedelta(seconds=10)
"""So soon a worker has taken a broadcast, if any can."""
LARGEST_SIDE = 1920
_BEGINNING = re.compile(rb"\x1a\x45\xdf\xa3|\0...ftyp", re.DOTALL)
"""How Matroska and WebM begin, and MP4."""
_SHORTER = re.compile(rb"\x1a(\x45\xdf?)?|\0.{0,3}|\0...f(ty?)?", re.DOTALL)
"""A first chunk may be so small that it holds a part of that only."""


class SomebodySends(Conflict):
    """Another page is on air. `name` is whose; "" if he gave none."""

    default = Message("Another moderator is on air. You can take over.")

    def __init__(self, name: str) -> None:
        super().__init__(Message("%(name)s is on air. You can take over.", name=name) if name else None)
        self.name = name


class NoCapacity(Unavailable):
    """No worker has taken this broadcast: all have as many as they can."""

    default = Message("There is no capacity for another live stream now. Try again in some minutes.")


class ConnectionOver(Conflict):
    """The connection has ended. `ending` says why, and `error` what was wrong with what it brought, if that was it."""

    default = Message("This connection has ended.")

    def __init__(self, ending: ConnectionEnding, error: str) -> None:
        super().__init__(Message("This connection has ended."))
        self.ending, self.error = ending, error


class WrongOffset(Conflict):
    """The chunk does not begin where the file ends. `size` is how many bytes are here."""

    default = Message("Something is missing before this chunk, or it has come already.")

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size


@dataclass(frozen=True)
class OpenConnection:
    """An open connection, for whoever brings chunks."""

    uuid: UUID
    session_uuid: UUID
    started_at: datetime


def open_connection(
    sender: Participation, *, mime: str, width: int, height: int, take_over: bool, by: Actor | None
) -> BroadcastConnection:
    """Let this moderator send from now on. What he sent before by another connection is over.

    `mime` is what his browser records, and the rest how large the picture is. Raises `SomebodySends` unless he takes
    over, `Invalid` for what no browser records, `NoCapacity`, and `NotFound` if the run has ended.
    """
    if not 1 <= len(mime) <= MIME_LENGTH or not mime.isascii() or not mime.startswith("video/"):
        raise Invalid(mime=Message("This is nothing that can be sent live."))
    if not (0 < width <= LARGEST_SIDE * 8 and 0 < height <= LARGEST_SIDE * 8):
        raise Invalid(width=Message("This is no size of a picture."))
    broadcast = _lock_broadcast(sender)
    other = open_connection_of(sender.session_uuid)
    if other is not None:
        _replace(other, sender, take_over=take_over, by=by)
    broadcast.latest_number += 1
    connection = BroadcastConnection(
        session_uuid=sender.session_uuid,
        number=broadcast.latest_number,
        participation_uuid=sender.uuid,
        mime=mime,
        width=width,
        height=height,
        error="",
        size=0,
        started_at=now(),
    )
    session.add(connection)
    session.flush()
    record_event(
        "broadcast.connected", sender.run, by=by, room=sender.room_uuid, connection=connection.id, moderator=sender.id
    )
    nudge_worker(sender.session_uuid)
    return connection


def _lock_broadcast(sender: Participation) -> Broadcast:
    """The broadcast of the sender's run, locked, if anything may still be sent in it. Raises `NotFound`."""
    broadcast = session.get(Broadcast, sender.session_uuid)
    if broadcast is None:
        raise NotFound
    lock_broadcast(broadcast)
    if broadcast.state in {BroadcastState.ENDING, BroadcastState.ENDED}:
        raise Conflict(Message("This broadcast has ended."))
    if not broadcast.claims and now() - broadcast.since > CLAIMED_WITHIN:
        raise NoCapacity
    return broadcast


def lock_broadcast(broadcast: Broadcast) -> None:
    """Lock the row until the transaction ends, and read it anew."""
    session.refresh(broadcast, with_for_update=True)


def _replace(other: BroadcastConnection, sender: Participation, *, take_over: bool, by: Actor | None) -> None:
    own = other.participation_uuid == sender.uuid
    if own or other.participation is None or last_byte_at(other) < now() - SILENT:
        end_connection(other, ConnectionEnding.REPLACED)
        return
    if not take_over:
        raise SomebodySends(_name_of(other.participation, sender.run.room))
    end_connection(other, ConnectionEnding.TAKEN_OVER)
    told, name = other.participation, _name_of(sender, sender.run.room)
    record_event("broadcast.taken_over", sender.run, by=by, room=sender.room_uuid, moderator=sender.id)
    on_commit(lambda: channels().post(f"participation:{told.id}", {"event": "taken over", "name": name}))


def _name_of(moderator: Participation, room: Room) -> str:
    """What he is called; "" for somebody who was asked for no name."""
    return moderator.name if moderator.user_uuid is not None or asks_name(room) else ""


def open_connection_of(session_uuid: UUID) -> BroadcastConnection | None:
    """The open connection of this run, read anew."""
    return session.scalar(
        sa.select(BroadcastConnection)
        .where(BroadcastConnection.session_uuid == session_uuid, BroadcastConnection.ended_at.is_(None))
        .execution_options(populate_existing=True)
    )


def find_own_connection(sender: Participation, connection_id: str) -> OpenConnection:
    """The connection with this id by which this participant sends. Raises `NotFound` and `ConnectionOver`."""
    row = session.execute(
        sa.select(
            BroadcastConnection.uuid,
            BroadcastConnection.session_uuid,
            BroadcastConnection.started_at,
            BroadcastConnection.ending,
            BroadcastConnection.error,
        ).where(
            BroadcastConnection.id == connection_id,
            BroadcastConnection.session_uuid == sender.session_uuid,
            BroadcastConnection.participation_uuid == sender.uuid,
        )
    ).first()
    if row is None:
        raise NotFound
    if row.ending is not None:
        raise ConnectionOver(row.ending, row.error)
    return OpenConnection(row.uuid, row.session_uuid, row.started_at)


def require_pace(connection: OpenConnection, offset: int, length: int) -> None:
    """Raise `Throttled` if a chunk of so many bytes comes sooner than any browser records them."""
    allowed = BYTES_AT_ONCE + BYTES_A_SECOND * (now() - connection.started_at).total_seconds()
    if offset + length > allowed:
        raise Throttled(retry_after=max(1, round((offset + length - allowed) / BYTES_A_SECOND)))


def require_beginning(data: bytes) -> None:
    """Raise `Invalid` unless a recording of a browser may begin like this."""
    if not (_BEGINNING.match(data) or _SHORTER.fullmatch(data)):
        raise Invalid(chunk=Message("What was sent is no picture and no sound. Go live again, or try another browser."))


def received(connection_uuid: UUID) -> int:
    """How many bytes have come by this connection."""
    return storage().grown(connection_uuid)


def last_byte_at(connection: BroadcastConnection) -> datetime:
    """When the last bytes came by it; when it was opened, if none came."""
    return max(connection.started_at, storage().changed_at(connection.uuid) or connection.started_at)


def end_connection(connection: BroadcastConnection, ending: ConnectionEnding, error: str = "") -> None:
    """End it. Does nothing if it has ended already."""
    if connection.ended_at is not None:
        return
    connection.ended_at, connection.ending, connection.error = now(), ending, error
    connection.size = received(connection.uuid)
    session.flush()
    nudge_worker(connection.session_uuid)


def stop_broadcast(run: RoomSession, *, by: Actor | None, moderator: Participation) -> None:
    """End the broadcast: what has come is still made into segments, then the run ends. Does nothing if it ends."""
    broadcast = session.get(Broadcast, run.uuid)
    if broadcast is None:
        return
    lock_broadcast(broadcast)
    if broadcast.state in {BroadcastState.ENDING, BroadcastState.ENDED}:
        return
    connection = open_connection_of(run.uuid)
    if connection is not None:
        end_connection(connection, ConnectionEnding.STOPPED)
    broadcast.state, broadcast.since = BroadcastState.ENDING, now()
    session.flush()
    record_event("broadcast.stopped", run, by=by, room=run.room_uuid, moderator=moderator.id)
    nudge_worker(run.uuid)


def nudge_worker(session_uuid: UUID) -> None:
    """Have the worker of this run look at once, after the commit."""
    on_commit(lambda: channels().nudge(topic_of(session_uuid)))
