"""The recordings of a room that participants may see: for whoever its link, or the room itself, would let in now.

Where an access code is needed, that is whoever has been in with one that is still right: nobody types it here.
"""

from dataclasses import replace

from flask import Blueprint, redirect, render_template
from flask.typing import ResponseReturnValue

from portal.admission.case import Enter, Reason, Wait
from portal.admission.entering import preview
from portal.admission.participations import came_with_valid_code, find_participation
from portal.clock import now
from portal.edge.admissions import Admission
from portal.edge.guard import at_door
from portal.errors import NotFound
from portal.media.queries import find_shared_recording, shared_recordings
from portal.web.recording_formats import address_of, format_words

bp = Blueprint("shared_recordings", __name__, url_prefix="/rooms/<id:room_id>/-/recordings")


@bp.get("")
@at_door
def index(admission: Admission) -> ResponseReturnValue:
    """Show the room's recordings that are shared with participants. Whoever would not be let in is led to the door."""
    if not admission.may_know:
        raise NotFound
    if not sees_shared_recordings(admission):
        return redirect(admission.address, 303)
    return render_template(
        "join/recordings.html",
        room=admission.room,
        recordings=shared_recordings(admission.room),
        format_words=format_words,
        address=admission.address,
    )


@bp.get("/<id:recording_id>/formats/<int:number>")
@at_door
def watch(admission: Admission, recording_id: str, number: int) -> ResponseReturnValue:
    """Redirect to where one format of a shared recording is watched."""
    found = find_shared_recording(admission.room, recording_id) if sees_shared_recordings(admission) else None
    if found is None:
        raise NotFound
    return redirect(address_of(found, number), 303)


def sees_shared_recordings(admission: Admission) -> bool:
    """Whether this visitor may see what is shared with participants: he would be let in, now or with the host.

    That the room is full or locked at the moment keeps nobody from seeing what was recorded before.
    """
    if not admission.may_know:
        return False
    decision = preview(admission.room, replace(admission.visitor, device=admission.cookie.device), admission.occupancy)
    match decision.result:
        case Enter() | Wait(wait_for="host"):
            pass
        case _:
            if decision.reason not in {Reason.FULL, Reason.LOCKED}:
                return False
    return not decision.case.code_needed or _has_typed_the_code(admission)


def _has_typed_the_code(admission: Admission) -> bool:
    """Whether this browser has been in with a code that would let it in now."""
    cookie = admission.cookie
    if not cookie.participation_id:
        return False
    participation = find_participation(admission.room, cookie.device, cookie.participation_id)
    return participation is not None and came_with_valid_code(participation, admission.visitor.role, now())
