"""The pages of join tickets: somebody whom a program let in opens an address, presses one button, and is in.

Opening the address changes nothing but the room's admission cookie, so that a link preview does not use up the ticket.
"""

from dataclasses import replace
from http import HTTPStatus

from flask import Blueprint, g, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from portal.admission.case import Wait
from portal.admission.decision import Decision
from portal.admission.entering import Declined, preview
from portal.admission.join_tickets import (
    JoinTicketSpent,
    can_be_opened,
    can_be_redeemed,
    find_join_ticket,
    find_opened_join_ticket,
)
from portal.admission.joining import arrive, meets_here
from portal.admission.models import JoinTicket
from portal.admission.visitor import Visitor
from portal.admission.waiting import keep_waiting, start_waiting, stop_waiting
from portal.clock import now
from portal.edge import actor, admission_cookie
from portal.edge.admissions import Admission
from portal.edge.guard import at_door
from portal.edge.network import network
from portal.edge.refusals import recording_refusals
from portal.edge.transaction import in_turn
from portal.edge.visitors import find_member
from portal.errors import NotFound
from portal.turns import FORM_PATIENCE, JOINS
from portal.web.join.arrival import go_in, may_lead_in

bp = Blueprint("join_tickets", __name__, url_prefix="/rooms/<id:room_id>/-/join-tickets")


@bp.get("/<secret>")
@at_door
def open_ticket(admission: Admission, secret: str) -> ResponseReturnValue:
    """Exchange the secret in the address for the admission cookie, and redirect to the address without it."""
    room = admission.room
    ticket = find_join_ticket(room, secret)
    if ticket is None:
        raise NotFound
    if not can_be_opened(ticket, now()):
        return _spent()
    response = make_response(redirect(url_for("join_tickets.show", room_id=room.id), 303))
    held = None if admission.is_new else admission.cookie
    return admission_cookie.write(response, room.id, admission_cookie.by_join_ticket(held, ticket.uuid))


@bp.get("")
@at_door
def show(admission: Admission) -> ResponseReturnValue:
    """Show the button that enters. A script presses it at once, or as soon as there is nothing to wait for."""
    room, ticket = admission.room, _held(admission)
    if not can_be_redeemed(ticket, now()):
        return _spent()
    visitor = _visitor(room.id, ticket, admission.cookie.device)
    decision = preview(room, visitor)
    keep_waiting(room, visitor, decision)
    return may_lead_in(_button(admission, ticket, decision), admission.provider)


@bp.post("")
@in_turn(JOINS, FORM_PATIENCE)
@at_door
def enter(admission: Admission) -> ResponseReturnValue:
    """Enter the room, and go to the player."""
    room, ticket = admission.room, _held(admission)
    if not g.csrf_valid:
        raise CSRFError("The proof of origin is missing, or was made for another admission.")
    visitor = _visitor(room.id, ticket, admission.cookie.device)
    try:
        with recording_refusals():
            arrival = arrive(
                room=room,
                provider=admission.provider,
                visitor=visitor,
                network=network(),
                ticket=ticket,
            )
    except JoinTicketSpent:
        return _spent()
    except Declined as declined:
        place = start_waiting(room, visitor, declined.decision, name=ticket.name, network=network())
        page = _declined(admission, ticket, visitor, declined.decision)
        status = HTTPStatus.FORBIDDEN if place else HTTPStatus.TOO_MANY_REQUESTS
        return may_lead_in((page, status), admission.provider)
    stop_waiting(room, visitor)
    token_uuid = arrival.place.token_uuid
    return go_in(arrival, room, replace(admission.cookie, token_uuid=token_uuid, sign_in_uuid=None))


def _declined(admission: Admission, ticket: JoinTicket, visitor: Visitor, decision: Decision) -> str:
    """Why not, with the way to try again while the ticket lasts: it was not used up."""
    room = admission.room
    if isinstance(decision.result, Wait):
        return _button(admission, ticket, decision)
    again = url_for("join_tickets.show", room_id=room.id)
    return render_template("join/refused.html", room=room, visitor=visitor, decision=decision, again=again)


def _button(admission: Admission, ticket: JoinTicket, decision: Decision) -> str:
    """The page with the button that enters, and what there is to wait for; devices can be checked meanwhile."""
    wait = decision.result if isinstance(decision.result, Wait) else None
    return render_template(
        "join/continue.html",
        room=admission.room,
        name=ticket.name,
        wait=wait,
        checks_devices=wait is not None and meets_here(admission.provider),
        attended=decision.case.host_present,
        recording=admission.recording,
        proof=admission.proof,
    )


def _held(admission: Admission) -> JoinTicket:
    ticket = find_opened_join_ticket(admission.room, admission.cookie.join_ticket_uuid)
    if ticket is None:
        raise NotFound
    return ticket


def _visitor(room_id: str, ticket: JoinTicket, device: str) -> Visitor:
    """The visitor to whom the ticket was issued, with the rights that he has now, within the program's scopes."""
    somebody = actor.by_user(ticket.user, ticket.scopes) if ticket.token is None else None
    visitor = find_member(somebody, room_id, device=device) if somebody is not None else None
    return visitor or Visitor(device=device, token=ticket.token)


def _spent() -> ResponseReturnValue:
    return render_template("join/spent.html"), HTTPStatus.GONE
