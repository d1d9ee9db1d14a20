"""Members enter without a link: their sign-in is exchanged for an admission of the room.

Who has to wait for the host does so like a guest: the page lets in whoever has pressed Enter already.
"""

from dataclasses import replace

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.admission.decision import Decision, Wait
from portal.admission.operations import Declined, enter, preview
from portal.admission.queries import Visitor
from portal.admission.waiting import keep_waiting, start_waiting, stop_waiting
from portal.edge import actor, admission_cookie
from portal.edge.guard import as_member, requires
from portal.edge.refusals import recording_refusals
from portal.permissions.permission import Permission
from portal.permissions.rules import knows_the_plan
from portal.rooms.models import Room

bp = Blueprint("member_entrance", __name__, url_prefix="/rooms/<id:room_id>/-/entry")


@bp.get("")
@requires(Permission.ROOM_VIEW)
def show(room: Room) -> ResponseReturnValue:
    """What entering would do, for whoever follows the room's address as a member."""
    held = admission_cookie.read(request, room.id)
    visitor = _visitor(room, device=held.device if held else "")
    decision = preview(room, visitor)
    if isinstance(decision.result, Wait):
        keep_waiting(room, visitor)
    return _page(room, visitor, decision, asked=request.args.get("asked") == "1")


@bp.post("")
@requires(Permission.ROOM_VIEW)
def create(room: Room) -> ResponseReturnValue:
    """Enter, and go to the player."""
    held = admission_cookie.read(request, room.id) or admission_cookie.new_cookie()
    visitor = _visitor(room, device=held.device)
    assert visitor.sign_in_uuid is not None
    try:
        with recording_refusals():
            inside = enter(room=room, visitor=visitor, name="", code="", network=request.remote_addr or "")
    except Declined as declined:
        if isinstance(declined.decision.result, Wait):
            start_waiting(room, visitor)
        return _page(room, visitor, declined.decision, asked=True), 409
    stop_waiting(room, visitor)
    cookie = admission_cookie.by_membership(held, visitor.sign_in_uuid)
    response = make_response(redirect(url_for("conference.show", room_id=room.id), 303))
    return admission_cookie.write(response, room.id, replace(cookie, participation_id=inside.id))


def _page(room: Room, visitor: Visitor, decision: Decision, *, asked: bool) -> str:
    """The button that enters, or why there is none. `asked`: they have pressed it."""
    return render_template(
        "manage/rooms/member_entrance.html",
        room=room,
        visitor=visitor,
        decision=decision,
        asked=asked and isinstance(decision.result, Wait),
        checks=decision.checks if knows_the_plan(actor.someone(), room) else decision.without_the_plan(),
    )


def _visitor(room: Room, *, device: str) -> Visitor:
    visitor = as_member(actor.someone(), room, device=device)
    assert visitor is not None, "the door let somebody in who may not see the room"
    return visitor
