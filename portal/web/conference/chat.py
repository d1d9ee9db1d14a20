"""The routes for chat in a conference, in JSON: what was written before, and writing."""

from dataclasses import asdict
from http import HTTPStatus

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from portal.conference.chat import NOTHING, messages_for, send_message
from portal.conference.signals import find_other, require_this_tab
from portal.db import writing
from portal.edge.admissions import Participant
from portal.edge.guard import admitted
from portal.edge.transaction import reading_only
from portal.errors import Invalid, Refused
from portal.web.conference.sent import json_body, word
from portal.web.conference.signals import refuse, refuse_proof

bp = Blueprint("chat", __name__, url_prefix="/rooms/<id:room_id>/-/conference/messages")
bp.register_error_handler(Refused, refuse)
bp.register_error_handler(CSRFError, refuse_proof)


@bp.get("")
@admitted
def index(participant: Participant) -> ResponseReturnValue:
    """Answer the messages that this participant may read, oldest first."""
    return {"messages": [asdict(line) for line in messages_for(participant.participation)]}


@bp.post("")
@reading_only
@admitted
def create(participant: Participant) -> ResponseReturnValue:
    """Write a message, to everybody or to the participant `to`, and answer it. The page makes `key` for each."""
    body, sender = json_body(), participant.participation
    tab, key = word(body, "tab"), word(body, "key")
    text = body.get("text")
    if not isinstance(text, str):
        raise Invalid(NOTHING)
    require_this_tab(sender, tab)
    receiver = None if body.get("to") is None else find_other(participant.room, sender, word(body, "to"))
    with writing():
        line = send_message(participant.room, sender, receiver=receiver, text=text, key=key)
    return asdict(line), HTTPStatus.CREATED
