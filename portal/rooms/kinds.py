"""The room types: for each its label and icon, the feature that limits its people, its figures in the API, its tabs.

What a type lets people set is in `portal.rooms.settings`, and what a plan grants it in the catalogue of features.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from portal.errors import Message
from portal.providers import registry
from portal.subscriptions.provider_models import ServiceType


class RoomTab(StrEnum):
    """One of the pages of a room for those who manage it."""

    OVERVIEW = "overview"
    LINKS = "links"
    CODES = "codes"
    PEOPLE = "people"
    SESSIONS = "sessions"
    VIDEOS = "videos"
    RECORDINGS = "recordings"
    WEBHOOKS = "webhooks"
    SETTINGS = "settings"


@dataclass(frozen=True, kw_only=True)
class RoomKind:
    """What is said and counted of rooms of one type.

    `icon` is a name in templates/components/icon.html. `people` is the plural noun for participants, `enter` the label
    of the members' Enter button. `people_limit` is the code of the feature that limits participants, or None. `counts`
    are the figures that the API answers for every such room, 0 while nothing is known. `tabs` are the room's pages, in
    order.
    """

    label: Message
    icon: str
    people: Message
    enter: Message
    people_limit: str | None
    counts: tuple[str, ...] = ()
    tabs: tuple[RoomTab, ...] = tuple(one for one in RoomTab if one is not RoomTab.VIDEOS)


KINDS: Mapping[ServiceType, RoomKind] = {
    ServiceType.MEET: RoomKind(
        label=Message("Conference"),
        icon="video",
        people=Message("people"),
        enter=Message("Enter"),
        people_limit="max_participants",
        counts=("participants", "moderators", "attendees", "guests", "reconnecting"),
    ),
    ServiceType.LIVE: RoomKind(
        label=Message("Live stream"),
        icon="video",
        people=Message("viewers"),
        enter=Message("Watch"),
        people_limit="max_viewers",
    ),
    ServiceType.VIDEO: RoomKind(
        label=Message("Videos"),
        icon="play",
        people=Message("viewers"),
        enter=Message("Watch"),
        people_limit="max_viewers",
        counts=("watching", "views", "hours", "videos"),
        tabs=(
            RoomTab.OVERVIEW,
            RoomTab.VIDEOS,
            *(one for one in RoomTab if one not in {RoomTab.OVERVIEW, RoomTab.VIDEOS, RoomTab.RECORDINGS}),
        ),
    ),
    ServiceType.SIMULCAST: RoomKind(
        label=Message("Simulcast"),
        icon="share",
        people=Message("people"),
        enter=Message("Enter"),
        people_limit=None,
    ),
}


class HasRoomType(Protocol):
    """A room, or a row of a list of rooms."""

    @property
    def room_type(self) -> ServiceType: ...


def kind_of(room: HasRoomType) -> RoomKind:
    """What is said about this room's type."""
    return KINDS[room.room_type]


def served_types() -> list[ServiceType]:
    """The types of which there can be rooms: those that an adapter of this portal serves."""
    served = {kind for key in registry.known() for kind in registry.adapter(key).kinds}
    return [room_type for room_type in KINDS if room_type in served]
