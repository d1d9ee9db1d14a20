"""The routes for a player's script, in JSON: heartbeats, signals to other participants, and one stream of events."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from http import HTTPStatus
from typing import Any, NamedTuple, cast

from flask import Blueprint, Flask, current_app, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from portal.admission.reauthorization import ABSENT, NoSuchRoom, ParticipationEnded
from portal.channels import MailboxMessage, channels
from portal.clock import now
from portal.conference import signal_rate
from portal.conference.rights import ConferenceRights, allowed_screen, rights_in
from portal.conference.roster import roster
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
from portal.db import reading, session, transaction, writing
from portal.edge import admission_cookie
from portal.edge.admission_cookie import AdmissionCookie
from portal.edge.admissions import Participant
from portal.edge.errors import status_of
from portal.edge.guard import admitted, find_participant
from portal.edge.i18n import translated
from portal.edge.transaction import in_turn, reading_only
from portal.errors import Invalid, Message, Refused
from portal.providers.base import Places
from portal.rooms.models import Role, Room
from portal.rooms.settings import HIDE_USER_LIST, WEBCAMS_ONLY_FOR_MODERATOR, is_on
from portal.status.presence import end_absence
from portal.status.services import places_of_run
from portal.status.time_limit import find_end_of_run
from portal.turns import PLAYERS, STREAM_PATIENCE
from portal.web import sse
from portal.web.conference.moderators_facts import moderators_facts
from portal.web.conference.pages import GONE, all_ending_words, ending_words
from portal.web.conference.sent import TAB_LENGTH, json_body, word

bp = Blueprint("signals", __name__, url_prefix="/rooms/<id:room_id>/-/conference")

LIMITS_EVERY = 4  # turns of a stream: so seldom are the time limit and what people may do read, while the room stays


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
    return sse.stream(_hear(app, participant, tab, after, all_ending_words(), places=places))


@bp.errorhandler(Refused)
def refuse(refused: Refused) -> ResponseReturnValue:
    """Answer a refusal as JSON: a code for the script, and a sentence for the participant."""
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


def _hear(
    app: Flask, participant: Participant, tab: str, after: str, words: dict[str, str], *, places: Places | None
) -> Iterator[str]:
    participation, room = participant.participation, participant.room
    box = mailbox(participation.id)
    known: tuple[dict[str, Any], dict[str, Any]] | None = None
    limits: dict[str, Any] = {}
    limited_by: dict[str, Any] = {}
    number = signal_rate.open_stream(participation.id)
    try:
        channels().nudge(box)  # an older stream may have to end
        with channels().watch(f"room:{room.uuid}", f"user:{participation.user_uuid}", box) as watch:
            for turn in sse.turns(watch):
                if not signal_rate.is_open(participation.id, number):
                    yield sse.event("over", {"reason": "elsewhere", "message": words["elsewhere"]})
                    return
                for message in channels().messages(box, after):
                    after = message.id
                    heard = _event(message, tab, words)
                    if heard:
                        yield heard
                    if message.body["event"] == "over" and _is_for(message, tab):
                        return
                read = _read_roster(app, room.id, participant.cookie, places)
                if turn % LIMITS_EVERY == 0 or read.room_features != limited_by:
                    limits, limited_by = _limits(app, participant), read.room_features
                if (read.people, limits) != known:
                    known = (read.people, limits)
                    yield sse.event("roster", {**read.people, **limits})
                else:
                    yield sse.event("beat", {})  # a script hears no comments, and wants to know that the stream lives
                watch.wait(sse.waiting_time(sse.HEARTBEAT_SECONDS, read.member_until))
    except (ParticipationEnded, NoSuchRoom) as over:
        reason = over.reason if isinstance(over, ParticipationEnded) else GONE
        yield sse.event("over", {"reason": reason, "message": words.get(reason, "")})
    except Refused:  # something does not answer at the moment: the player opens another stream, and stays in
        return
    finally:
        signal_rate.close_stream(participation.id, number)


class _RosterRead(NamedTuple):
    """What a stream reads at each of its turns, and tells if it has changed.

    `people`: the roster, for moderators with `moderators_facts`. `room_features`: what the room narrows of its plan.
    `member_until`: when the participant's membership ends, if he is in by one that does.
    """

    people: dict[str, Any]
    room_features: dict[str, Any]
    member_until: datetime | None


def _read_roster(app: Flask, room_id: str, cookie: AdmissionCookie, places: Places | None) -> _RosterRead:
    """Read the roster, after checking again that this participant still may be in."""
    with app.app_context(), reading(), transaction():
        participant = find_participant(room_id, cookie)
        room = participant.room
        people = [
            asdict(person) | {"you": person.id == participant.participation.id}
            for person in roster(room, places, participant.participation)
        ]
        run = participant.participation.run
        told: dict[str, Any] = {
            "people": people,
            "count": len(people),
            "since": run.started_at.isoformat(),
            "locked": run.locked_at is not None,
            "chat_stopped": run.chat_stopped_at is not None,
            "sharing_stopped": run.sharing_stopped_at is not None,
            "list_hidden": is_on(room, HIDE_USER_LIST),
            "cameras_for_moderators": is_on(room, WEBCAMS_ONLY_FOR_MODERATOR),
        }
        if participant.participation.role is Role.MODERATOR:
            told |= moderators_facts(room, run)
    return _RosterRead(told, room.room_features, _membership_end(participant))


def _limits(app: Flask, participant: Participant) -> dict[str, Any]:
    """When the run ends by its time limit, and what people may do. Owners may change both while it lasts."""
    with app.app_context(), reading(), transaction():
        end = find_end_of_run(participant.participation.run)
        room = session.get(Room, participant.room.uuid)
        rights = rights_in(room) if room is not None else ConferenceRights()
    return {"until": None if end is None else end.isoformat(), "rights": asdict(rights)}


def _membership_end(participant: Participant) -> datetime | None:
    """When the membership by which somebody may be in ends; None if it does not, or if he is in without one."""
    membership = participant.member.memberships.get(participant.room.uuid) if participant.member else None
    end = membership.until if membership is not None else None
    return end if end is not None and end > now() else None


def _event(message: MailboxMessage, tab: str, words: dict[str, str]) -> str:
    if not _is_for(message, tab):
        return ""
    body = {name: value for name, value in message.body.items() if name != "event"}
    name = str(message.body["event"])
    if name == "over":
        body["message"] = words.get(str(body.get("reason")), "")
    return sse.event(name, body, number=message.id)


def _is_for(message: MailboxMessage, tab: str) -> bool:
    """Whether the message is for this tab: it may name the tab that was replaced, or the one that is called."""
    wanted = message.body.get("to_tab") or (
        message.body.get("tab") if message.body.get("reason") == "elsewhere" else ""
    )
    return not wanted or wanted == tab


def _kind(body: dict[str, Any]) -> SignalType:
    try:
        return SignalType(str(body.get("kind")))
    except ValueError:
        raise Invalid(kind=Message("There is no such signal.")) from None
