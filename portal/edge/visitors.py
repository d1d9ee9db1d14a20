"""Who stands at a room's door: the visitor that an admission cookie or a membership makes, for `decide` to judge."""

from portal.admission.links import LinkLike
from portal.admission.visitor import Visitor
from portal.edge import actor
from portal.edge.admission_cookie import AdmissionCookie
from portal.people.actor import Actor
from portal.permissions.rules import acting_on, member_role, permission_of
from portal.permissions.visibility import find_room
from portal.rooms.models import Room


def visitor_of(room_id: str, token: LinkLike | None, cookie: AdmissionCookie | None) -> Visitor:
    """The visitor that this cookie makes, with the rights that he has now."""
    if cookie is None:
        return Visitor()
    if cookie.sign_in_uuid is None:
        return Visitor(device=cookie.device, token=token)
    somebody = actor.by_sign_in(cookie.sign_in_uuid)
    visitor = find_member(somebody, room_id, device=cookie.device) if somebody else None
    return visitor or Visitor(device=cookie.device)


def find_member(somebody: Actor, room_id: str, *, device: str) -> Visitor | None:
    """The visitor that a signed-in person makes without a link, or None if he is no member."""
    room = find_room(somebody, room_id)
    return as_member(somebody, room, device=device) if room is not None else None


def as_member(somebody: Actor, room: Room, *, device: str) -> Visitor | None:
    """The visitor that a signed-in person makes here, whose membership a door has loaded; None if he is no member."""
    role = member_role(somebody, room)
    if role is None:
        return None
    return Visitor(
        device=device or None,
        member=acting_on(somebody, permission_of(role), room),
        member_role=role,
    )
