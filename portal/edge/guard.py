"""Doors. Every route wears exactly one; it swaps ids of the address for things that the visitor may have.

A door stamps the view, and a test walks all routes and names those without a stamp. A view that forgot
its door is called with `room_id`, which it does not take, and fails closed. A stranger sees 404, somebody
who may see the room but not do this 403, nobody at all the sign-in page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import request

from portal.accounts.models import Account
from portal.admission.models import RoomToken
from portal.admission.queries import Visitor, find_door
from portal.clock import now
from portal.db import session
from portal.edge import actor, admissions
from portal.edge.admissions import Ticket
from portal.errors import NotAllowed, NotFound, Refused
from portal.permissions.actor import Actor
from portal.permissions.permission import Permission
from portal.permissions.rules import can
from portal.permissions.visibility import creatable_accounts, find_room
from portal.rooms.models import Role, Room
from portal.status.models import Participation, RoomStatus

View = Callable[..., Any]
STAMP = "door"


class SignInFirst(Refused):
    """Nobody is signed in. The edge shows the sign-in page and keeps what was being sent."""


class Over(Refused):
    """The participation that the admission names has ended. `reason` is one of `Ending`."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


@dataclass(frozen=True)
class Admission:
    """Somebody at the door of a room, with or without a right to come in."""

    room: Room
    visitor: Visitor
    ticket: Ticket
    status: RoomStatus | None
    is_new: bool
    """Whether the browser came without a ticket, so that the answer has to carry one."""

    @property
    def may_know(self) -> bool:
        """Whether this visitor may learn that the room exists: by a link of it, as a member, or as anybody."""
        return self.visitor.link is not None or self.visitor.member is not None or self.room.is_public


@dataclass(frozen=True)
class Inside:
    """Somebody who is in: the room, his open participation, and his ticket."""

    room: Room
    participation: Participation
    ticket: Ticket


def _stamp(view: View, door: str) -> View:
    setattr(view, STAMP, door)
    return view


def open_to_all(view: View) -> View:
    """No door: said out loud."""
    return _stamp(view, "open_to_all")


def signed_in(view: View) -> View:
    """Anybody who is signed in."""

    @wraps(view)
    def guarded(**address: Any) -> Any:
        _somebody()
        return view(**address)

    return _stamp(guarded, "signed_in")


def requires(permission: Permission, *, trashed: bool = False) -> Callable[[View], View]:
    """Swap `room_id` for the `room`, for those who hold the permission on it."""

    def door(view: View) -> View:
        @wraps(view)
        def guarded(room_id: str, **address: Any) -> Any:
            somebody = _somebody()
            room = find_room(somebody, room_id, trashed=trashed)
            if room is None:
                raise NotFound
            if not can(somebody, permission, room):
                raise NotAllowed
            return view(room=room, **address)

        return _stamp(guarded, f"requires {permission}")

    return door


def requires_in_account(view: View) -> View:
    """Hand over the `accounts` in which the actor may make rooms; 403 for somebody without any."""

    @wraps(view)
    def guarded(**address: Any) -> Any:
        accounts: list[Account] = creatable_accounts(_somebody())
        if not accounts:
            raise NotAllowed
        return view(accounts=accounts, **address)

    return _stamp(guarded, "requires_in_account")


def at_door(view: View) -> View:
    """Swap `room_id` for the `admission` of whoever stands there. Strangers at private rooms see 404.

    Believes the room's admission cookie only.
    """

    @wraps(view)
    def guarded(room_id: str, **address: Any) -> Any:
        ticket = admissions.read(request, room_id)
        found = find_door(room_id, ticket.token_uuid if ticket else None)
        if found is None:
            raise NotFound
        room, token, status = found
        visitor = visitor_of(room, token, ticket)
        return view(
            admission=Admission(room, visitor, ticket or admissions.new_ticket(), status, ticket is None),
            **address,
        )

    return _stamp(guarded, "at_door")


def admitted(view: View) -> View:
    """Swap `room_id` for the one who is `inside`. Raises `Over` when he no longer is.

    Believes the room's admission cookie only, and judges its right anew: a room that became inactive,
    a membership or a sign-in that ended take the place away.
    """

    @wraps(view)
    def guarded(room_id: str, **address: Any) -> Any:
        inside = find_inside(room_id, admissions.read(request, room_id))
        return view(inside=inside, **address)

    return _stamp(guarded, "admitted")


def find_inside(room_id: str, ticket: Ticket | None) -> Inside:
    """Who is in by this ticket. Raises `NotFound` (no ticket, no room) or `Over` (not in any more)."""
    if ticket is None:
        raise NotFound
    found = find_door(room_id, ticket.token_uuid)
    if found is None:
        raise NotFound
    room, token, _ = found
    participation = (
        session.query(Participation)
        .filter_by(room_uuid=room.uuid, device=ticket.device, id=ticket.participation_id)
        .execution_options(populate_existing=True)
        .one_or_none()
    )
    if participation is None:
        raise Over("absent")
    if participation.left_at is not None:
        raise Over(participation.ending.value if participation.ending else "left")
    if not _still_usable(room) or (ticket.sign_in_uuid and visitor_of(room, token, ticket).member is None):
        raise Over("closed")
    return Inside(room, participation, ticket)


def visitor_of(room: Room, token: RoomToken | None, ticket: Ticket | None) -> Visitor:
    """The visitor that this ticket makes, with the rights that he has now."""
    if ticket is None:
        return Visitor()
    if ticket.sign_in_uuid is None:
        return Visitor(device=ticket.device, token=token)
    somebody = actor.by_sign_in(ticket.sign_in_uuid)
    role = member_role(somebody, room) if somebody else None
    if somebody is None or role is None:
        return Visitor(device=ticket.device)
    return Visitor(
        device=ticket.device,
        member=somebody.user,
        member_role=role,
        sign_in_uuid=ticket.sign_in_uuid,
    )


def member_role(somebody: Actor, room: Room) -> Role | None:
    """The role in which somebody enters without a link, or None if he may not."""
    if find_room(somebody, room.id) is None:
        return None
    return Role.MODERATOR if can(somebody, Permission.ROOM_MODERATE, room) else Role.ATTENDEE


def _still_usable(room: Room) -> bool:
    return room.status == "active" and room.customer.usable


def _somebody() -> Actor:
    somebody = actor.current()
    if somebody is None:
        raise SignInFirst
    if request.method not in {"GET", "HEAD"}:
        actor.touch(now())
    return somebody
