"""The routes for a player's script, in JSON: heartbeats, signals to other participants, and one stream of events."""

from http import HTTPStatus
from typing import Any, cast

from flask import Blueprint, Flask, current_app, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from portal.admission.reauthorization import ABSENT, NoSuchRoom, ParticipationEnded
from portal.channels import channels
from portal.conference.refusals import count_refusal
from portal.conference.rights import allowed_screen
from portal.conference.sending import require_may_send
from portal.conference.signals import (
    InAnotherTab,
    SignalType,
    find_receiver,
    heartbeat,
    is_for_the_room,
    is_moderation,
    mailbox,
    moderate,
    names_somebody,
    page_closed,
    relay_signal,
    require_may_signal,
)
from portal.conference.whole_room import moderate_room
from portal.db import session, writing
from portal.edge import admission_cookie
from portal.edge.admissions import Participant
from portal.edge.errors import status_of
from portal.edge.guard import admitted
from portal.edge.i18n import translated
from portal.edge.transaction import in_turn, reading_only
from portal.errors import Invalid, Message, Refused
from portal.status.presence import end_absence
from portal.status.services import places_of_run
from portal.turns import PLAYERS, STREAM_PATIENCE
from portal.web import sse
from portal.web.conference.pages import GONE, all_ending_words, ending_words
from portal.web.conference.sent import TAB_LENGTH, json_body, word
from portal.web.conference.stream import hear

bp = Blueprint("signals", __name__, url_prefix="/rooms/<id:room_id>/-/conference")


@bp.post("/presence")
@reading_only
@admitted
def presence(participant: Participant) -> ResponseReturnValue:
    """Take a heartbeat, which the player sends every three seconds.

    The first one of a page is answered with `mark`, the id of the last message in its mailbox: others send
    messages as soon as they know of the page, and its stream has to begin after that id.
    """
    body = json_body()
    asked = word(body, "screen") if body.get("screen") else ""
    screen = allowed_screen(participant.room, participant.participation, asked)
    session.commit()  # no transaction is open while others are told
    mark = channels().last_message_id(mailbox(participant.participation.id)) if body.get("first") is True else None
    heartbeat(
        participant.participation,
        tab=word(body, "tab"),
        microphone=body.get("microphone") is True,
        camera=body.get("camera") is True,
        screen=screen,
        hand=body.get("hand") is True,
        takeover=body.get("takeover") is True,
        before=str(body.get("before") or "")[:TAB_LENGTH],
    )
    if participant.participation.away_since is not None:
        with writing():
            end_absence(participant.participation)
    return {"ok": True} if mark is None else {"ok": True, "mark": mark}


@bp.post("/closing")
@reading_only
@admitted
def closing(participant: Participant) -> ResponseReturnValue:
    """Note that the page was closed. The participation goes on for a moment, in case that the page is reloaded.

    It is sent as a beacon, which can carry a form only.
    """
    tab = request.form.get("tab", "")
    session.commit()
    page_closed(participant.participation, tab=tab)
    return "", HTTPStatus.NO_CONTENT


@bp.post("/signals")
@reading_only
@admitted
def send_signal(participant: Participant) -> ResponseReturnValue:
    """Relay a signal to another participant; or do what a moderator asks, which is written to the audit."""
    body, sender = json_body(), participant.participation
    tab, kind = word(body, "tab"), _kind(body)
    to = word(body, "to") if names_somebody(kind) else ""
    session.commit()  # no transaction is open while others are told
    require_may_signal(sender, tab, kind)
    if is_for_the_room(kind):
        with writing():
            moderate_room(sender=sender, kind=kind, waiter_id=to, by=participant.member)
        return {"ok": True}, HTTPStatus.ACCEPTED
    receiver = find_receiver(participant.room, sender, to, kind)
    if kind in {SignalType.OFFER, SignalType.ANSWER}:
        require_may_send(sender, receiver, participant.room, body.get("data"))
    session.commit()
    if is_moderation(kind):
        with writing():
            moderate(sender=sender, receiver=receiver, kind=kind, by=participant.member)
    else:
        relay_signal(
            sender=sender,
            tab=tab,
            receiver=receiver,
            to_tab=str(body.get("to_tab") or "")[:TAB_LENGTH],
            kind=kind,
            data=body.get("data"),
        )
    return {"ok": True}, HTTPStatus.ACCEPTED


@bp.get("/stream")
@in_turn(PLAYERS, STREAM_PATIENCE)
@admitted
def stream(participant: Participant) -> ResponseReturnValue:
    """Stream the roster and the messages for this participant, from `Last-Event-ID` or else the message `after` on.

    Of several streams of one participant the oldest end.
    """
    app = cast("Flask", current_app._get_current_object())  # type: ignore[attr-defined]
    box = mailbox(participant.participation.id)
    asked = request.headers.get("Last-Event-ID") or request.args.get("after")
    after = channels().last_message_id(box) if asked is None else asked[:64]
    tab = request.args.get("tab", "")[:TAB_LENGTH]
    places = places_of_run(participant.room, participant.participation.run)
    return sse.stream(hear(app, participant, tab, after, all_ending_words(), places=places))


@bp.errorhandler(Refused)
def refuse(refused: Refused) -> ResponseReturnValue:
    """Count a refusal of what somebody's page has sent, and answer it."""
    room_id = (request.view_args or {})["room_id"]
    cookie = admission_cookie.read(request, room_id)
    count_refusal(refused, room_id=room_id, participation_id=cookie.participation_id if cookie is not None else "")
    return refusal_answer(refused)


def refusal_answer(refused: Refused) -> ResponseReturnValue:
    """A refusal as JSON: a code for the script, and a sentence for the participant."""
    if isinstance(refused, (ParticipationEnded, NoSuchRoom)):
        reason = _ending_reason(refused)
        return {"error": "ended", "reason": reason, "message": ending_words(reason)}, HTTPStatus.GONE
    if isinstance(refused, InAnotherTab):
        return {"error": "elsewhere", "message": translated(refused.message)}, HTTPStatus.CONFLICT
    return {"error": "refused", "message": translated(refused.message)}, status_of(refused)


@bp.errorhandler(CSRFError)
def refuse_proof(_error: CSRFError) -> ResponseReturnValue:
    """Answer in JSON a proof of origin that is not of this admission: the browser has got another cookie since."""
    return {"error": "refused", "message": ending_words(ABSENT)}, HTTPStatus.BAD_REQUEST


def _ending_reason(refused: ParticipationEnded | NoSuchRoom) -> str:
    """Why a player ends. Without a cookie nothing is told of the room: it may be there, and the cookies cleared."""
    if isinstance(refused, ParticipationEnded):
        return refused.reason
    known = admission_cookie.read(request, (request.view_args or {})["room_id"]) is not None
    return GONE if known else ABSENT


def _kind(body: dict[str, Any]) -> SignalType:
    try:
        return SignalType(str(body.get("kind")))
    except ValueError:
        raise Invalid(kind=Message("There is no such signal.")) from None
