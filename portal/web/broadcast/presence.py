"""The signs of life of the studio and of viewers' pages, and what these are told of the broadcast in return."""

import math
from http import HTTPStatus
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from portal.broadcasts.models import BroadcastState
from portal.broadcasts.presence import heartbeat, page_closed, viewers_of
from portal.clock import now
from portal.conference import signal_rate
from portal.db import session
from portal.edge.admissions import Participant
from portal.edge.broadcast_guard import JOURNALS, follows
from portal.edge.transaction import reading_only
from portal.errors import Refused
from portal.rooms.live_settings import tells_number
from portal.rooms.models import Role
from portal.status.models import RoomSession
from portal.status.time_limit import find_end_of_run
from portal.web.broadcast.answers import refuse
from portal.web.conference.signals import refuse_proof

WARNED_MINUTES = 10

bp = Blueprint("following", __name__, url_prefix="/rooms/<id:room_id>/-/live")
bp.register_error_handler(Refused, refuse)
bp.register_error_handler(CSRFError, refuse_proof)


@bp.post("/presence")
@reading_only
@follows
def presence(participant: Participant) -> ResponseReturnValue:
    """Take a sign of life. The answer says how far the broadcast is, and how many watch to whom that is told."""
    participation = participant.participation
    signal_rate.take(signal_rate.HEARTBEATS, signal_rate.visitor_of(participation))
    told = state_of(participant)
    if participation.role is Role.MODERATOR:
        told |= _time_left(participation.run)
    session.commit()  # no transaction is open while the channels are asked
    heartbeat(participation)
    if participation.role is Role.MODERATOR or tells_number(participant.room):
        told["viewers"] = viewers_of(participation.room_uuid)
    return told


def state_of(participant: Participant) -> dict[str, Any]:
    """How far the broadcast is, as scripts are told: its `state`, and whether there is something to `play`."""
    found = JOURNALS.now(participant.participation.session_uuid)
    if found is None:
        return {"state": BroadcastState.STARTING.value, "play": False}
    return {"state": found.state.value, "play": found.segments > 0}


def _time_left(run: RoomSession) -> dict[str, int]:
    """In how many minutes the run is ended by its time limit, if that is soon."""
    end = find_end_of_run(run)
    left = math.ceil((end - now()).total_seconds() / 60) if end is not None else WARNED_MINUTES + 1
    return {"minutes_left": max(0, left)} if left <= WARNED_MINUTES else {}


@bp.post("/closing")
@reading_only
@follows
def closing(participant: Participant) -> ResponseReturnValue:
    """Note that the page was closed. It is sent as a beacon, which can carry a form only."""
    session.commit()
    page_closed(participant.participation)
    return "", HTTPStatus.NO_CONTENT
