"""The pages of a live room for whoever is in: the studio for moderators, the player for the others, and leaving."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.admission.reauthorization import ParticipationEnded
from portal.broadcasts.presence import HEARTBEAT_SECONDS
from portal.edge.admissions import Participant
from portal.edge.broadcast_guard import follows
from portal.rooms.live_settings import starts_at
from portal.rooms.models import Role
from portal.status.models import Ending
from portal.status.operations import leave_session
from portal.web.broadcast.presence import state_of

bp = Blueprint("live", __name__, url_prefix="/rooms/<id:room_id>/-/live")


@bp.get("")
@follows
def show(participant: Participant) -> ResponseReturnValue:
    """Show the studio to a moderator, and what is sent to everybody else. With `watch=1` moderators see it, too."""
    sends = participant.participation.role is Role.MODERATOR and request.args.get("watch") != "1"
    return render_template(
        "broadcast/studio.html" if sends else "broadcast/watch.html",
        room=participant.room,
        participation=participant.participation,
        run=participant.participation.run,
        proof=participant.proof,
        heartbeat=HEARTBEAT_SECONDS,
        told=state_of(participant),
        starts_at=starts_at(participant.room),
    )


@bp.post("/departure")
@follows
def leave(participant: Participant) -> ResponseReturnValue:
    """Leave the room at once, by the button."""
    leave_session(participant.participation, ending=Ending.LEFT, by=participant.member)
    return redirect(url_for("conference.left", room_id=participant.room.id), 303)


@bp.errorhandler(ParticipationEnded)
def over(_ended: ParticipationEnded) -> ResponseReturnValue:
    """Redirect somebody whose participation has ended to the page after leaving, which says why."""
    room_id = (request.view_args or {})["room_id"]
    return redirect(url_for("conference.left", room_id=room_id), 303)
