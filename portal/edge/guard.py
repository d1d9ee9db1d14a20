"""Doors: the permission decorators of views. Every route wears exactly one.

A door replaces ids in the address by things that this person may have, such as `room_id` by the loaded `room`. It
stamps the view, and a test walks all routes. A view that forgot its door is called with `room_id`, which it does not
take, and fails closed. A stranger gets 404, whoever may see the room but not do this 403, nobody the sign-in page.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import current_app, g, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import MethodNotAllowed

from portal.admission.queries import find_door, look_in
from portal.admission.reauthorization import NoSuchRoom, ParticipationEnded, reauthorize
from portal.clock import now
from portal.db import short_id, writing
from portal.edge import actor, admission_cookie
from portal.edge.admission_cookie import AdmissionCookie
from portal.edge.admissions import Admission, Participant
from portal.edge.bearer import ScopeMissing
from portal.edge.transaction import SAFE_METHODS
from portal.edge.visitors import visitor_of
from portal.errors import Conflict, Message, NotAllowed, NotFound, Refused
from portal.people.actor import Actor
from portal.people.shut_out import ShutOut
from portal.permissions.permission import Permission
from portal.permissions.rules import acting_on, can, holds
from portal.permissions.visibility import find_room
from portal.rooms.models import Room
from portal.rooms.room_read import AnyRoom
from portal.status.models import Driver
from portal.status.operations import change_role
from portal.subscriptions.provider_models import ServiceType
from portal.subscriptions.queries import get_provider

View = Callable[..., Any]
STAMP = "door"
AT_DOOR, ADMITTED, WATCHES = "at_door", "admitted", "watches"
FOLLOWS, AIRS, BRINGS_CHUNK = "follows", "airs", "brings_chunk"
PROVEN_BY_ADMISSION = frozenset({AT_DOOR, ADMITTED, WATCHES, FOLLOWS, AIRS, BRINGS_CHUNK})
"""Doors that check the CSRF token of the room's admission cookie, so their views need none of the session."""


class SignInFirst(Refused):
    """Nobody is signed in. It is answered by the sign-in page, which keeps the form that was being sent."""


def stamp(view: View, door: str) -> View:
    """Mark the view as wearing this door."""
    setattr(view, STAMP, door)
    return view


def open_to_all(view: View) -> View:
    """Mark a view that anybody may call, signed in or not."""
    return stamp(view, "open_to_all")


def signed_in(view: View) -> View:
    """Let in anybody who is signed in."""
    return _actor_door(view, "signed_in")


def signed_in_or_shut_out(view: View) -> View:
    """Let in anybody who is signed in, even if nobody may use what he has here: he may always leave."""
    return _actor_door(view, "signed_in_or_shut_out", shut_out_too=True)


def requires(permission: Permission, *, trashed: bool = False) -> Callable[[View], View]:
    """Let in whoever holds the permission on the room; replace `room_id` by the `room`, of the trash if `trashed`."""
    return room_door(permission, lambda somebody, room_id: (find_room(somebody, room_id, trashed=trashed),))


def room_door(
    permission: Permission, find: Callable[[Actor, str], tuple[Any, ...]], *more: str
) -> Callable[[View], View]:
    """A door that replaces `room_id` by what `find` finds: the `room`, None if there is none, and `more`, by name."""

    def door(view: View) -> View:
        @wraps(view)
        def guarded(room_id: str, **address: Any) -> Any:
            somebody = require_actor()
            room, *others = find(somebody, room_id)
            if room is None:
                raise NotFound
            if not can(somebody, permission, room):
                raise ScopeMissing(permission.scope) if holds(somebody, permission, room) else not_allowed_in(room)
            actor.become(acting_on(somebody, permission, room))
            return view(room=room, **dict(zip(more, others, strict=True)), **address)

        return stamp(guarded, f"requires {permission}")

    return door


def not_allowed_in(room: AnyRoom) -> NotAllowed:
    """The refusal for somebody who may see the room but not do this in it. It names the owner to ask."""
    return NotAllowed(Message("You may not do this in this room. Ask its owner, %(owner)s.", owner=room.owner_name))


def bearer_only(view: View) -> View:
    """Let in anybody with an access token; the view's query decides what he may see. Only below `/api`."""
    return _actor_door(view, "bearer_only")


def _actor_door(view: View, door: str, *, shut_out_too: bool = False) -> View:
    @wraps(view)
    def guarded(**address: Any) -> Any:
        require_actor(shut_out_too=shut_out_too)
        return view(**address)

    return stamp(guarded, door)


def bearer_at_door(view: View) -> View:
    """Replace `room_id` by the `room`, and by `seen`: the same if the caller may see it, else None. Only below `/api`.

    A token in the body may open the room, so the view decides. It must answer a caller without any right as if
    there were no such room.
    """

    @wraps(view)
    def guarded(room_id: str, **address: Any) -> Any:
        somebody = require_actor()
        seen = find_room(somebody, room_id)
        door = find_door(short_id(Room, room_id) or "") if seen is None else None
        room = seen or (door and door.room)
        if room is None:
            raise NotFound
        return view(room=room, seen=seen, **address)

    return stamp(guarded, "bearer_at_door")


def signed_by_provider(view: View) -> View:
    """Replace `provider_id` by the `provider`, active or not. Only below `/hooks`.

    It proves nothing about the caller: the view has the adapter verify the signature over the raw body. HEAD is
    answered by 405, because here even a GET may change something.
    """

    @wraps(view)
    def guarded(provider_id: str, **address: Any) -> Any:
        if request.method == "HEAD":
            raise MethodNotAllowed(["GET", "POST"])
        return view(provider=get_provider(provider_id), **address)

    return stamp(guarded, "signed_by_provider")


def at_door(view: View) -> View:
    """Replace `room_id` by the `admission` of the visitor at the room's door; 404 only if there is no such room.

    It believes the room's admission cookie only. A request that changes something has to carry the cookie's CSRF
    token: else `g.csrf_valid` is false, and the form is shown again, filled. A browser without a cookie has no
    right that anybody could abuse, so nothing is checked.
    """

    @wraps(view)
    def guarded(room_id: str, **address: Any) -> Any:
        sent = admission_cookie.read(request, room_id)
        cookie = sent or admission_cookie.new_cookie()
        if not _changes_state():
            door = look_in(room_id, cookie.token_uuid, device=cookie.device, sign_in_uuid=cookie.sign_in_uuid)
        else:  # who enters is judged by what is read under the room's lock
            door = find_door(room_id, cookie.token_uuid)
            if sent is not None:
                g.csrf_valid = admission_cookie.proven(request, room_id, sent)
                g.lapsed = not g.csrf_valid
        if door is None:
            raise NoSuchRoom
        visitor = visitor_of(room_id, door.token, sent)
        return view(admission=Admission(door, visitor, cookie, sent is None), **address)

    return stamp(guarded, AT_DOOR)


def admitted(view: View) -> View:
    """Replace `room_id` by the `participant` of a conversation. Raises `ParticipationEnded` when he is in no longer.

    It believes the room's admission cookie only, with the cookie's CSRF token for requests that change something,
    and checks with every request whether the participant still may be in.
    """
    return _participants_door(view, ADMITTED)


def watches(view: View) -> View:
    """Replace `room_id` by the `participant` who watches in a room of videos: otherwise as `admitted`."""
    return _participants_door(view, WATCHES)


def _participants_door(view: View, door: str) -> View:
    @wraps(view)
    def guarded(room_id: str, **address: Any) -> Any:
        cookie = admission_cookie.read(request, room_id)
        if _changes_state() and cookie is not None and not admission_cookie.proven(request, room_id, cookie):
            raise CSRFError("The proof of origin is missing, or was made for another admission.")
        participant = find_participant(room_id, cookie)
        if (participant.room.room_type is ServiceType.VIDEO) is not (door == WATCHES):
            raise NotFound
        if participant.participation.run.driver is not Driver.PRESENCE:
            raise Conflict(Message("This room does not run in the portal."))
        return view(participant=participant, **address)

    return stamp(guarded, door)


def find_participant(room_id: str, cookie: AdmissionCookie | None) -> Participant:
    """The participant with this cookie. Raises `NoSuchRoom` (or no cookie), or `ParticipationEnded` (is not in)."""
    if cookie is None:
        raise NoSuchRoom
    try:
        reauthorized = reauthorize(
            room_id=room_id,
            device=cookie.device,
            participation_id=cookie.participation_id,
            token_uuid=cookie.token_uuid,
            sign_in_uuid=cookie.sign_in_uuid,
            at=now(),
            sign_in_days=current_app.config["SESSION_DAYS"],
        )
    except ParticipationEnded as ended:
        if ended.after_rollback is not None:
            with writing():
                ended.after_rollback()
        raise
    room, participation, role = reauthorized.room, reauthorized.participation, reauthorized.role
    if role is not participation.role:
        own = participation.uuid
        with writing():
            change_role(room.uuid, lambda person: person.uuid == own, role)
    return Participant(room, participation, cookie, reauthorized.member)


def _changes_state() -> bool:
    return request.method not in SAFE_METHODS


def require_actor(*, shut_out_too: bool = False) -> Actor:
    """Whoever is signed in. Raises `SignInFirst` if nobody is, and `ShutOut` unless that does not matter here.

    Every door of somebody who is signed in begins with it, so it is the one place that shuts people out.
    """
    somebody = actor.current()
    if somebody is None:
        raise SignInFirst
    if somebody.shut_out and not shut_out_too:
        raise ShutOut
    if _changes_state():
        actor.touch(now())
    return somebody
