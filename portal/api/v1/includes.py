"""Loading the relations of rooms that were asked for by `include`: one statement for all rooms of a page.

What stands above rooms is read by one statement, too; of each kind below them, by one more.

Nothing is included that reading it directly would refuse: without the scope the request is refused, and for a room
on which the caller lacks the permission the relation is null.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache, partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, defer, joinedload, lazyload, load_only

from portal.accounts.models import Account
from portal.admission.models import AccessCode, RoomToken
from portal.api.v1.core.query_params import FieldSelection
from portal.clock import now
from portal.customers.models import Customer
from portal.db import session
from portal.edge import actor, bearer
from portal.people.actor import Actor
from portal.people.models import User
from portal.people.staff import StaffPermission
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.permissions.rules import Thing, can, owners_of, owns_above
from portal.resources.access import RoomAccessCodeSchema, RoomTokenSchema, serialize_access_code, serialize_token
from portal.resources.declaring import Resource, fields_of
from portal.resources.people import (
    RoomUserSchema,
    UserSchema,
    serialize_room_owner,
    serialize_room_user,
    serialize_user,
)
from portal.resources.sessions import RoomStatusSchema, serialize_room_status
from portal.resources.subscriptions import (
    AccountSchema,
    CustomerSchema,
    EffectiveFeatureSchema,
    SubscriptionSchema,
    serialize_account,
    serialize_customer,
    serialize_effective_feature,
    serialize_subscription,
)
from portal.rooms.features import features_of
from portal.rooms.models import Room
from portal.rooms.room_read import AnyRoom
from portal.scopes import Scope
from portal.status.models import RoomStatus
from portal.subscriptions.models import Subscription
from portal.subscriptions.package_models import ServicePackage
from portal.videos.totals import totals_of_each

RELATIONS: dict[str, tuple[Scope | None, Permission]] = {
    "account": (Scope.CUSTOMERS_READ, Permission.ROOM_VIEW),
    "account.customer": (Scope.CUSTOMERS_READ, Permission.ROOM_VIEW),
    "account.subscription": (Scope.CUSTOMERS_READ, Permission.ROOM_VIEW),
    "customer": (Scope.CUSTOMERS_READ, Permission.ROOM_VIEW),
    "subscription": (Scope.CUSTOMERS_READ, Permission.ROOM_VIEW),
    "owner": (Scope.PEOPLE_READ, Permission.MEMBERS_VIEW),
    "users": (Scope.PEOPLE_READ, Permission.MEMBERS_VIEW),
    "tokens": (Scope.ACCESS_READ, Permission.TOKENS_VIEW),
    "access_codes": (Scope.ACCESS_READ, Permission.CODES_VIEW),
    "room_status": (Scope.STATUS_READ, Permission.STATUS_VIEW),
    "effective_features": (None, Permission.ROOM_VIEW),
}
_SCHEMAS: dict[str, type[Resource]] = {
    "account": AccountSchema,
    "customer": CustomerSchema,
    "subscription": SubscriptionSchema,
    "owner": UserSchema,
    "users": RoomUserSchema,
    "tokens": RoomTokenSchema,
    "access_codes": RoomAccessCodeSchema,
    "room_status": RoomStatusSchema,
    "effective_features": EffectiveFeatureSchema,
}
FIELDS = {name: frozenset(fields_of(schema)) for name, schema in _SCHEMAS.items()}
MOST_EACH = 100

Loaded = dict[UUID, Any]


def load(rooms: Sequence[AnyRoom], actor: Actor, selection: FieldSelection) -> dict[UUID, dict[str, Any]]:
    """Room uuid → relation → `{"data": …}` or None, for the relations in `selection`. Raises `ScopeMissing`."""
    for name in selection.includes:
        scope = RELATIONS[name][0]
        if scope is not None:
            bearer.require(scope)
    result: dict[UUID, dict[str, Any]] = {room.uuid: {} for room in rooms}
    names = dict.fromkeys(one.partition(".")[0] for one in selection.includes)
    loaded = _with_what_stands_above(rooms, selection) if not _ABOVE.keys().isdisjoint(names) else {}
    for name in names:
        permission = RELATIONS[name][1]
        readable = [room for room in rooms if can(actor, permission, room) and may_read(name, actor, room)]
        if name in _ABOVE:
            found = _ABOVE[name]([loaded[room.uuid] for room in readable if room.uuid in loaded])
        else:
            found = _BELOW[name](readable) if readable else {}
        for room in rooms:
            result[room.uuid][name] = selection.included(name, found.get(room.uuid))
        if name == "account":
            for uuid in found:  # added after selecting fields: `filter=account.id` removes no relation
                below = below_account(loaded[uuid].account, selection.below(name), now())
                result[uuid][name]["data"] |= below
    return result


def _with_what_stands_above(rooms: Sequence[AnyRoom], selection: FieldSelection) -> dict[UUID, Room]:
    """The rooms with all that the relations `_ABOVE` in `selection` read, by one statement."""
    query = sa.select(Room).join(Room.account).join(Room.customer).where(Room.uuid.in_(_uuids(rooms)))
    options = _loaded_with(
        account=selection.wants("account"),
        customer=selection.wants("customer") or selection.wants("account"),
        owner=selection.wants("owner") or selection.wants("users"),
        plan=selection.wants("effective_features") or selection.wants("subscription") or selection.wants("account"),
    )
    return {room.uuid: room for room in session.scalars(query.options(*options)).unique()}


@cache
def _loaded_with(*, account: bool, customer: bool, owner: bool, plan: bool) -> list[Any]:
    """The loader options: these relations with all columns, of the others only the identifiers."""
    accounts, customers = contains_eager(Room.account), contains_eager(Room.customer)
    owners = joinedload(Room.owner).options(lazyload(User.platform_roles))
    plans = joinedload(Room.subscription)
    if account:
        accounts = accounts.options(joinedload(Account.owner).lazyload(User.platform_roles))
    else:
        accounts = accounts.load_only(Account.id, Account.owner_uuid)
    if customer:
        customers = customers.options(joinedload(Customer.owner).lazyload(User.platform_roles))
    else:
        customers = customers.load_only(Customer.id, Customer.owner_uuid)
    if not owner:
        owners = owners.options(load_only(User.id))
    if plan:
        plans = plans.options(joinedload(Subscription.package).options(load_only(ServicePackage.id), lazyload("*")))
    else:
        plans = plans.options(
            load_only(Subscription.id), lazyload(Subscription.features), lazyload(Subscription.provider)
        )
    return [defer(Room.name_words), accounts, customers, owners, plans]


_STAFF_READ = {
    "account": StaffPermission.ACCOUNTS_READ,
    "customer": StaffPermission.CUSTOMERS_READ,
    "subscription": StaffPermission.SUBSCRIPTIONS_READ,
}
"""What stands above rooms, and the permission by which staff read it."""


def may_read(name: str, actor: Actor, thing: Thing) -> bool:
    """Whether the actor may read this relation: accounts, customers and subscriptions only as an owner or staff."""
    return name not in _STAFF_READ or owns_above(actor, owners_of(thing)) or _STAFF_READ[name] in actor.staff


def _grouped(
    rooms: Sequence[AnyRoom], rows: Iterable[Any], represent: Callable[[Any, AnyRoom], dict[str, Any]]
) -> dict[UUID, list[dict[str, Any]]]:
    by_uuid = {room.uuid: room for room in rooms}
    found: dict[UUID, list[dict[str, Any]]] = {room.uuid: [] for room in rooms}
    for row in rows:
        found[row.room_uuid].append(represent(row, by_uuid[row.room_uuid]))
    return found


def _newest_of_each(model: type[Any], rooms: Sequence[AnyRoom], *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """A SELECT of the newest `MOST_EACH` rows of each room, in the order of creation."""
    number = sa.func.row_number().over(partition_by=model.room_uuid, order_by=model.uuid.desc()).label("number")
    numbered = sa.select(model.uuid.label("uuid"), number).where(model.room_uuid.in_(_uuids(rooms)), *where).subquery()
    query = sa.select(model).join(numbered, numbered.c.uuid == model.uuid)
    return query.where(numbered.c.number <= MOST_EACH).order_by(model.uuid)


def _uuids(rooms: Sequence[AnyRoom]) -> list[UUID]:
    return [room.uuid for room in rooms]


def _tokens(rooms: Sequence[AnyRoom]) -> Loaded:
    query = _newest_of_each(RoomToken, rooms, RoomToken.automatic.is_(False), RoomToken.revoked_at.is_(None))
    query = query.options(joinedload(RoomToken.created_by).lazyload(User.platform_roles))
    return _grouped(rooms, session.scalars(query), partial(serialize_token, reader=actor.someone()))


def _access_codes(rooms: Sequence[AnyRoom]) -> Loaded:
    query = _newest_of_each(AccessCode, rooms)
    query = query.options(joinedload(AccessCode.created_by).lazyload(User.platform_roles))
    return _grouped(rooms, session.scalars(query), serialize_access_code)


def _users(rooms: Sequence[Room]) -> Loaded:
    query = _newest_of_each(RoomMember, rooms).options(joinedload(RoomMember.user).lazyload(User.platform_roles))
    members = _grouped(rooms, session.scalars(query), serialize_room_user) if rooms else {}
    return {room.uuid: [serialize_room_owner(room), *members[room.uuid]] for room in rooms}


def _room_status(rooms: Sequence[AnyRoom]) -> Loaded:
    stored = {
        status.room_uuid: status
        for status in session.scalars(sa.select(RoomStatus).where(RoomStatus.room_uuid.in_(_uuids(rooms))))
    }
    totals = totals_of_each(rooms)
    return {room.uuid: serialize_room_status(room, stored.get(room.uuid), totals.get(room.uuid, {})) for room in rooms}


def below_account(account: Account, names: Sequence[str], at: datetime) -> dict[str, Any]:
    """The relations `names` of an account, serialized: its customer and its subscription; None if not to be read."""
    data: dict[str, Any] = {}
    for name in names:
        if not may_read(name, actor.someone(), account):
            data[name] = None
        elif name == "customer":
            data[name] = {"data": serialize_customer(account.customer)}
        elif name == "subscription":
            data[name] = {"data": serialize_subscription(account.subscription, at)}
    return data


def _of_room(represent: Callable[[Room], Any]) -> Callable[[Sequence[Room]], Loaded]:
    return lambda rooms: {room.uuid: represent(room) for room in rooms}


def _effective(room: Room) -> list[dict[str, Any]]:
    return [serialize_effective_feature(row) for row in features_of(room)]


_ABOVE: dict[str, Callable[[Sequence[Room]], Loaded]] = {
    "account": _of_room(lambda room: serialize_account(room.account)),
    "customer": _of_room(lambda room: serialize_customer(room.customer)),
    "subscription": _of_room(lambda room: serialize_subscription(room.subscription, now())),
    "owner": _of_room(lambda room: serialize_user(room.owner)),
    "users": _users,
    "effective_features": _of_room(_effective),
}
"""The relations that are read from what stands above rooms: their account, customer, subscription and owner."""
_BELOW: dict[str, Callable[[Sequence[AnyRoom]], Loaded]] = {
    "tokens": _tokens,
    "access_codes": _access_codes,
    "room_status": _room_status,
}
