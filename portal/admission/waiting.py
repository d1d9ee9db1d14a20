"""Visitors who wait for the host: counted in the channels, never stored.

A visitor waits once he has pressed Join; a page that is only open does not count. His page asks again every few
seconds, which keeps him in the count; when he closes the page or enters, he drops out of it.
"""

from contextlib import suppress

from portal.admission.visitor import Visitor
from portal.channels import channels
from portal.errors import ChannelsAway
from portal.rooms.operations import room_topics
from portal.rooms.protocols import RoomColumns
from portal.rooms.settings import WAIT_FOR_HOST

WAITING_SECONDS = 70  # browsers let a hidden page send a request only once a minute
_GROUP = "waiting:"
_WAITING = {"asked": True}


def start_waiting(room: RoomColumns, visitor: Visitor) -> None:
    """Count a visitor who has pressed Join and has to wait, and nudge pages that show the room's status.

    Does nothing if the channels are away, as all functions here: that must keep nobody from the room.
    """
    with suppress(ChannelsAway):
        if channels().set_present(_group(room), _waiter(visitor), _WAITING, WAITING_SECONDS, instead_of={}):
            channels().nudge(*room_topics(room), word=room.id)
        else:
            keep_waiting(room, visitor)


def keep_waiting(room: RoomColumns, visitor: Visitor) -> None:
    """Keep counting a visitor whose page asks again. One who has not pressed Join is not counted."""
    with suppress(ChannelsAway):
        channels().set_present(_group(room), _waiter(visitor), _WAITING, WAITING_SECONDS, instead_of=_WAITING)


def stop_waiting(room: RoomColumns, visitor: Visitor) -> None:
    """Stop counting a visitor, because he has entered."""
    if room.room_settings.get(WAIT_FOR_HOST):
        with suppress(ChannelsAway):
            channels().set_absent(_group(room), _waiter(visitor))


def count_waiting(room: RoomColumns) -> int:
    """How many visitors wait for the host; 0 if the room needs none, or if the channels are away."""
    if room.room_settings.get(WAIT_FOR_HOST):
        with suppress(ChannelsAway):
            return len(channels().presence(_group(room)))
    return 0


def is_waiting_group(group: str) -> bool:
    """Whether this group in the channels holds waiting visitors, and not participants."""
    return group.startswith(_GROUP)


def _group(room: RoomColumns) -> str:
    return f"{_GROUP}{room.uuid}"


def _waiter(visitor: Visitor) -> str:
    """The name of the visitor in the group. A member has one, so he counts once on however many devices."""
    return f"user:{visitor.member.uuid}" if visitor.member is not None else f"device:{visitor.device}"
