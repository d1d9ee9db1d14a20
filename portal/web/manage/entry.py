"""Members enter without a link: their sign-in is exchanged for an admission of the room."""

from dataclasses import replace

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.admission.operations import Declined, enter, look
from portal.admission.queries import Visitor
from portal.edge import actor, admissions
from portal.edge.guard import member_role, requires
from portal.permissions.permission import Permission
from portal.rooms.models import Room

bp = Blueprint("entry", __name__, url_prefix="/rooms/<id:room_id>/-/entry")


@bp.get("")
@requires(Permission.ROOM_VIEW)
def show(room: Room) -> ResponseReturnValue:
    """What entering would do, for whoever follows the room's address as a member."""
    visitor = _visitor(room, device="")
    return render_template("manage/rooms/entry.html", room=room, visitor=visitor, decision=look(room, visitor))


@bp.post("")
@requires(Permission.ROOM_VIEW)
def create(room: Room) -> ResponseReturnValue:
    """Enter, and go to the player."""
    somebody = actor.someone()
    assert somebody.sign_in is not None
    held = admissions.read(request, room.id) or admissions.new_ticket()
    visitor = _visitor(room, device=held.device)
    try:
        inside = enter(room=room, visitor=visitor, name="", code="", network=request.remote_addr or "")
    except Declined as declined:
        page = render_template("manage/rooms/entry.html", room=room, visitor=visitor, decision=declined.decision)
        return page, 409
    ticket = admissions.by_membership(held, somebody.sign_in.uuid)
    response = make_response(redirect(url_for("conference.show", room_id=room.id), 303))
    return admissions.write(response, room.id, replace(ticket, participation_id=inside.id))


def _visitor(room: Room, *, device: str) -> Visitor:
    somebody = actor.someone()
    return Visitor(
        device=device or None,
        member=somebody.user,
        member_role=member_role(somebody, room),
        sign_in_uuid=somebody.sign_in.uuid if somebody.sign_in else None,
    )
