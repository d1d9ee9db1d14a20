"""Who may send pictures and sound, and to whom: judged by the session descriptions that the portal relays.

As many people send as the service behind the room lets send, in the order of entering. The others listen: they have a
connection to everybody, on which they only receive. When a sender leaves, the next one may send. Whose camera is for
whom says `conference.roster`, and who may share a screen `conference.rights`.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from portal.conference.refusals import ForbiddenMessage, Refusal
from portal.conference.rights import allowed_screen
from portal.conference.roster import camera_is_for
from portal.errors import Message
from portal.rooms.models import Room
from portal.status.models import Participation
from portal.status.operations import present_participations
from portal.status.services import places_of_run


class SentMedia(NamedTuple):
    """What a session description sends. The first section with pictures is the camera's, further ones are screens."""

    sound: bool
    camera: bool
    screen: bool


def require_may_send(sender: Participation, receiver: Participation, room: Room, data: Any) -> None:
    """Make sure that `sender` is not about to send to `receiver` what he may not. Raises `NotAllowed`.

    `data` is that of an offer or an answer.
    """
    sent = sent_media(data)
    if not any(sent):
        return
    if sent.camera and not camera_is_for(room, sender, receiver):
        raise ForbiddenMessage(Refusal.MEDIA, Message("In this room only moderators see your camera."))
    if sent.screen and not allowed_screen(room, sender, "any"):
        raise ForbiddenMessage(Refusal.MEDIA, Message("You cannot share your screen in this room now."))
    places = places_of_run(room, sender.run)
    if places is None:
        return
    senders = present_participations(room)[: places.senders]
    if sender.uuid not in {one.uuid for one in senders}:
        raise ForbiddenMessage(
            Refusal.MEDIA,
            Message("You listen in this conversation: as many people send pictures and sound as it holds."),
        )


def sent_media(data: Any) -> SentMedia:
    """What the session description in `data` sends; nothing if there is none."""
    sending = list(_sections(str(data.get("sdp", "")) if isinstance(data, dict) else ""))
    sounds = [sends for kind, sends in sending if kind == "audio"]
    pictures = [sends for kind, sends in sending if kind == "video"]
    return SentMedia(sound=any(sounds), camera=any(pictures[:1]), screen=any(pictures[1:]))


def _sections(text: str) -> Iterator[tuple[str, bool]]:
    """The kind of each section of a description, and whether it sends: each does, unless it says otherwise."""
    head, *sections = re.split(r"^m=", text, flags=re.MULTILINE)
    default = _DIRECTION.findall(head) or ["sendrecv"]
    for section in sections:
        directions = [] if _STOPPED.match(section) else _DIRECTION.findall(section) or default
        yield section.split(" ")[0], any(direction.startswith("send") for direction in directions)


_DIRECTION = re.compile(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", flags=re.MULTILINE)
_STOPPED = re.compile(r"\w+ 0 (?!.*^a=bundle-only\s*$)", flags=re.MULTILINE | re.DOTALL)
"""A section without a port is used no longer, unless it shares the port of another."""
