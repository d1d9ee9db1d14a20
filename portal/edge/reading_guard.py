"""Doors of views that change nothing of what the address names: it is read as plain values, by one statement."""

from collections.abc import Callable

from portal.edge.guard import View, room_door
from portal.permissions.permission import Permission
from portal.permissions.room_reading import read_room
from portal.status.room_status_read import read_room_and_status


def reads(permission: Permission) -> Callable[[View], View]:
    """Let in whoever holds the permission on the room, and replace `room_id` by the `room`, a `RoomRead`."""
    return room_door(permission, lambda somebody, room_id: (read_room(somebody, room_id),))


def reads_status(view: View) -> View:
    """Let in whoever may see the room's status, and replace `room_id` by the `room` and its status, `stored`.

    `room` is a `RoomRead`, `stored` a `RoomStatusRead`, or None for a room that was never used.
    """
    return room_door(Permission.STATUS_VIEW, read_room_and_status, "stored")(view)
