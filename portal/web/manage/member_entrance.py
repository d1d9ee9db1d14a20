"""The members' entrance: a signed-in member enters a room without a link, and gets the room's admission cookie.

A member who has to wait for the host presses Enter once; the page then enters as soon as the host is there.
"""

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from portal.admission.case import Enter, Wait
from portal.admission.decision import Decision
from portal.admission.entering import Declined, preview
from portal.admission.joining import arrive, form_target, meets_here
from portal.admission.visitor import Visitor
from portal.admission.waiting import keep_waiting, start_waiting, stop_waiting
from portal.edge import actor, admission_cookie
from portal.edge.guard import requires
from portal.edge.network import network
from portal.edge.refusals import recording_refusals
from portal.edge.transaction import in_turn
from portal.edge.visitors import as_member
from portal.media.capacity import find_recording_ahead
from portal.permissions.permission import Permission
from portal.permissions.rules import knows_the_plan
from portal.rooms.models import Room
from portal.status.services import current_provider
from portal.turns import FORM_PATIENCE, JOINS
from portal.web.join.arrival import go_in, may_lead_in

PRESSED = "pressed_enter"
"""The key of the session under which the id of the room to enter goes from one page to the next."""

bp = Blueprint("member_entrance", __name__, url_prefix="/rooms/<id:room_id>/-/entry")


@bp.get("")
@requires(Permission.ROOM_VIEW)
def show(room: Room) -> ResponseReturnValue:
    """Show the button that enters, or why there is none, to a member who opens the room's address."""
    cookie = admission_cookie.read(request, room.id)
    visitor = _visitor(room, device=cookie.device if cookie else "")
    decision = preview(room, visitor)
    keep_waiting(room, visitor, decision)
    pressed = session.pop(PRESSED, None) == room.id and isinstance(decision.result, Enter)
    page = _page(room, visitor, decision, asked=request.args.get("asked") == "1", pressed=pressed)
    return may_lead_in(page, current_provider(room))


@bp.post("")
@in_turn(JOINS, FORM_PATIENCE)
@requires(Permission.ROOM_VIEW)
def create(room: Room) -> ResponseReturnValue:
    """Enter the room, and redirect to where people meet.

    A browser lets a form be redirected to another origin only if the policy of its page allows it. Whoever pressed
    Enter on another page, such as the list of rooms, is sent to this entrance's page, whose script presses it again.
    """
    provider = current_provider(room)
    if form_target(provider) is not None and "entrance" not in request.form:
        session[PRESSED] = room.id
        return redirect(url_for("member_entrance.show", room_id=room.id), 303)
    held = admission_cookie.read(request, room.id) or admission_cookie.new_cookie()
    visitor = _visitor(room, device=held.device)
    assert visitor.sign_in_uuid is not None
    try:
        with recording_refusals():
            arrival = arrive(room=room, provider=provider, visitor=visitor, network=network())
    except Declined as declined:
        start_waiting(room, visitor, declined.decision, name=visitor.fixed_name, network=network())
        return may_lead_in((_page(room, visitor, declined.decision, asked=True), 409), provider)
    stop_waiting(room, visitor)
    return go_in(arrival, room, admission_cookie.by_membership(held, visitor.sign_in_uuid))


def _page(room: Room, visitor: Visitor, decision: Decision, *, asked: bool, pressed: bool = False) -> str:
    """The page with the button that enters, or why there is none.

    `asked`: the member has pressed it and waits. `pressed`: he has pressed Enter a moment ago, on another page.
    """
    provider = current_provider(room)
    return render_template(
        "manage/rooms/member_entrance.html",
        room=room,
        visitor=visitor,
        decision=decision,
        asked=asked and isinstance(decision.result, Wait),
        pressed=pressed,
        meets_here=meets_here(provider),
        recording=find_recording_ahead(room, provider),
        checks=decision.checks if knows_the_plan(actor.someone(), room) else decision.without_the_plan(),
    )


def _visitor(room: Room, *, device: str) -> Visitor:
    visitor = as_member(actor.someone(), room, device=device)
    assert visitor is not None, "the door let somebody in who may not see the room"
    return visitor
