"""Why nobody can enter a room at the moment because of what stands above it, for whoever looks after the room."""

from datetime import datetime

from portal.accounts.models import AccountStatus
from portal.errors import Message
from portal.rooms.models import Room, RoomStatusWord


def why_unusable(room: Room, at: datetime) -> Message | None:
    """Why no link to the room lets anybody in, and what to do; None if nothing above the links keeps people out.

    It judges what `Room.usable` does.
    """
    if room.usable(at):
        return None
    if not room.customer.usable:
        return Message("Nobody can enter: its customer is switched off. Ask whoever runs this portal.")
    if not room.subscription.is_active(at):
        return Message(
            "Nobody can enter: its subscription has ended, has not begun, or is suspended. "
            "Ask whoever runs this portal."
        )
    if room.account.status is not AccountStatus.ACTIVE:
        return Message("Nobody can enter: its account is inactive. Ask whoever runs this portal.")
    if room.status is not RoomStatusWord.ACTIVE:
        return Message("Nobody can enter: the room is inactive. It can be made active in its settings.")
    return Message("Nobody can enter: the service behind the room is switched off. Ask whoever runs this portal.")
