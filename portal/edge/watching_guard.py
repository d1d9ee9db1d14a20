"""The door in front of the files of a room's videos, which players fetch one each few seconds.

It believes the room's admission cookie only, as the doors of all that happens in a room do. What it finds out counts
for a few seconds: see `portal.watching.gate`.
"""

from functools import wraps
from typing import Any

from flask import request

from portal.admission.reauthorization import NoSuchRoom, ParticipationEnded
from portal.clock import now
from portal.edge import admission_cookie
from portal.edge.guard import View, find_participant, stamp
from portal.errors import NotFound
from portal.subscriptions.provider_models import ServiceType
from portal.watching.gate import Gate, Grant, granted

GATE: Gate[Grant] = Gate()


def gated(view: View) -> View:
    """Replace `room_id` and `video_id` by the `video`, a `WatchedVideo`. 404 for everybody who may not watch it now."""

    @wraps(view)
    def guarded(room_id: str, video_id: str, **address: Any) -> Any:
        cookie = request.cookies.get(admission_cookie.COOKIE, "")
        if not cookie:
            raise NotFound
        who = room_id, cookie
        video = GATE.grant(who, lambda: _judged(room_id)).get(video_id)
        if video is None or not video.knows(**address):  # it may have been published, or replaced, a moment ago
            video = GATE.grant(who, lambda: _judged(room_id), anew=True).get(video_id)
        if video is None:
            raise NotFound
        return view(video=video, **address)

    return stamp(guarded, "gated")


def _judged(room_id: str) -> Grant:
    """What the sender of this request may fetch. Raises `NotFound` if he is not in the room, or in none of videos."""
    try:
        participant = find_participant(room_id, admission_cookie.read(request, room_id))
    except (NoSuchRoom, ParticipationEnded):
        raise NotFound from None
    if participant.room.room_type is not ServiceType.VIDEO:
        raise NotFound
    return granted(participant.room, participant.participation.role, now())
