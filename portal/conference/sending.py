"""Who may send pictures and sound: as many people as the service behind the room lets send, in the order of entering.

The others listen: they have a connection to everybody, on which they only receive. When a sender leaves, the next one
may send.
"""

import re
from typing import Any

from portal.errors import Message, NotAllowed
from portal.rooms.models import Room
from portal.status.models import Participation
from portal.status.operations import present_participations
from portal.status.services import places_of_run


def require_may_send(sender: Participation, room: Room, data: Any) -> None:
    """Make sure that somebody who listens is not about to send pictures or sound. Raises `NotAllowed`.

    `data` is that of an offer or an answer.
    """
    places = places_of_run(room, sender.run)
    if places is None or not sends_media(data):
        return
    senders = present_participations(room)[: places.senders]
    if sender.uuid not in {one.uuid for one in senders}:
        raise NotAllowed(
            Message("You listen in this conversation: as many people send pictures and sound as it holds.")
        )


def sends_media(data: Any) -> bool:
    """Whether a session description sends pictures or sound: each of its sections does, unless it says otherwise."""
    text = str(data.get("sdp", "")) if isinstance(data, dict) else ""
    head, *sections = re.split(r"^m=", text, flags=re.MULTILINE)
    default = _DIRECTION.findall(head) or ["sendrecv"]
    return any(
        direction.startswith("send")
        for section in sections
        if section.startswith(("audio", "video"))
        for direction in _DIRECTION.findall(section) or default
    )


_DIRECTION = re.compile(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", flags=re.MULTILINE)
