"""The signs of life of the studio and of viewers' pages, and what these are told of the broadcast in return."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from portal.broadcasts.models import BroadcastState
from portal.broadcasts.presence import heartbeat, page_closed, viewers_of
from portal.conference import signal_rate
from portal.db import session
from portal.edge.admissions import Participant
from portal.edge.broadcast_guard import JOURNALS, follows
from portal.edge.transaction import reading_only
from portal.errors import Refused
from portal.rooms.live_settings import tells_number
from portal.rooms.models import Role
from portal.web.broadcast.answers import refuse
from portal.web.conference.signals import refuse_proof

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


@bp.post("/closing")
@reading_only
@follows
def closing(participant: Participant) -> ResponseReturnValue:
    """Note that the page was closed. It is sent as a beacon, which can carry a form only."""
    session.commit()
    page_closed(participant.participation)
    return "", HTTPStatus.NO_CONTENT
