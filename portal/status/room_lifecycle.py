"""Changing and deleting a room as a whole: nobody stays in one that is inactive or in the trash.

Stands here because a room itself does not know who is in.
"""

from typing import Unpack

from portal.people.actor import Actor
from portal.rooms.models import Room, RoomStatusWord
from portal.rooms.operations import RoomChanges, describe_room, trash_room
from portal.status.runs import end_session


def change_room(room: Room, *, by: Actor, **changes: Unpack[RoomChanges]) -> None:
    """Change what is given (see `describe_room`). A room that is inactive then sends everybody out."""
    describe_room(room, by=by, **changes)
    if room.status is not RoomStatusWord.ACTIVE:
        end_session(room, by=by)


def delete_room(room: Room, *, by: Actor) -> None:
    """Send everybody out and put the room into the trash, from which `restore_room` takes it."""
    end_session(room, by=by)
    trash_room(room, by=by)
