"""What the stream of one participant tells his page: the roster, when it has changed, and his messages."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

from flask import Flask

from portal.admission.reauthorization import NoSuchRoom, ParticipationEnded
from portal.channels import MailboxMessage, channels
from portal.clock import now
from portal.conference import signal_rate
from portal.conference.rights import ConferenceRights, rights_in
from portal.conference.roster import roster
from portal.conference.signals import mailbox
from portal.db import reading, session, transaction
from portal.edge.admission_cookie import AdmissionCookie
from portal.edge.admissions import Participant
from portal.edge.guard import find_participant
from portal.errors import Refused
from portal.providers.base import Places
from portal.rooms.models import Role, Room
from portal.rooms.settings import HIDE_USER_LIST, WEBCAMS_ONLY_FOR_MODERATOR, is_on
from portal.status.time_limit import find_end_of_run
from portal.web import sse
from portal.web.conference.moderators_facts import moderators_facts
from portal.web.conference.pages import GONE

LIMITS_EVERY = 4  # turns of a stream: so seldom are the time limit and what people may do read, while the room stays


def hear(
    app: Flask, participant: Participant, tab: str, after: str, words: dict[str, str], *, places: Places | None
) -> Iterator[str]:
    """The events for the page with this `tab`: messages later than `after`, and the roster.

    It ends with the event `over` when the participant may stay no longer, or this page not. `words`: reason → sentence.
    """
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
