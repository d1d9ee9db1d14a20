"""The player's page, leaving it, and the page after that."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.admission.stays import Over
from portal.conference.signals import page_closed
from portal.edge.guard import Admission, Inside, admitted, at_door
from portal.errors import Conflict, Message, NotFound
from portal.providers import registry
from portal.providers.base import Embeddable
from portal.rooms.models import Room
from portal.rooms.settings import MUTE_ON_START, setting_of
from portal.status.models import Ending
from portal.status.operations import leave_session

bp = Blueprint("conference", __name__, url_prefix="/rooms/<id:room_id>/-")


def ending_words(reason: str) -> str:
    """What somebody reads about why it is over."""
    words: str = {
        Ending.LEFT.value: _("You left the room."),
        Ending.LOST.value: _("The connection to the room was lost."),
        Ending.REMOVED.value: _("A moderator removed you from the room."),
        Ending.CLOSED.value: _("The room was closed."),
        Ending.WITHDRAWN.value: _("The link you came by was ended."),
    }.get(reason, _("You are no longer in the room."))
    return words


@bp.get("/conference")
@admitted
def show(inside: Inside) -> ResponseReturnValue:
    """The player of the room's provider."""
    room = inside.room
    provider = registry.get(room.subscription.provider.provider_type)
    if not isinstance(provider, Embeddable):
        raise Conflict(Message("This room does not run in the portal."))
    player = provider.player()
    return render_template(
        "conference/show.html",
        room=room,
        participation=inside.participation,
        proof=inside.proof,
        player=player.template,
        addresses=addresses(room),
        mute_on_start=setting_of(room, MUTE_ON_START),
        **player.context,
    )


@bp.post("/conference/departure")
@admitted
def leave(inside: Inside) -> ResponseReturnValue:
    """Leave: at once by the button; a page that went away keeps its place for a reload."""
    if "beacon" in request.form:
        page_closed(inside.participation, connection=request.form.get("connection", ""))
        return "", HTTPStatus.NO_CONTENT
    leave_session(inside.participation, ending=Ending.LEFT)
    return redirect(url_for("conference.left", room_id=inside.room.id), 303)


@bp.get("/left")
@at_door
def left(admission: Admission) -> ResponseReturnValue:
    """What happened, and the way back in."""
    if not (admission.may_know or admission.ticket.participation_id):  # who was in may learn that it is over
        raise NotFound
    reason = request.args.get("reason", Ending.LEFT.value)
    return render_template("join/left.html", words=ending_words(reason), rejoin=entrance(admission))


@bp.errorhandler(Over)
def over(ended: Over) -> ResponseReturnValue:
    """Who comes back to a player that is over (by Back, say) lands on the page after leaving."""
    room_id = (request.view_args or {})["room_id"]
    return redirect(url_for("conference.left", room_id=room_id, reason=ended.reason), 303)


def entrance(admission: Admission) -> str:
    """Where this visitor comes in again."""
    if admission.visitor.member is not None:
        return url_for("entry.show", room_id=admission.room.id)
    return admission.address


def addresses(room: Room) -> dict[str, str]:
    """Where the player talks to."""
    return {
        "stream": url_for("signals.stream", room_id=room.id),
        "signals": url_for("signals.send_signal", room_id=room.id),
        "presence": url_for("signals.presence", room_id=room.id),
        "departure": url_for("conference.leave", room_id=room.id),
        "left": url_for("conference.left", room_id=room.id),
        "entrance": room.path,
    }
