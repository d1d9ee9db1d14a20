"""The whole policy in one table: which relation to a room gives which rights.

Each rule is a pure function of the actor and the room's place (who owns it and what stands above it).
Rights add up, also with those granted to a member. What a person holds, a program in his name may use as
far as its scopes go; nothing else takes a right away.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from portal.clock import now
from portal.customers.models import Customer
from portal.errors import Message, NotAllowed
from portal.people.actor import Actor
from portal.people.staff import StaffPermission
from portal.permissions.permission import Permission
from portal.rooms.models import Role, Room
from portal.scopes import Scope

ALL = frozenset(Permission)


@dataclass(frozen=True)
class RoomOwners:
    """The owners of a room, of its account and of its customer."""

    owner: UUID
    account_owner: UUID
    customer_owner: UUID


Rule = Callable[[Actor, RoomOwners], bool]


def owns_room(actor: Actor, place: RoomOwners) -> bool:
    """The one owner of the room."""
    return place.owner == actor.uuid


def owns_above(actor: Actor, place: RoomOwners) -> bool:
    """The owner of the room's account or customer."""
    return actor.uuid in {place.account_owner, place.customer_owner}


def staff(permission: StaffPermission) -> Rule:
    """A platform role holds `permission`."""

    def rule(actor: Actor, _place: RoomOwners) -> bool:
        return permission in actor.staff

    return rule


OWN_RULES: list[tuple[Rule, frozenset[Permission]]] = [
    (owns_room, ALL),
    (owns_above, ALL),
]
"""What somebody may do in his own right, besides what he was granted as a member."""

STAFF_RULES: list[tuple[Rule, frozenset[Permission]]] = [
    (
        staff(StaffPermission.ROOMS_READ),
        frozenset({Permission.ROOM_VIEW, Permission.STATUS_VIEW, Permission.MEMBERS_VIEW, Permission.REPORTS_VIEW}),
    ),
    (staff(StaffPermission.ROOMS_UPDATE), ALL - {Permission.ROOM_DELETE}),
    (staff(StaffPermission.ROOMS_DELETE), frozenset({Permission.ROOM_DELETE})),
]
"""What somebody may do on behalf of whoever owns the room."""


def rights(actor: Actor, room: Room, at: datetime) -> frozenset[Permission]:
    """Everything that the actor, whose membership a door has loaded, may do with the room, within his scopes."""
    return effective_permissions(actor, owners_of(room), _granted(actor, room, at))


def _granted(actor: Actor, room: Room, at: datetime) -> frozenset[str]:
    member = actor.memberships.get(room.uuid)
    return member.granted(at) if member is not None else frozenset()


def effective_permissions(actor: Actor, place: RoomOwners, granted: frozenset[str]) -> frozenset[Permission]:
    """What the actor, whom a membership grants so much, may do with a room at this place, within his scopes."""
    held = held_permissions(actor, place, granted)
    return held if actor.scopes is None else _within(held, actor.scopes)


@lru_cache(maxsize=256)
def _within(held: frozenset[Permission], scopes: frozenset[Scope]) -> frozenset[Permission]:
    return frozenset(one for one in held if one.scope in scopes)


def held_permissions(actor: Actor, place: RoomOwners, granted: frozenset[str]) -> frozenset[Permission]:
    """What the actor's person, whom a membership grants so much, holds on a room at this place, in whatever way."""
    return _own_permissions(actor, place, granted).union(*(gives for rule, gives in STAFF_RULES if rule(actor, place)))


def _own_permissions(actor: Actor, place: RoomOwners, granted: frozenset[str]) -> frozenset[Permission]:
    own = frozenset(Permission(word) for word in granted)
    return own.union(*(gives for rule, gives in OWN_RULES if rule(actor, place)))


def owners_of(room: Room) -> RoomOwners:
    """Who owns the room and what stands above it."""
    return RoomOwners(room.owner_uuid, room.account.owner_uuid, room.customer.owner_uuid)


def can(actor: Actor | None, permission: Permission, room: Room) -> bool:
    """Whether the actor, whose membership a door has loaded, may do this with the room. Fails closed."""
    if actor is None:
        return False
    return permission in rights(actor, room, now())


def holds(actor: Actor, permission: Permission, room: Room) -> bool:
    """Like `can`, but whatever the scopes: whether only a scope is missing, and who may know of a room."""
    return permission in held_permissions(actor, owners_of(room), _granted(actor, room, now()))


def acting_on(actor: Actor, permission: Permission, room: Room) -> Actor:
    """The actor as he uses this permission, which he holds: on the customer's behalf if only staff rules give it."""
    own = permission in _own_permissions(actor, owners_of(room), _granted(actor, room, now()))
    return replace(actor, on_behalf_of_uuid=None if own else room.customer_uuid)


def member_role(actor: Actor, room: Room) -> Role | None:
    """The role in which the actor, whose membership a door has loaded, enters without a link; None if he may not."""
    if not holds(actor, Permission.ROOM_VIEW, room):
        return None
    return Role.MODERATOR if can(actor, Permission.ROOM_MODERATE, room) else Role.ATTENDEE


def grantable_roles(actor: Actor | None, room: Room) -> set[Role]:
    """The roles for which the actor may hand out links: nobody grants what he lacks, whatever way he comes."""
    moderates = actor is not None and holds(actor, Permission.ROOM_MODERATE, room)
    return set(Role) if moderates else set(Role) - {Role.MODERATOR}


def require_grantable_roles(actor: Actor, room: Room, *roles: Role) -> None:
    """Nobody grants what he lacks: a moderator link makes moderators, and so does a door without its code.

    Raises `NotAllowed`.
    """
    if not set(roles) <= grantable_roles(actor, room):
        raise NotAllowed(Message("Only who may moderate this room makes or changes links and codes for moderators."))


def knows_the_plan(actor: Actor, room: Room) -> bool:
    """Whether the actor is told what is wrong with the plan: the owners above the room, and staff."""
    return owns_above(actor, owners_of(room)) or StaffPermission.ROOMS_READ in actor.staff


def manages_customer(actor: Actor, customer: Customer) -> bool:
    """Whether the actor's person may do to all rooms of the customer what changes none of their content."""
    return customer.owner_uuid == actor.uuid or StaffPermission.ROOMS_UPDATE in actor.staff
