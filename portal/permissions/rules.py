"""The whole policy in one table: which relation to a thing gives which permissions on it.

Each rule is a pure function of the actor and of who owns the thing and what stands above it. Permissions add up, also
with those granted to a member. A program uses the permissions of its person as far as its scopes go. While a customer
is inactive or terminated, only staff have any on what belongs to it. Nothing else takes a permission away.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from portal.accounts.models import Account
from portal.accounts.permission import AccountPermission
from portal.accounts.room_account import RoomAccount
from portal.clock import now
from portal.customers.models import Customer
from portal.customers.permission import CustomerPermission
from portal.errors import Invalid, Message, NotAllowed
from portal.people.actor import Actor, Membership
from portal.people.staff import StaffPermission
from portal.permissions.permission import Permission
from portal.rooms.models import Role, Room
from portal.rooms.room_read import AnyRoom, EditableRoom, RoomRead
from portal.scopes import Scope


class Platform:
    """The portal as a whole: on it hold the permissions of platform staff that concern no single thing."""


PLATFORM = Platform()

AnyPermission = Permission | AccountPermission | CustomerPermission | StaffPermission
Thing = AnyRoom | Account | RoomAccount | Customer | Platform


@dataclass(frozen=True)
class Owners:
    """The owners of a room, of its account and of its customer; None for what the thing has not."""

    room: UUID | None = None
    account: UUID | None = None
    customer: UUID | None = None


Rule = Callable[[Actor, Owners], bool]


def owns_room(actor: Actor, owners: Owners) -> bool:
    """Whether the actor is the owner of the room."""
    return owners.room == actor.uuid


def owns_above(actor: Actor, owners: Owners) -> bool:
    """Whether the actor owns the account or the customer that the thing is or belongs to."""
    return actor.uuid in (owners.account, owners.customer)


@dataclass(frozen=True)
class Rules:
    """The rules for one kind of thing.

    `own` is what somebody may do in his own right, besides what he was granted as a member; `staff` what a platform
    role lets him do on behalf of the customer.
    """

    permissions: type[StrEnum]
    own: tuple[tuple[Rule, frozenset[AnyPermission]], ...]
    staff: Mapping[StaffPermission, frozenset[AnyPermission]]


ROOM_RULES = Rules(
    Permission,
    own=((owns_room, frozenset(Permission)), (owns_above, frozenset(Permission))),
    staff={
        StaffPermission.ROOMS_READ: frozenset(
            {Permission.ROOM_VIEW, Permission.STATUS_VIEW, Permission.MEMBERS_VIEW, Permission.REPORTS_VIEW}
        ),
        StaffPermission.ROOMS_UPDATE: frozenset(Permission) - {Permission.ROOM_DELETE},
        StaffPermission.ROOMS_DELETE: frozenset({Permission.ROOM_DELETE}),
    },
)
ACCOUNT_RULES = Rules(
    AccountPermission,
    own=((owns_above, frozenset(AccountPermission)),),
    staff={
        StaffPermission.ACCOUNTS_READ: frozenset({AccountPermission.USAGE_VIEW}),
        StaffPermission.ACCOUNTS_UPDATE: frozenset({AccountPermission.ACCOUNT_EDIT, AccountPermission.MEMBERS_MANAGE}),
        StaffPermission.ROOMS_CREATE: frozenset({AccountPermission.ROOMS_CREATE}),
    },
)
RULES: dict[type[Thing], Rules] = {
    Room: ROOM_RULES,
    RoomRead: ROOM_RULES,
    EditableRoom: ROOM_RULES,
    Account: ACCOUNT_RULES,
    RoomAccount: ACCOUNT_RULES,
    Customer: Rules(
        CustomerPermission,
        own=((owns_above, frozenset(CustomerPermission)),),
        staff={
            StaffPermission.CUSTOMERS_READ: frozenset({CustomerPermission.USAGE_VIEW}),
            StaffPermission.CUSTOMERS_UPDATE: frozenset(
                {CustomerPermission.CUSTOMER_EDIT, CustomerPermission.MEMBERS_MANAGE}
            ),
            StaffPermission.ACCOUNTS_CREATE: frozenset({CustomerPermission.ACCOUNTS_CREATE}),
            StaffPermission.ACCOUNTS_UPDATE: frozenset({CustomerPermission.ACCOUNT_EDIT}),
            StaffPermission.ACCOUNTS_DELETE: frozenset({CustomerPermission.ACCOUNTS_DELETE}),
            StaffPermission.ROOMS_CREATE: frozenset({CustomerPermission.ROOMS_CREATE}),
        },
    ),
    Platform: Rules(StaffPermission, own=(), staff={one: frozenset({one}) for one in StaffPermission}),
}


def can(actor: Actor | None, permission: AnyPermission, thing: Thing) -> bool:
    """Whether the actor, whose memberships a door has loaded, may do this with the thing. Fails closed."""
    return actor is not None and actor.within(permission.scope) and holds(actor, permission, thing)


def holds(actor: Actor, permission: AnyPermission, thing: Thing) -> bool:
    """Whether the actor's person may do this, whatever the scopes of his program.

    Tells whether only a scope is missing, and who may know of a thing.
    """
    rules = RULES.get(type(thing))
    if rules is None or not isinstance(permission, rules.permissions):
        return False
    owners, granted = owners_of(thing), _granted(actor, thing, now())
    return permission in _own(rules, actor, owners, granted) | _as_staff(rules, actor)


def has_own_part(actor: Actor, thing: Thing) -> bool:
    """Whether the actor's person may do anything with the thing in his own right: as an owner, or as a member."""
    rules = RULES[type(thing)]
    return not _own(rules, actor, owners_of(thing), _granted(actor, thing, now())).isdisjoint(rules.permissions)


def acting_on(actor: Actor, permission: AnyPermission, thing: Thing) -> Actor:
    """The actor as he uses this permission, which he holds: on the customer's behalf if only staff rules give it."""
    own = permission in _own(RULES[type(thing)], actor, owners_of(thing), _granted(actor, thing, now()))
    return replace(actor, on_behalf_of_uuid=None if own else _customer_uuid(thing))


def acting_as_staff(actor: Actor, thing: object) -> Actor:
    """The actor as he uses a staff permission on this thing: on behalf of the customer that it is or belongs to."""
    return replace(actor, on_behalf_of_uuid=getattr(thing, "customer_uuid", None))


def rights(actor: Actor, room: AnyRoom, at: datetime) -> frozenset[Permission]:
    """Everything that the actor, whose membership a door has loaded, may do with the room, within his scopes."""
    return effective_permissions(actor, owners_of(room), _granted(actor, room, at))


def effective_permissions(actor: Actor, owners: Owners, granted: frozenset[str]) -> frozenset[Permission]:
    """What the actor may do with a room that has these owners, given what memberships grant him. Scopes count."""
    given_by = tuple(rule(actor, owners) for rule, _ in ROOM_RULES.own)
    return _room_permissions(given_by, granted, actor.staff, actor.scopes)


@lru_cache(maxsize=1024)
def _room_permissions(
    given_by: tuple[bool, ...],
    granted: frozenset[str],
    staff: frozenset[StaffPermission],
    scopes: frozenset[Scope] | None,
) -> frozenset[Permission]:
    """Cached, because the rows of a list differ in few of these: `given_by` are the answers of the rules in order."""
    own = (gives for (_, gives), given in zip(ROOM_RULES.own, given_by, strict=True) if given)
    held = granted.union(*own, *(gives for right, gives in ROOM_RULES.staff.items() if right in staff))
    return frozenset(one for one in map(Permission, held) if scopes is None or one.scope in scopes)


def owners_of(thing: Thing) -> Owners:
    """Who owns the thing and what stands above it: nobody who counts, while its customer is not usable."""
    if not _usable(thing):
        return Owners()
    match thing:
        case Room() | RoomRead():
            return Owners(thing.owner_uuid, thing.account_owner_uuid, thing.customer_owner_uuid)
        case Account():
            return Owners(account=thing.owner_uuid, customer=thing.customer.owner_uuid)
        case RoomAccount():
            return Owners(account=thing.owner_uuid, customer=thing.customer_owner_uuid)
        case Customer():
            return Owners(customer=thing.owner_uuid)
        case Platform():
            return Owners()


def _usable(thing: Thing) -> bool:
    """Whether the status of the customer lets its people do anything with the thing."""
    match thing:
        case Account():
            return thing.customer.usable
        case Room() | RoomRead() | RoomAccount():
            return thing.customer_status.usable
        case Customer():
            return thing.usable
        case Platform():
            return True


def _own(rules: Rules, actor: Actor, owners: Owners, granted: frozenset[str]) -> frozenset[str]:
    return granted.union(*(gives for rule, gives in rules.own if rule(actor, owners)))


def _as_staff(rules: Rules, actor: Actor) -> frozenset[str]:
    return frozenset[str]().union(*(gives for right, gives in rules.staff.items() if right in actor.staff))


def require_end_within(
    actor: Actor, thing: Thing, permissions: Collection[AnyPermission], until: datetime | None
) -> None:
    """Raise `Invalid` on `until` if that is later than the actor's own hold on one of these permissions ends.

    He holds all of them. What he has as an owner or as staff has no end.
    """
    rules, at = RULES[type(thing)], now()
    lasting = _own(rules, actor, owners_of(thing), frozenset()) | _as_staff(rules, actor)
    for permission in set(permissions) - lasting:
        ends = [member.until for member in _memberships(actor, thing) if permission in member.granted(at)]
        if ends and all(end is not None and (until is None or until > end) for end in ends):
            raise Invalid(until=Message("Your own rights end before that. Choose an earlier end."))


def _granted(actor: Actor, thing: Thing, at: datetime) -> frozenset[str]:
    """The permissions that memberships grant the actor on the thing."""
    return frozenset(word for member in _memberships(actor, thing) for word in member.granted(at))


def _memberships(actor: Actor, thing: Thing) -> list[Membership]:
    """The actor's memberships that count on the thing, as far as a door has loaded them.

    A membership of a customer counts in its accounts, too; permissions that accounts do not know have no effect there.
    """
    if isinstance(thing, Platform) or not _usable(thing):
        return []
    found = [actor.memberships.get(thing.uuid)]
    if isinstance(thing, (Account, RoomAccount)):
        found.append(actor.memberships.get(thing.customer_uuid))
    return [member for member in found if member is not None]


def _customer_uuid(thing: Thing) -> UUID | None:
    return None if isinstance(thing, Platform) else thing.customer_uuid


def member_role(actor: Actor, room: Room) -> Role | None:
    """The role in which the actor enters the room without a link: moderator if he may moderate, else attendee.

    None if he may not see the room. His membership in the room must have been loaded.
    """
    if not holds(actor, Permission.ROOM_VIEW, room):
        return None
    return Role.MODERATOR if can(actor, Permission.ROOM_MODERATE, room) else Role.ATTENDEE


def permission_of(role: Role) -> Permission:
    """The permission by which a member has this role in a room."""
    return Permission.ROOM_MODERATE if role is Role.MODERATOR else Permission.ROOM_VIEW


def grantable_roles(actor: Actor | None, room: AnyRoom) -> set[Role]:
    """The roles for which the actor may hand out links and codes: that of a moderator only if he may moderate."""
    moderates = actor is not None and holds(actor, Permission.ROOM_MODERATE, room)
    return set(Role) if moderates else set(Role) - {Role.MODERATOR}


def require_grantable_roles(actor: Actor, room: AnyRoom, *roles: Role) -> None:
    """Raise `NotAllowed` if one of these roles is not among `grantable_roles`.

    Changing codes needs this, too: without its code, a link for moderators makes moderators.
    """
    if not set(roles) <= grantable_roles(actor, room):
        raise NotAllowed(Message("Only who may moderate this room makes or changes links and codes for moderators."))


def knows_the_plan(actor: Actor, room: AnyRoom) -> bool:
    """Whether the actor may be told what is wrong with the plan: the owner of account or customer, and staff."""
    return owns_above(actor, owners_of(room)) or StaffPermission.ROOMS_READ in actor.staff


def manages_customer(actor: Actor, customer: Customer) -> bool:
    """Whether the actor's person may manage what concerns all rooms of the customer, such as its webhooks."""
    return owns_above(actor, owners_of(customer)) or StaffPermission.ROOMS_UPDATE in actor.staff
