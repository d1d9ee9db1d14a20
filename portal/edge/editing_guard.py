"""The door of views that change a room: it is read and locked by one statement, as a plain value."""

from portal.edge.guard import View, room_door
from portal.permissions.permission import Permission
from portal.permissions.room_reading import lock_editable_room


def edits_room(view: View) -> View:
    """Let in whoever may change the room, and replace `room_id` by the `room`, an `EditableRoom`."""
    return room_door(Permission.ROOM_EDIT, lambda somebody, room_id: (lock_editable_room(somebody, room_id),))(view)
