"""Which rooms an actor may see, as SQL: finding one room, and selecting all of them for lists.

The conditions agree with the rules in `rules.py`, also in that only staff see what belongs to a customer that is not
usable. One OR over owner, account, customer and membership would make
databases read every room. So a list first reads the actor's `AccessScope`, and then selects the rooms of each relation
separately, ordered and limited by its own index, and unites them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload, lazyload
from sqlalchemy.orm.interfaces import ORMOption

from portal.accounts.models import Account, AccountMember
from portal.accounts.permission import AccountPermission
from portal.column_types import UTCDateTime
from portal.customers.models import Customer, CustomerMember, customer_is_unusable, customer_is_usable
from portal.db import read, session, short_id
from portal.identifiers import matches_identifier
from portal.people.actor import Actor
from portal.people.models import User
from portal.people.staff import StaffPermission
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.permissions.rules import holds
from portal.rooms.models import Room
from portal.subscriptions.models import Subscription, plan_column
from portal.unions import in_one_of

NOBODY, NEVER = UUID(int=0), datetime.max.replace(tzinfo=UTC)
"""Placeholders in cached statements for values that each request binds. Unbound, they match no room."""
READER = sa.bindparam("reader", type_=sa.Uuid())


def find_room(actor: Actor, room_id: str, *, trashed: bool = False) -> Room | None:
    """The room with this id, uuid or ulid, if the actor may see it, by one statement; else None.

    Loads its account, customer, subscription and owner, and the actor's membership.
    """
    params = {"room_id": short_id(Room, room_id), "actor": actor.uuid}
    row = session.execute(_TRASHED if trashed else _NOT_TRASHED, params).unique().first()
    if row is None:
        return None
    room, member, plan = row
    room.subscription.set_plan(plan)
    actor.memberships[room.uuid] = member
    return room if holds(actor, Permission.ROOM_VIEW, room) else None


def _one_room(trash: sa.ColumnElement[bool]) -> sa.Select[Room, RoomMember | None, Any]:
    me = sa.bindparam("actor", type_=sa.Uuid())
    return (
        sa.select(Room, RoomMember, plan_column(Room.subscription_uuid))
        .join(Room.account)
        .join(Room.customer)
        .outerjoin(RoomMember, sa.and_(RoomMember.room_uuid == Room.uuid, RoomMember.user_uuid == me))
        .options(
            contains_eager(Room.account),
            contains_eager(Room.customer),
            joinedload(Room.subscription).options(
                joinedload(Subscription.provider, innerjoin=True), lazyload(Subscription.features)
            ),
            joinedload(Room.owner).lazyload(User.platform_roles),
        )
        .where(Room.id == sa.bindparam("room_id", type_=sa.String()), trash)
    )


_NOT_TRASHED, _TRASHED = _one_room(Room.trashed_at.is_(None)), _one_room(Room.trashed_at.is_not(None))


@dataclass(frozen=True)
class AccessScope:
    """The relations by which an actor sees rooms: his customers, his accounts, and whether he sees every room."""

    actor: UUID
    everything: bool
    """Whether the actor is staff who may read every room."""
    customers: tuple[UUID, ...]
    accounts: tuple[UUID, ...]

    @property
    def template(self) -> "AccessScope":
        """This scope with placeholders for its uuids: the key of a cached statement, to be executed with `params`.

        It is equal for all actors with as many customers and accounts.
        """
        return AccessScope(NOBODY, self.everything, (NOBODY,) * len(self.customers), (NOBODY,) * len(self.accounts))

    def params(self, at: datetime) -> dict[str, Any]:
        """The values to bind in a statement that was built from this scope's `template`."""
        return {
            "seen_by": self.actor,
            "seen_at": at,
            **_parameters("customer", self.customers),
            **_parameters("account", self.accounts),
        }


def access_scope_of(actor: Actor) -> AccessScope:
    """Read the actor's access scope, by one statement."""
    rows: Sequence[Any] = read(_ACCESS_SCOPE, {"actor": actor.uuid}).all()
    return AccessScope(
        actor.uuid,
        StaffPermission.ROOMS_READ in actor.staff,
        customers=tuple(uuid for kind, uuid in rows if kind == "customer"),
        accounts=tuple(uuid for kind, uuid in rows if kind == "account"),
    )


_ACTOR = sa.bindparam("actor", type_=sa.Uuid())
_ACCESS_SCOPE = sa.union_all(
    sa.select(sa.literal_column("'customer'", sa.String), Customer.uuid).where(
        Customer.owner_uuid == _ACTOR, customer_is_usable()
    ),
    sa.select(sa.literal_column("'account'", sa.String), Account.uuid)
    .join(Account.customer)
    .where(Account.owner_uuid == _ACTOR, customer_is_usable()),
)
ARMS = 8  # an actor with more customers (or accounts) gets one SELECT for all of them, which has to sort


def relations(
    access_scope: AccessScope, at: datetime, permission: Permission = Permission.ROOM_VIEW
) -> list[sa.ColumnElement[bool]]:
    """A condition on `Room` for each relation by which the actor has `permission`. A room may fulfil several of them.

    `permission` must be one that every relation but membership gives.
    """
    if access_scope.everything:
        return [sa.true()]
    me = sa.bindparam("seen_by", access_scope.actor, type_=sa.Uuid())
    usable = Room.customer_uuid.not_in(sa.select(Customer.uuid).where(customer_is_unusable()))
    return [
        sa.and_(Room.owner_uuid == me, usable),
        *_each("customer", Room.customer_uuid, access_scope.customers),
        *_each("account", Room.account_uuid, access_scope.accounts),
        sa.and_(
            Room.uuid.in_(
                sa.select(RoomMember.room_uuid).where(
                    RoomMember.user_uuid == me,
                    RoomMember.lasts(sa.bindparam("seen_at", at, type_=UTCDateTime())),
                    *(RoomMember.grants(one) for one in sorted({Permission.ROOM_VIEW, permission})),
                )
            ),
            usable,
        ),
    ]


Narrowing = Callable[[sa.Select[UUID]], sa.Select[UUID]]
"""A function that narrows, orders and limits the SELECT of one relation to what a page needs."""


def visible_uuids(
    access_scope: AccessScope, at: datetime, page: Narrowing
) -> sa.Select[UUID] | sa.CompoundSelect[UUID]:
    """A SELECT of the uuids of rooms that the actor may see and that are not trashed, each once.

    `page` narrows, orders and limits the SELECT of each relation to what a page needs; the union then holds at least
    that page.
    """
    arms = [
        page(sa.select(Room.uuid).where(Room.trashed_at.is_(None), relation))
        for relation in relations(access_scope, at)
    ]
    if len(arms) == 1:
        return arms[0]
    return sa.union(*(sa.select(arm.subquery().c.uuid) for arm in arms))


def all_seen(access_scope: AccessScope, at: datetime) -> sa.Select[UUID]:
    """A SELECT of the uuids of all rooms that the actor may see and that are not trashed, for reading all of them."""
    return sa.select(Room.uuid).where(Room.trashed_at.is_(None), sa.or_(*relations(access_scope, at)))


def _each(
    name: str, column: sa.orm.InstrumentedAttribute[UUID], uuids: tuple[UUID, ...]
) -> list[sa.ColumnElement[bool]]:
    if len(uuids) > ARMS:
        return [column.in_(sa.bindparam(f"{name}s", list(uuids), type_=sa.Uuid(), expanding=True))]
    return [column == sa.bindparam(key, uuid, type_=sa.Uuid()) for key, uuid in _parameters(name, uuids).items()]


def _parameters(name: str, uuids: tuple[UUID, ...]) -> dict[str, Any]:
    if len(uuids) > ARMS:
        return {f"{name}s": list(uuids)}
    return {f"{name}_{number}": uuid for number, uuid in enumerate(uuids)}


def creating_members(
    user: UUID | sa.BindParameter[UUID], at: datetime | sa.BindParameter[datetime]
) -> tuple[sa.Select[UUID], sa.Select[UUID]]:
    """The uuids of the accounts, and of the customers, where this user was granted to make rooms."""
    word = AccountPermission.ROOMS_CREATE
    accounts = (
        sa.select(AccountMember.account_uuid)
        .join(AccountMember.account)
        .join(Account.customer)
        .where(
            AccountMember.user_uuid == user, AccountMember.grants(word), AccountMember.lasts(at), customer_is_usable()
        )
    )
    customers = (
        sa.select(CustomerMember.customer_uuid)
        .join(CustomerMember.customer)
        .where(
            CustomerMember.user_uuid == user,
            CustomerMember.grants(word),
            CustomerMember.lasts(at),
            customer_is_usable(),
        )
    )
    return accounts, customers


def seen_subscriptions(actor: Actor) -> sa.Select[Subscription]:
    """A SELECT of the subscriptions of customers and accounts that the actor owns; all for staff who may read them."""
    query = sa.select(Subscription).join(Subscription.customer)
    if StaffPermission.SUBSCRIPTIONS_READ in actor.staff:
        return query
    by_account = sa.select(Account.subscription_uuid).where(Account.owner_uuid == actor.uuid)
    by_customer = sa.select(Subscription.uuid).join(Subscription.customer).where(Customer.owner_uuid == actor.uuid)
    return query.where(customer_is_usable(), in_one_of(Subscription.uuid, by_account, by_customer))


def visible_subscription(actor: Actor, subscription_id: str, *options: ORMOption) -> Subscription | None:
    """The subscription with this id, uuid or ulid, if the actor may read it; else None."""
    seen = seen_subscriptions(actor).where(matches_identifier(Subscription, subscription_id))
    return session.scalars(seen.options(*options)).unique().one_or_none()


def reader_is_member() -> sa.ColumnElement[bool]:
    """The condition that joins the membership of the `READER` to a room."""
    return sa.and_(RoomMember.room_uuid == Room.uuid, RoomMember.user_uuid == READER)
