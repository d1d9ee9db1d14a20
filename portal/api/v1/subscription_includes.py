"""Loading the relations of subscriptions that were asked for by `include`: one statement each for a whole page.

As with rooms nothing is included that reading it directly would refuse: without the scope the request is refused; what
the caller may not read of a subscription is null, and of accounts and rooms only those are there that he may see.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload, lazyload

from portal.accounts.models import Account
from portal.api.v1 import includes
from portal.api.v1.core.query_params import FieldSelection
from portal.clock import now
from portal.customers.models import Customer
from portal.customers.permission import CustomerPermission
from portal.db import read, session
from portal.edge import bearer
from portal.people.actor import Actor
from portal.people.models import User
from portal.people.staff import StaffPermission
from portal.permissions.places import visible_accounts
from portal.permissions.room_reading import as_room, rooms_read
from portal.permissions.rules import can, rights
from portal.permissions.visibility import READER, access_scope_of, all_seen
from portal.resources.declaring import Resource, fields_of
from portal.resources.packages import PackageSchema, serialize_package
from portal.resources.plain_rooms import PlainRoomSchema
from portal.resources.rooms import serialize_room
from portal.resources.subscription_parts import (
    SubscriptionFeatureSchema,
    SubscriptionProviderSchema,
    UsageSchema,
    serialize_subscription_feature,
    serialize_subscription_provider,
    serialize_usage,
)
from portal.resources.subscriptions import (
    CustomerSchema,
    PlainAccountSchema,
    serialize_account,
    serialize_customer,
)
from portal.rooms.models import Room
from portal.scopes import Scope
from portal.status.subscription_usage import counted_each, usage_of
from portal.subscriptions.models import Subscription
from portal.subscriptions.package_models import ServicePackage
from portal.subscriptions.switching import providers_of_each

SCHEMAS: dict[str, type[Resource]] = {
    "customer": CustomerSchema,
    "package": PackageSchema,
    "features": SubscriptionFeatureSchema,
    "usage": UsageSchema,
    "providers": SubscriptionProviderSchema,
    "accounts": PlainAccountSchema,
    "rooms": PlainRoomSchema,
}
FIELDS = {name: frozenset(fields_of(schema)) for name, schema in SCHEMAS.items()}
MOST_EACH = includes.MOST_EACH
"""Of so many accounts, and rooms, of each subscription those are included that were made last."""

Found = dict[UUID, Any]
"""Subscription uuid → what is found of a relation."""


def load(
    subscriptions: Sequence[Subscription], somebody: Actor, selection: FieldSelection
) -> dict[UUID, dict[str, Any]]:
    """Subscription uuid → relation → `{"data": …}` or None, for those in `selection`. Raises `ScopeMissing`."""
    if "rooms" in selection.includes:
        bearer.require(Scope.ROOMS_READ)
    result: dict[UUID, dict[str, Any]] = {one.uuid: {} for one in subscriptions}
    for name in selection.includes:
        found = _LOADERS[name](subscriptions, somebody) if subscriptions else {}
        for uuid, relations in result.items():
            relations[name] = selection.included(name, found.get(uuid))
    return result


def _customers(subscriptions: Sequence[Subscription], somebody: Actor) -> Found:
    return {
        one.uuid: serialize_customer(one.customer)
        for one in subscriptions
        if includes.may_read("customer", somebody, one.customer)
    }


def _packages(subscriptions: Sequence[Subscription], somebody: Actor) -> Found:
    if StaffPermission.PACKAGES_READ not in somebody.staff:
        return {}
    of_each = {one.uuid: one.package_uuid for one in subscriptions}
    query = sa.select(ServicePackage).where(ServicePackage.uuid.in_(set(of_each.values()))).options(lazyload("*"))
    packages = {package.uuid: serialize_package(package) for package in session.scalars(query)}
    return {uuid: packages[package] for uuid, package in of_each.items()}


def _features(subscriptions: Sequence[Subscription], _somebody: Actor) -> Found:
    return {one.uuid: [serialize_subscription_feature(row) for row in one.features] for one in subscriptions}


def _usages(subscriptions: Sequence[Subscription], somebody: Actor) -> Found:
    """What is used, without telling by what: the address of one subscription's usage does."""
    shown = [
        one
        for one in subscriptions
        if StaffPermission.SUBSCRIPTIONS_READ in somebody.staff
        or can(somebody, CustomerPermission.USAGE_VIEW, one.customer)
    ]
    counts = counted_each(shown)
    return {one.uuid: [serialize_usage(row) for row in usage_of(one, counts[one.uuid])] for one in shown}


def _providers(subscriptions: Sequence[Subscription], somebody: Actor) -> Found:
    if StaffPermission.SUBSCRIPTIONS_READ not in somebody.staff:
        return {}
    of_each = providers_of_each(subscriptions)
    return {one.uuid: [serialize_subscription_provider(row, one) for row in of_each[one.uuid]] for one in subscriptions}


def _accounts(subscriptions: Sequence[Subscription], somebody: Actor) -> Found:
    query = visible_accounts(somebody, now()).where(Account.uuid.in_(_newest(Account, subscriptions)))
    query = query.options(
        joinedload(Account.owner).lazyload(User.platform_roles),
        joinedload(Account.subscription).lazyload("*"),
        contains_eager(Account.customer).joinedload(Customer.owner).lazyload(User.platform_roles),
    )
    found: Found = {one.uuid: [] for one in subscriptions}
    for account in session.scalars(query.order_by(Account.uuid)).unique():
        found[account.subscription_uuid].append(serialize_account(account))
    return found


def _rooms(subscriptions: Sequence[Subscription], somebody: Actor) -> Found:
    at = now()
    seen = all_seen(access_scope_of(somebody), at)
    query = rooms_read(_newest(Room, subscriptions, Room.uuid.in_(seen))).order_by(Room.uuid)
    found: Found = {one.uuid: [] for one in subscriptions}
    for row in read(query, {READER.key: somebody.uuid}):
        room = as_room(somebody, row)
        found[room.subscription_uuid].append(serialize_room(room, rights(somebody, room, at)))
    return found


def _newest(
    model: type[Account] | type[Room], subscriptions: Sequence[Subscription], *where: sa.ColumnElement[bool]
) -> sa.Select[UUID]:
    """A SELECT of the uuids of the newest `MOST_EACH` rows of each subscription."""
    number = sa.func.row_number().over(partition_by=model.subscription_uuid, order_by=model.uuid.desc())
    own = model.subscription_uuid.in_([one.uuid for one in subscriptions])
    numbered = sa.select(model.uuid.label("uuid"), number.label("number")).where(own, *where).subquery()
    return sa.select(numbered.c.uuid).where(numbered.c.number <= MOST_EACH)


_LOADERS: dict[str, Callable[[Sequence[Subscription], Actor], Found]] = {
    "customer": _customers,
    "package": _packages,
    "features": _features,
    "usage": _usages,
    "providers": _providers,
    "accounts": _accounts,
    "rooms": _rooms,
}
