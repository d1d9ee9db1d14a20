"""Changing and deleting a room together with its run: nobody stays in one that is inactive or in the trash.

It belongs to this package because the rooms package does not know who is in.
"""

from typing import Unpack

from portal.people.actor import Actor
from portal.rooms.models import Room, RoomStatusWord
from portal.rooms.operations import RoomChanges, describe_room, trash_room
from portal.rooms.room_read import EditableRoom
from portal.status.models import Ending
from portal.status.runs import end_session


def change_room(room: EditableRoom, *, by: Actor, **changes: Unpack[RoomChanges]) -> EditableRoom:
    """Change a room, as `rooms.operations.describe_room` does, and end its run if the room is inactive then."""
    changed = describe_room(room, by=by, **changes)
    if changed.status is not RoomStatusWord.ACTIVE:
        end_session(changed, ending=Ending.CLOSED, by=by)
    return changed


def delete_room(room: Room, *, by: Actor) -> None:
    """End the room's run and move the room to the trash, from which `restore_room` takes it."""
    end_session(room, ending=Ending.DELETED, by=by)
    trash_room(room, by=by)
