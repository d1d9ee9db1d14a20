"""The doors of uploads: of requests that speak tus about one, and of those that bring a piece of it.

Both ask who comes and what he may with each request. The door of pieces asks twice, because receiving one may take
long, and in between it holds neither a transaction nor a connection to the database. A stranger's bytes are not read.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from portal.db import without_transaction
from portal.edge import actor, tus
from portal.edge.guard import View, require_actor, requires
from portal.edge.upload_guard import authenticate_again
from portal.edge.uploads import require_proof, streams
from portal.errors import NotFound
from portal.permissions.permission import Permission
from portal.rooms.models import Room
from portal.videos.uploads import find_upload, forget_unpromised, room_id_of_upload


def about_upload(view: View) -> View:
    """Let in whoever manages the media of the room; replace the ids by the `room` and the `upload`."""

    @wraps(view)
    def found(room: Room, upload_id: str) -> Any:
        try:
            tus.require_version()
            return view(room=room, upload=find_upload(room, upload_id))
        except tus.TusRefused as refused:
            return tus.answer(refused.status)

    return requires(Permission.MEDIA_MANAGE)(found)


def receives_piece(view: View) -> View:
    """As `about_upload`, called after the piece that the request brings has been received."""
    again = about_upload(view)

    @wraps(view)
    def receive(room: Room, upload_id: str) -> Any:
        room_id = room.id
        if actor.someone().sign_in is not None:
            require_proof()
        upload = find_upload(room, upload_id)
        try:
            tus.require_version()
            tus.require_living(upload)
            piece = tus.announced_piece(upload)
            with without_transaction():
                tus.receive(piece)
        except tus.TusRefused as refused:
            return tus.answer(refused.status)
        authenticate_again()
        try:
            return again(room_id=room_id, upload_id=upload_id)
        except NotFound:
            forget_unpromised(piece.uuid)
            raise

    return streams(requires(Permission.MEDIA_MANAGE)(receive))


def by_upload(door: Callable[[View], View]) -> Callable[[View], View]:
    """The door for addresses that name an upload only: its room is looked up before."""

    def wrap(view: View) -> View:
        guarded = door(view)

        @wraps(guarded)  # with its stamp
        def find_room(upload_id: str) -> Any:
            require_actor()
            return guarded(room_id=room_id_of_upload(upload_id), upload_id=upload_id)

        return find_room

    return wrap
