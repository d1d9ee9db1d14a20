"""The pages of an embedded conference: the player, leaving it, and the page after leaving.

The page after leaving reads from the database what happened, never from the address, and offers a way back only if
that works now.
"""

from dataclasses import dataclass, replace

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.admission.case import PASSING, Refuse
from portal.admission.decision import Decision
from portal.admission.entering import preview
from portal.admission.reauthorization import ABSENT, MEMBERSHIP, READMITTED, SIGNED_OUT, ParticipationEnded
from portal.edge import actor
from portal.edge.admissions import Admission, Participant
from portal.edge.guard import admitted, at_door, find_participant
from portal.edge.i18n import gettext as _
from portal.edge.visitors import find_member
from portal.errors import Conflict, Message, NotFound
from portal.media.queries import is_recorded
from portal.permissions.permission import Permission
from portal.permissions.rules import can
from portal.providers.base import Embeddable
from portal.rooms.kinds import HasRoomType
from portal.rooms.models import Role
from portal.rooms.settings import MODERATOR_ONLY_MESSAGE, MUTE_ON_START, WELCOME_MESSAGE, setting_of
from portal.status.models import Driver, Ending
from portal.status.operations import leave_session
from portal.status.services import service_of
from portal.status.time_limit import longest_minutes
from portal.subscriptions.provider_models import ServiceType
from portal.web.join.arrival import page_of

bp = Blueprint("conference", __name__, url_prefix="/rooms/<id:room_id>/-")


ELSEWHERE, GONE = "elsewhere", "gone"
"""Two more reasons why a player ends: another tab has taken over; the room itself is gone."""


def all_ending_words() -> dict[str, str]:
    """Reason → the sentence that tells a participant why he is not in the room any more."""
    return {
        Ending.LEFT.value: _("You left the room."),
        Ending.LOST.value: _("The connection to the room was lost."),
        Ending.REMOVED.value: _("A moderator removed you from the room."),
        READMITTED: _("A moderator let you back in."),
        Ending.CLOSED.value: _("The room was closed."),
        Ending.DELETED.value: _("The room was deleted."),
        Ending.ENDED.value: _("The conversation was ended for everyone."),
        Ending.TIME_LIMIT.value: _("The conversation has reached its time limit."),
        Ending.NO_MODERATOR.value: _("The conversation ended, because no moderator was in any more."),
        Ending.WITHDRAWN.value: _("The link you came by was ended or paused."),
        SIGNED_OUT: _("You signed out, so you left the room."),
        MEMBERSHIP: _("You are no longer a member of this room."),
        ABSENT: _("You are no longer in the room."),
        ELSEWHERE: _("You are in the room in another tab."),
        GONE: _("The room was deleted."),
    }


def ending_words(reason: str, room: HasRoomType | None = None) -> str:
    """The sentence that tells a participant why he is not in the room any more.

    Without a `room`, or in one of conversations, it speaks of the conversation.
    """
    words = all_ending_words()
    if room is not None and room.room_type is not ServiceType.MEET:
        words |= {
            Ending.ENDED.value: _("It was ended for everyone."),
            Ending.TIME_LIMIT.value: _("It has reached its time limit."),
            Ending.NO_MODERATOR.value: _("It ended, because no moderator was in any more."),
        }
    return words.get(reason, words[ABSENT])


@dataclass(frozen=True)
class Way:
    """A button: its label and the address to which it leads."""

    words: str
    address: str


@bp.get("/conference")
@admitted
def show(participant: Participant) -> ResponseReturnValue:
    """Show the player of the room's provider."""
    room = participant.room
    run = participant.participation.run
    service = service_of(room, run)
    if run.driver is not Driver.PRESENCE or not isinstance(service, Embeddable):
        raise Conflict(Message("This room does not run in the portal."))
    player = service.player(participant.participation.id)
    return render_template(
        "conference/show.html",
        room=room,
        participation=participant.participation,
        proof=participant.proof,
        player=player,
        addresses=addresses(participant),
        mute_on_start=setting_of(room, MUTE_ON_START),
        welcome=_welcome(participant),
        **player.context,
    )


def _welcome(participant: Participant) -> list[str]:
    """What is to be read on coming in: by everybody, and by moderators alone."""
    moderates = participant.participation.role is Role.MODERATOR
    names = (WELCOME_MESSAGE, MODERATOR_ONLY_MESSAGE) if moderates else (WELCOME_MESSAGE,)
    return [text for name in names if (text := str(setting_of(participant.room, name)))]


@bp.post("/conference/departure")
@admitted
def leave(participant: Participant) -> ResponseReturnValue:
    """Leave the room at once, by the button."""
    leave_session(participant.participation, ending=Ending.LEFT, by=participant.member)
    return redirect(url_for("conference.left", room_id=participant.room.id), 303)


@bp.get("/left")
@at_door
def left(admission: Admission) -> ResponseReturnValue:
    """Show what happened, and the way back in if there is one."""
    if not (admission.may_know or admission.cookie.participation_id):  # who was in may learn that it is over
        raise NotFound
    room, reason = admission.room, _what_happened(admission)
    decision = preview(room, replace(admission.visitor, device=admission.cookie.device), admission.occupancy)
    way = _way_back(admission, decision, reason)
    return render_template(
        "join/left.html",
        room=room,
        reason=reason,
        words=ending_words(reason, room),
        refused=decision.reason,
        minutes=longest_minutes(room),
        kept_out=reason == Ending.REMOVED.value and admission.occupancy.removed,
        way=way,
        recordings=way is not None and is_recorded(room),
    )


@bp.errorhandler(ParticipationEnded)
def over(_ended: ParticipationEnded) -> ResponseReturnValue:
    """Redirect somebody who opens a player after his participation has ended to the page after leaving."""
    room_id = (request.view_args or {})["room_id"]
    return redirect(url_for("conference.left", room_id=room_id), 303)


def _what_happened(admission: Admission) -> str:
    try:
        participant = find_participant(admission.room.id, admission.cookie)
    except ParticipationEnded as over:
        return over.reason
    if participant.participation.run.driver is Driver.PROVIDER:
        return Ending.LEFT.value  # whoever comes here from the service has closed its page
    return ELSEWHERE


def _way_back(admission: Admission, decision: Decision, reason: str) -> Way | None:
    """The button by which this visitor can enter again now; None if he cannot."""
    room = admission.room
    if reason == ELSEWHERE:
        return Way(_("Take over here"), f"{page_of(room)}#takeover")
    if admission.occupancy.removed:
        return None
    members = url_for("member_entrance.show", room_id=room.id)
    if admission.cookie.sign_in_uuid is not None:
        somebody = actor.current()
        if somebody is not None and find_member(somebody, room.id, device="") is not None:
            return Way(_("Enter again"), members)
        if somebody is None and reason == SIGNED_OUT:
            return Way(_("Sign in again"), url_for("session.sign_in", next=members))
    shut = isinstance(decision.result, Refuse) and decision.reason not in PASSING
    again = _("Watch again") if room.room_type is ServiceType.VIDEO else _("Rejoin")
    return None if shut or not admission.may_know else Way(again, admission.address)


def addresses(participant: Participant) -> dict[str, str]:
    """The addresses that the player's script uses."""
    room = participant.room
    as_a_member = participant.participation.sign_in_uuid is not None
    manages = as_a_member and participant.member is not None and can(participant.member, Permission.TOKENS_MANAGE, room)
    return {
        "links": url_for("links.index", room_id=room.id) if manages else "",
        "stream": url_for("signals.stream", room_id=room.id),
        "signals": url_for("signals.send_signal", room_id=room.id),
        "messages": url_for("chat.create", room_id=room.id),
        "reactions": url_for("reactions.create", room_id=room.id),
        "presence": url_for("signals.presence", room_id=room.id),
        "closing": url_for("signals.closing", room_id=room.id),
        "returning": url_for("returning.create", room_id=room.id),
        "departure": url_for("conference.leave", room_id=room.id),
        "left": url_for("conference.left", room_id=room.id),
        "entrance": url_for("member_entrance.show", room_id=room.id) if as_a_member else room.path,
    }
