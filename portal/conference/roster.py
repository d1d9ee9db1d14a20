"""The roster: who is in, as the page of one participant is told.

Two settings of the room limit what attendees and guests are told of one another; moderators are told everything, and
everybody is told everything of moderators. Both are read anew for each roster, so they hold at once for who is in, when
somebody comes later, and when somebody becomes a moderator or is one no longer.

`hide_user_list` (BigBlueButton: `lockSettingsHideUserList`): of other attendees and guests they learn a name only while
these are seen or heard: camera, microphone or screen is on. Else the entry is not `listed`, and has no name; it is
there because the pages have to find one another to send pictures and sound to. How many are in is no secret, at the
door either; who they are is.

`webcams_only_for_moderator`: cameras of attendees and guests are told, and sent, to moderators only. Screens that they
share, and their voices, are for everybody, and so are the cameras of moderators.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from portal.channels import channels
from portal.conference.rights import sharing_is_stopped
from portal.providers.base import Places
from portal.rooms.models import Role, Room
from portal.rooms.settings import HIDE_USER_LIST, WEBCAMS_ONLY_FOR_MODERATOR, is_on
from portal.status.models import Participation
from portal.status.operations import present_participations


@dataclass(frozen=True)
class RosterEntry:
    """One participant in the roster: who he is, and what his browser last said about microphone, camera and screen.

    `away`: no heartbeat comes at present, and his place is kept. `tab` is "" until a page of his sends one. `screen` is
    the id of the stream of the screen that he shares, since `screen_since`; `hand` is the moment at which he raised his
    hand. All three are "" if there is none. `sends`: he may send pictures and sound; the others listen. `listed`: the
    reader may know who he is; if not, `name` and `hand` are "".
    """

    id: str
    name: str
    role: Role
    tab: str
    microphone: bool
    camera: bool
    screen: str
    screen_since: str
    hand: str
    away: bool
    sends: bool
    listed: bool = True


def roster(room: Room, places: Places | None, reader: Participation) -> list[RosterEntry]:
    """The participants in the room, in the order of entering, as `reader` may know them.

    `places`: what the service behind the room holds. The first `senders` of them send; when one leaves, the next does.
    """
    present = channels().presence(str(room.uuid))
    return [
        _told(
            _entry(participation, present.get(participation.id, {}), sends=places is None or number < places.senders),
            room,
            reader,
        )
        for number, participation in enumerate(present_participations(room))
    ]


def camera_is_for(room: Room, sender: Participation, receiver: Participation) -> bool:
    """Whether the camera of one participant is for the other."""
    return Role.MODERATOR in {sender.role, receiver.role} or not is_on(room, WEBCAMS_ONLY_FOR_MODERATOR)


def _entry(participation: Participation, said: Mapping[str, Any], *, sends: bool) -> RosterEntry:
    shares = sends and not sharing_is_stopped(participation)
    return RosterEntry(
        id=participation.id,
        name=participation.name,
        role=participation.role,
        tab=str(said.get("tab", "")),
        microphone=sends and bool(said.get("microphone")),
        camera=sends and bool(said.get("camera")),
        screen=str(said.get("screen", "")) if shares else "",
        screen_since=str(said.get("screen_since", "")) if shares else "",
        hand=str(said.get("hand", "")),
        away=participation.away_since is not None,
        sends=sends,
    )


def _told(entry: RosterEntry, room: Room, reader: Participation) -> RosterEntry:
    """The entry without what the reader must not know."""
    if Role.MODERATOR in {entry.role, reader.role} or entry.id == reader.id:
        return entry
    if is_on(room, WEBCAMS_ONLY_FOR_MODERATOR):
        entry = replace(entry, camera=False)
    if is_on(room, HIDE_USER_LIST) and not (entry.microphone or entry.camera or entry.screen):
        entry = replace(entry, name="", hand="", listed=False)
    return entry
