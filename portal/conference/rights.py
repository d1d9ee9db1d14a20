"""What people in a conference may do beside seeing and hearing one another: what plan, room and service allow.

The names are the codes of features. Owners may change what a room may while people are in it.
"""

from dataclasses import dataclass, fields

from portal.rooms.features import features_of
from portal.rooms.models import Role, Room
from portal.status.models import Participation


@dataclass(frozen=True)
class ConferenceRights:
    """Messages to everybody, messages to one person, and sharing one's screen."""

    public_chat: bool = False
    private_chat: bool = False
    screen_sharing: bool = False


def rights_in(room: Room) -> ConferenceRights:
    """What people in this room may do now."""
    on = {row.code for row in features_of(room) if row.used_value and row.available}
    return ConferenceRights(**{field.name: field.name in on for field in fields(ConferenceRights)})


def sharing_is_stopped(participation: Participation) -> bool:
    """Whether a moderator has stopped the screen sharing of others in the run, and this is one of them."""
    return participation.run.sharing_stopped_at is not None and participation.role is not Role.MODERATOR


def allowed_screen(room: Room, sharer: Participation, stream_id: str) -> str:
    """The id of the stream by which a page says that it shares a screen; "" where that is not allowed."""
    if not stream_id or sharing_is_stopped(sharer):
        return ""
    return stream_id if rights_in(room).screen_sharing else ""
