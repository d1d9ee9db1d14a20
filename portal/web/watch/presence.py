"""The signs of life of a viewer's page. The answer says whether the list of videos is another one by now."""

from http import HTTPStatus

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from portal.conference import signal_rate
from portal.db import session, writing
from portal.edge.admissions import Participant
from portal.edge.guard import watches
from portal.edge.transaction import reading_only
from portal.errors import Refused
from portal.status.presence import end_absence
from portal.watching.presence import heartbeat, page_closed
from portal.web.conference.sent import json_body
from portal.web.conference.signals import refusal_answer, refuse_proof
from portal.web.watch.watch_list import list_version

bp = Blueprint("viewing", __name__, url_prefix="/rooms/<id:room_id>/-/watch")
bp.register_error_handler(Refused, refusal_answer)
bp.register_error_handler(CSRFError, refuse_proof)


@bp.post("/presence")
@reading_only
@watches
def presence(participant: Participant) -> ResponseReturnValue:
    """Take a sign of life, which may say that the page is `hidden`. `videos` is the version of the list."""
    participation = participant.participation
    signal_rate.take(signal_rate.HEARTBEATS, signal_rate.visitor_of(participation))
    hidden = json_body().get("hidden") is True
    version = list_version(participant)
    session.commit()  # no transaction is open while others are told
    heartbeat(participation, hidden=hidden)
    if participation.away_since is not None:
        with writing():
            end_absence(participation)
    return {"videos": version}


@bp.post("/closing")
@reading_only
@watches
def closing(participant: Participant) -> ResponseReturnValue:
    """Note that the page was closed. It is sent as a beacon, which can carry a form only."""
    session.commit()
    page_closed(participant.participation)
    return "", HTTPStatus.NO_CONTENT
