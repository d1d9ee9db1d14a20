"""The reports of players: which stretches of a video somebody has played."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from portal.clock import now
from portal.conference import signal_rate
from portal.edge.admissions import Participant
from portal.edge.guard import watches
from portal.errors import Invalid, Message, Refused
from portal.rooms.models import Role
from portal.videos.queries import find_watchable
from portal.watching.views import Stretch, report
from portal.web.conference.sent import json_body, word
from portal.web.conference.signals import refusal_answer, refuse_proof

bp = Blueprint("reports", __name__, url_prefix="/rooms/<id:room_id>/-/watch")
bp.register_error_handler(Refused, refusal_answer)
bp.register_error_handler(CSRFError, refuse_proof)

MOST_STRETCHES = 50
LATEST = 10**9
"""Seconds, as a whole number: others may be too large to be made into a float."""


@bp.post("/reports")
@watches
def create(participant: Participant) -> ResponseReturnValue:
    """Note what was played: `video`, `position` in seconds, and `played`, pairs of from and to in seconds."""
    signal_rate.take(signal_rate.HEARTBEATS, signal_rate.visitor_of(participant.participation))
    body = json_body()
    participation = participant.participation
    moderates = participation.role is Role.MODERATOR
    video = find_watchable(participant.room, word(body, "video"), now(), hidden=moderates)
    report(participation, video, position=_seconds(body.get("position")), played=_stretches(body.get("played")))
    return "", HTTPStatus.NO_CONTENT


def _stretches(value: Any) -> list[Stretch]:
    if not isinstance(value, list) or len(value) > MOST_STRETCHES:
        raise Invalid(played=Message("These are no stretches of a video."))
    stretches: list[Stretch] = []
    for one in value:
        if not isinstance(one, list) or len(one) != 2:  # noqa: PLR2004
            raise Invalid(played=Message("These are no stretches of a video."))
        stretches.append((_seconds(one[0]), _seconds(one[1])))
    return stretches


def _seconds(value: Any) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not abs(value) < LATEST:  # which is not true of NaN
        raise Invalid(position=Message("This is no moment of a video."))
    return float(value)
