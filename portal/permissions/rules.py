"""The whole policy in one table: which relation to a room gives which rights.

Each rule is a pure function of (actor, room, member, at). Rights add up; nothing takes one away.
"""

from collections.abc import Callable
from datetime import datetime

from portal.accounts.models import Account
from portal.clock import now
from portal.permissions.actor import Actor
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission, StaffPermission
from portal.rooms.models import Role, Room

Rule = Callable[[Actor, Room, RoomMember | None, datetime], bool]

ALL = frozenset(Permission)


def owns_room(actor: Actor, room: Room, _member: RoomMember | None, _at: datetime) -> bool:
    """The one owner of the room."""
    return room.owner_uuid == actor.uuid


def owns_above(actor: Actor, room: Room, _member: RoomMember | None, _at: datetime) -> bool:
    """The owner of the room's account or customer."""
    return actor.uuid in {room.account.owner_uuid, room.customer.owner_uuid}


def staff(permission: StaffPermission) -> Rule:
    """A platform role holds `permission`."""

    def rule(actor: Actor, _room: Room, _member: RoomMember | None, _at: datetime) -> bool:
        return permission in actor.staff

    return rule


RULES: list[tuple[Rule, frozenset[Permission]]] = [
    (owns_room, ALL),
    (owns_above, ALL),
    (
        staff(StaffPermission.ROOMS_READ),
        frozenset({Permission.ROOM_VIEW, Permission.STATUS_VIEW, Permission.MEMBERS_VIEW}),
    ),
    (staff(StaffPermission.ROOMS_UPDATE), ALL - {Permission.ROOM_DELETE}),
    (staff(StaffPermission.ROOMS_DELETE), frozenset({Permission.ROOM_DELETE})),
]


def rights(actor: Actor, room: Room, member: RoomMember | None, at: datetime) -> frozenset[Permission]:
    """Everything that the actor may do with the room."""
    granted = member.granted(at) if member is not None else frozenset()
    return granted.union(*(gives for rule, gives in RULES if rule(actor, room, member, at)))


def can(actor: Actor | None, permission: Permission, room: Room) -> bool:
    """Whether the actor, whose membership a door has loaded, may do this with the room. Fails closed."""
    if actor is None:
        return False
    return permission in rights(actor, room, actor.memberships.get(room.uuid), now())


def member_role(actor: Actor, room: Room) -> Role | None:
    """The role in which the actor, whose membership a door has loaded, enters without a link; None if he may not."""
    if not can(actor, Permission.ROOM_VIEW, room):
        return None
    return Role.MODERATOR if can(actor, Permission.ROOM_MODERATE, room) else Role.ATTENDEE


def grantable_roles(actor: Actor | None, room: Room) -> set[Role]:
    """The roles for which the actor may hand out links: nobody grants what he lacks."""
    return set(Role) if can(actor, Permission.ROOM_MODERATE, room) else set(Role) - {Role.MODERATOR}


def knows_the_plan(actor: Actor, room: Room) -> bool:
    """Whether the actor is told what is wrong with the plan: the owners above the room, and staff."""
    return owns_above(actor, room, None, now()) or StaffPermission.ROOMS_READ in actor.staff


def may_create_in(actor: Actor, account: Account) -> bool:
    """Whether the actor may make rooms in this account."""
    return (
        actor.uuid in {account.owner_uuid, account.customer.owner_uuid} or StaffPermission.ROOMS_CREATE in actor.staff
    )
