"""The doors of live rooms: of who follows, of who sends, of the chunks that he sends, and of what players fetch.

All believe the room's admission cookie only. The door of chunks judges each of them, and holds neither a transaction
nor a connection to the database while one streams in. What the door of players finds out counts for a few seconds: see
`portal.watching.gate`.
"""

from dataclasses import dataclass
from functools import wraps
from typing import Any
from uuid import UUID

from flask import g, request
from flask_wtf.csrf import CSRFError

from portal.admission.reauthorization import NoSuchRoom, ParticipationEnded
from portal.broadcasts.connections import (
    MOST_BYTES,
    MOST_OF_CHUNK,
    OpenConnection,
    WrongOffset,
    find_own_connection,
    received,
    require_beginning,
    require_pace,
)
from portal.broadcasts.journal import Journals
from portal.db import without_transaction
from portal.edge import admission_cookie
from portal.edge.admissions import Participant
from portal.edge.guard import AIRS, BRINGS_CHUNK, FOLLOWS, View, find_participant, stamp
from portal.edge.transaction import SAFE_METHODS
from portal.edge.uploads import streams
from portal.errors import Conflict, Message, NotAllowed, NotFound, Refused
from portal.rooms.models import Role
from portal.rooms.settings import is_live
from portal.storage import AnotherWriter, FileTooLarge, storage
from portal.watching.gate import Gate

READ = 65_536
"""Bytes of a chunk that are read at a time, and written at once."""


class ChunkTooLarge(Refused):
    """A chunk has more bytes than one may bring."""

    default = Message("This is too much at once.")


@dataclass(frozen=True)
class FollowedRun:
    """The run that somebody may fetch: its id, which is in the address, and its uuid."""

    id: str
    uuid: UUID


GATE: Gate[FollowedRun] = Gate()
JOURNALS = Journals()


def follows(view: View) -> View:
    """Replace `room_id` by the `participant` of a live room. Raises `ParticipationEnded` when he is in no longer."""

    @wraps(view)
    def guarded(room_id: str, **address: Any) -> Any:
        return view(participant=_participant(room_id), **address)

    return stamp(guarded, FOLLOWS)


def airs(view: View) -> View:
    """As `follows`, for moderators only: they send, and stop it."""

    @wraps(view)
    def guarded(room_id: str, **address: Any) -> Any:
        return view(participant=_moderator(room_id), **address)

    return stamp(guarded, AIRS)


def brings_chunk(view: View) -> View:
    """As `airs`, with `connection_id`: called with how many bytes are here after the chunk was received.

    The chunk says by `Upload-Offset` where it begins.
    """

    @wraps(view)
    def guarded(room_id: str, connection_id: str) -> Any:
        connection = find_own_connection(_moderator(room_id).participation, connection_id)
        offset = _announced(connection)
        with without_transaction():
            size = _append(connection, offset)
        return view(size=size)

    return streams(stamp(guarded, BRINGS_CHUNK))


def plays(view: View) -> View:
    """Replace `room_id` and `run_id` by the `run`. 404 for everybody who may not follow it now.

    `g.judged` is the participant if he was judged by this very request, else None.
    """

    @wraps(view)
    def guarded(room_id: str, run_id: str, **address: Any) -> Any:
        cookie = request.cookies.get(admission_cookie.COOKIE, "")
        if not cookie:
            raise NotFound
        run = GATE.grant((room_id, cookie), lambda: _judged(room_id))
        if run.id != run_id:
            raise NotFound
        return view(run=run, **address)

    return stamp(guarded, "gated")


def _judged(room_id: str) -> FollowedRun:
    try:
        participant = find_participant(room_id, admission_cookie.read(request, room_id))
    except (NoSuchRoom, ParticipationEnded):
        raise NotFound from None
    if not is_live(participant.room):
        raise NotFound
    g.judged = participant.participation
    return FollowedRun(participant.participation.run.id, participant.participation.session_uuid)


def _participant(room_id: str) -> Participant:
    cookie = admission_cookie.read(request, room_id)
    changes = request.method not in SAFE_METHODS
    if changes and cookie is not None and not admission_cookie.proven(request, room_id, cookie):
        raise CSRFError("The proof of origin is missing, or was made for another admission.")
    participant = find_participant(room_id, cookie)
    if not is_live(participant.room):
        raise NotFound
    return participant


def _moderator(room_id: str) -> Participant:
    participant = _participant(room_id)
    if participant.participation.role is not Role.MODERATOR:
        raise NotAllowed(Message("Only moderators send in this room."))
    return participant


def _announced(connection: OpenConnection) -> int:
    """Where this chunk begins. Raises a `Refused` unless it may come."""
    said, length = request.headers.get("Upload-Offset", ""), request.content_length
    if not (said.isascii() and said.isdigit() and len(said) < 20) or length is None:  # noqa: PLR2004
        raise Conflict(Message("A chunk says where it begins, and how long it is."))
    if length > MOST_OF_CHUNK:
        raise ChunkTooLarge
    offset = int(said)
    if offset != received(connection.uuid):
        raise WrongOffset(received(connection.uuid))
    require_pace(connection, offset, length)
    return offset


def _append(connection: OpenConnection, offset: int) -> int:
    """Append the body of this request to what has come. If it breaks off, what came stays."""
    try:
        file = storage().grow(connection.uuid, most=MOST_BYTES)
    except AnotherWriter:
        raise WrongOffset(received(connection.uuid)) from None
    with file:
        if file.size != offset:
            raise WrongOffset(file.size)
        request.max_content_length = MOST_OF_CHUNK
        body = request.stream
        data = body.read(READ)
        if offset == 0:
            require_beginning(data)
        try:
            while data:
                file.write(data)
                data = body.read(READ)
        except FileTooLarge:
            raise ChunkTooLarge from None
        return file.size
