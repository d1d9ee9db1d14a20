"""Who has asked to come in and waits for the host: known for as long as their pages go on asking, and never stored.

Asking is pressing the button; looking at the door is not, so a page that is only read counts for nobody. The
pages of those who asked look again every few seconds, which keeps them in the count; who closes the page, or
comes in, drops out of it.
"""

from contextlib import suppress

from portal.admission.queries import Visitor
from portal.channels import channels
from portal.errors import ChannelsAway
from portal.rooms.models import Room
from portal.rooms.operations import room_topics
from portal.rooms.settings import WAIT_FOR_HOST

WAITING_SECONDS = 70  # browsers let hidden pages look only once a minute
_GROUP = "waiting:"
_WAITING = {"asked": True}


def start_waiting(room: Room, visitor: Visitor) -> None:
    """The visitor pressed the button and has to wait. Who shows the room's status is told of a new one.

    Like all of these it says nothing if channels are away: nobody is kept from the door by that.
    """
    with suppress(ChannelsAway):
        if channels().set_present(_group(room), _waiter(visitor), _WAITING, WAITING_SECONDS, instead_of={}):
            channels().nudge(*room_topics(room), word=room.id)
        else:
            keep_waiting(room, visitor)


def keep_waiting(room: Room, visitor: Visitor) -> None:
    """The visitor's page looks again. Whoever has not asked is not counted by looking."""
    with suppress(ChannelsAway):
        channels().set_present(_group(room), _waiter(visitor), _WAITING, WAITING_SECONDS, instead_of=_WAITING)


def stop_waiting(room: Room, visitor: Visitor) -> None:
    """The visitor is in."""
    if room.room_settings.get(WAIT_FOR_HOST):
        with suppress(ChannelsAway):
            channels().set_absent(_group(room), _waiter(visitor))


def count_waiting(room: Room) -> int:
    """How many asked and wait; 0 if nobody has to, or if that cannot be known now."""
    if room.room_settings.get(WAIT_FOR_HOST):
        with suppress(ChannelsAway):
            return len(channels().presence(_group(room)))
    return 0


def is_waiting_group(group: str) -> bool:
    """Whether this group of the channels is one of those who wait, and not of those who are in."""
    return group.startswith(_GROUP)


def _group(room: Room) -> str:
    return f"{_GROUP}{room.uuid}"


def _waiter(visitor: Visitor) -> str:
    """A member waits once, on however many devices."""
    return f"user:{visitor.member.uuid}" if visitor.member is not None else f"device:{visitor.device}"
