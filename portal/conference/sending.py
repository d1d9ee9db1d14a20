"""Who may send pictures and sound, and to whom: judged by the session descriptions that the portal relays.

As many people send as the service behind the room lets send, in the order of entering. The others listen: they have a
connection to everybody, on which they only receive. When a sender leaves, the next one may send. Whose camera is for
whom says `conference.roster`, and who may share a screen `conference.rights`.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
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
    """What the session description in `data` sends; nothing if there is none.

    Browsers disagree on lines that are not quite as the standard writes them: one takes for `sendrecv` what another
    skips. None writes such lines, so a description that has any is refused. Raises `ForbiddenMessage`.
    """
    text = data.get("sdp") if isinstance(data, dict) else ""
    sending = list(_sections(text)) if isinstance(text, str) else []
    sounds = [sends for kind, sends in sending if kind == "audio"]
    pictures = [sends for kind, sends in sending if kind == "video"]
    return SentMedia(sound=any(sounds), camera=any(pictures[:1]), screen=any(pictures[1:]))


def _sections(text: str) -> Iterator[tuple[str, bool]]:
    """The kind of each section of a description, and whether it sends: each does, unless it says otherwise."""
    lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")] if text else []
    if not all(_LINE.fullmatch(line) for line in lines):
        raise ForbiddenMessage(Refusal.MEDIA, Message("No browser describes what it sends like this."))
    starts = [number for number, line in enumerate(lines) if line.startswith("m=")]
    default = _directions(lines[: starts[0]] if starts else lines) or ["sendrecv"]
    for start, end in pairwise([*starts, len(lines)]):
        kind, port = lines[start].removeprefix("m=").split(" ")[:2]
        used = int(port) != 0 or "a=bundle-only" in lines[start:end]  # without a port it may share that of another
        yield kind, used and any(one.startswith("send") for one in _directions(lines[start:end]) or default)


def _directions(lines: Sequence[str]) -> list[str]:
    return [line.removeprefix("a=") for line in lines if _DIRECTION.fullmatch(line)]


_DIRECTION = re.compile(r"a=(sendrecv|sendonly|recvonly|inactive)")
_NEARLY = r"(?i:a=\s*(?:send|recv|inactive|bundle-only))"
_LINE = re.compile(
    rf"m=(audio|video|application) [0-9]{{1,5}} [^\x00-\x1f\x7f]+|{_DIRECTION.pattern}|a=bundle-only"
    rf"|(?!m|{_NEARLY})[a-z]=[^\x00-\x1f\x7f]*"
)
"""A line as browsers write it: what looks nearly like a direction is none."""
