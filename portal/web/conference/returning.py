"""The way back for a player whose place was lost: it enters again through the same decision as at the door, in JSON.

Only whoever lost the connection comes back this way. Nobody types anything for it: the name is that of the
participation which was lost, and an access code that was right then counts as long as it is valid.
"""

from dataclasses import replace
from http import HTTPStatus

from flask import Blueprint, Response, g, get_template_attribute, jsonify, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from portal.admission.case import Reason, Wait
from portal.admission.decision import Decision
from portal.admission.entering import Declined
from portal.admission.joining import Arrival, arrive
from portal.admission.participations import find_participation
from portal.admission.reauthorization import NoSuchRoom, ParticipationEnded
from portal.edge import admission_cookie
from portal.edge.admissions import Admission
from portal.edge.guard import at_door, find_participant
from portal.edge.network import network
from portal.edge.refusals import recording_refusals
from portal.edge.transaction import in_turn
from portal.errors import Refused
from portal.status.models import Ending, Participation
from portal.turns import JOINS, SCRIPT_PATIENCE
from portal.web.conference.pages import ending_words
from portal.web.conference.sent import json_body
from portal.web.conference.signals import refusal_answer, refuse_proof

bp = Blueprint("returning", __name__, url_prefix="/rooms/<id:room_id>/-/conference")
bp.register_error_handler(Refused, refusal_answer)
bp.register_error_handler(CSRFError, refuse_proof)


@bp.post("/return")
@in_turn(JOINS, SCRIPT_PATIENCE)
@at_door
def create(admission: Admission) -> ResponseReturnValue:
    """Enter again. `by_itself`: nobody pressed a button, so it is refused if the conversation has ended meanwhile.

    Answers the id of the participation, or `{"error": …}`: `ended` (left, removed, …), `over` (the conversation is),
    `door` with the address where it goes on, or `refused`. All but `door` have a `message` for the participant. The
    status of `door` is 200 if that address is the service's, where a place is kept now: an error would undo that.
    """
    lost = _lost_participation(admission)
    if lost is None:
        return {"id": admission.cookie.participation_id}
    by_itself = json_body().get("by_itself") is not False
    if by_itself and lost.run.ended_at is not None:
        return {"error": "over", "message": ending_words(Ending.LOST)}, HTTPStatus.CONFLICT
    visitor = replace(admission.visitor, device=admission.cookie.device)
    try:
        with recording_refusals():
            arrival = arrive(
                room=admission.room,
                provider=admission.provider,
                visitor=visitor,
                network=network(),
                name=lost.name,
                returning=True,
            )
    except Declined as declined:
        return _declined(admission, declined.decision), HTTPStatus.FORBIDDEN
    return _entered(admission, arrival)


def _lost_participation(admission: Admission) -> Participation | None:
    """The participation that was lost; None if it is still open. Raises `ParticipationEnded` if it ended otherwise."""
    if admission.is_new:
        raise NoSuchRoom
    if not g.csrf_valid:
        raise CSRFError("The proof of origin is missing, or was made for another admission.")
    try:
        find_participant(admission.room.id, admission.cookie)
    except ParticipationEnded as ended:
        if ended.reason != Ending.LOST.value:
            raise
        return find_participation(admission.room, admission.cookie.device, admission.cookie.participation_id)
    return None


def _entered(admission: Admission, arrival: Arrival) -> Response:
    inside, destination = arrival.place, arrival.destination
    answer = jsonify({"id": inside.id} if destination is None else {"error": "door", "address": destination.url})
    cookie = replace(admission.cookie, participation_id=inside.id, last_name=inside.name)
    return admission_cookie.write(answer, admission.room.id, cookie)


def _declined(admission: Admission, decision: Decision) -> dict[str, str]:
    if isinstance(decision.result, Wait) or decision.reason is Reason.CODE_MISSING:
        as_a_member = admission.cookie.sign_in_uuid is not None
        entrance = url_for("member_entrance.show", room_id=admission.room.id) if as_a_member else admission.room.path
        return {"error": "door", "address": f"{entrance}?asked=1"}
    link = admission.visitor.link
    reason = decision.reason.value if decision.reason is not None else ""
    words = [str(get_template_attribute("join/_words.html", part)(reason, link)).strip() for part in _WORDS]
    return {"error": "refused", "message": ". ".join(words)}


_WORDS = ("refusal_title", "refusal_words")
