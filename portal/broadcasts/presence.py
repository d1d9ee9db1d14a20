"""The signs of life of those who follow a broadcast: the page sends one every few seconds, and each playlist is one.

Viewers now are those of whom one came within `WATCHING`; a place is kept for `KEPT` seconds after the last one, so that
whoever comes back has it still. Both are in the channels only.
"""

import time
from dataclasses import dataclass
from uuid import UUID

from portal.channels import channels
from portal.rooms.models import Role
from portal.status.models import Participation
from portal.status.presence import LEAVING

HEARTBEAT_SECONDS = 4
WATCHING = 15.0
KEPT = 60.0
CLOSED_SECONDS = 6
"""How long somebody is in who has closed the page: a reload, or another tab, keeps him in."""
_AT, _SENDS = "at", "sends"
_COUNTED_FOR = 2.0
_counted: dict[UUID, tuple[float, int]] = {}
_MOST_COUNTED = 1000


@dataclass(frozen=True)
class Followers:
    """Who follows a broadcast: the ids of participations that keep their places, and of those who are there now."""

    kept: frozenset[str]
    now: frozenset[str]


def heartbeat(participation: Participation) -> None:
    """Keep the place of this participant, who is there now."""
    value = {_AT: time.time(), _SENDS: participation.role is Role.MODERATOR}
    channels().set_present(str(participation.room_uuid), participation.id, value, KEPT)


def page_closed(participation: Participation) -> None:
    """Let the participant be out in a moment, because his page was closed, unless another page of his is open."""
    value = {_AT: time.time(), LEAVING: True}
    channels().set_present(str(participation.room_uuid), participation.id, value, CLOSED_SECONDS)


def followers(room_uuid: UUID) -> Followers:
    """Who follows the broadcast in this room."""
    found = channels().presence(str(room_uuid))
    after = time.time() - WATCHING
    return Followers(frozenset(found), frozenset(id for id, said in found.items() if said.get(_AT, 0) > after))


def viewers_of(room_uuid: UUID) -> int:
    """How many watch in this room now, as this process counted a moment ago: moderators are none."""
    at = time.monotonic()
    counted_at, known = _counted.get(room_uuid, (-_COUNTED_FOR, 0))
    if at - counted_at < _COUNTED_FOR:
        return known
    found = channels().presence(str(room_uuid)).values()
    after = time.time() - WATCHING
    number = len([said for said in found if said.get(_AT, 0) > after and not said.get(_SENDS)])
    if len(_counted) >= _MOST_COUNTED:
        _counted.clear()
    _counted[room_uuid] = (at, number)
    return number
