"""The door of views that take a file for a room.

It asks twice who comes and what he may: before the body is read, because a stranger's is not even received, and after
it, because that may have taken long. In between it holds neither a transaction nor a connection to the database.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import g

from portal.db import without_transaction
from portal.edge import actor, bearer
from portal.edge.editing_guard import edits_room
from portal.edge.guard import SignInFirst, View, requires
from portal.edge.uploads import receive_file, require_proof, streams
from portal.permissions.permission import Permission
from portal.rooms.models import Room


def takes_film(*, most: int) -> Callable[[View], View]:
    """Let in whoever manages the media of the room, and replace `room_id` by the `room`, and by the `upload`."""
    return _takes(requires(Permission.MEDIA_MANAGE), requires(Permission.MEDIA_MANAGE), most=most)


def takes_file(*, most: int) -> Callable[[View], View]:
    """Let in whoever may change the room, and replace `room_id` by the `room`, an `EditableRoom`, and by the `upload`.

    The upload is a file of at most `most` bytes, or says why there is none.
    """
    return _takes(requires(Permission.ROOM_EDIT), edits_room, most=most)


def _takes(first: Callable[[View], View], then: Callable[[View], View], *, most: int) -> Callable[[View], View]:
    """A door that asks `first` before the body is read, and `then` after it."""

    def door(view: View) -> View:
        locked = then(view)

        @wraps(view)
        def receive(room: Room, **address: Any) -> Any:
            room_id = room.id
            with without_transaction():
                upload = receive_file(most=most)
            if upload.refused is None and actor.someone().sign_in is not None:
                require_proof()
            authenticate_again()
            return locked(room_id=room_id, upload=upload, **address)

        return streams(first(receive))

    return door


def authenticate_again() -> None:
    """Find out anew who sends: he may have been signed out, or his token revoked, since the body began to come."""
    sign_in = actor.someone().sign_in
    if sign_in is None:
        g.pop("bearer_token", None)
        actor.become(bearer.current())
        return
    somebody = actor.by_sign_in(sign_in.uuid)
    if somebody is None:
        raise SignInFirst
    actor.become(somebody)
