"""The route for reactions in a conference, in JSON."""

from http import HTTPStatus

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from portal.conference.reactions import Reaction, receivers_of_reaction, show_reaction
from portal.conference.signals import require_this_tab
from portal.db import session
from portal.edge.admissions import Participant
from portal.edge.guard import admitted
from portal.edge.transaction import reading_only
from portal.errors import Invalid, Message, Refused
from portal.web.conference.sent import json_body, word
from portal.web.conference.signals import refuse, refuse_proof

bp = Blueprint("reactions", __name__, url_prefix="/rooms/<id:room_id>/-/conference/reactions")
bp.register_error_handler(Refused, refuse)
bp.register_error_handler(CSRFError, refuse_proof)


@bp.post("")
@reading_only
@admitted
def create(participant: Participant) -> ResponseReturnValue:
    """Show the reaction `reaction` to all others who are in."""
    body, sender = json_body(), participant.participation
    tab = word(body, "tab")
    try:
        reaction = Reaction(str(body.get("reaction")))
    except ValueError:
        raise Invalid(reaction=Message("There is no such reaction.")) from None
    require_this_tab(sender, tab)
    receivers = receivers_of_reaction(participant.room, sender)
    session.commit()  # no transaction is open while others are told
    show_reaction(sender, receivers, reaction)
    return {"ok": True}, HTTPStatus.ACCEPTED
