"""The account filter of the list of rooms: which accounts it offers, read together with the actor's access scope.

The list may take three statements only, so one statement reads both. Offered are the accounts all of whose rooms the
actor may see; not those of single rooms in which he is a member, because finding them would read all his
memberships.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.accounts.models import Account
from portal.clock import now
from portal.column_types import UTCDateTime
from portal.customers.creating import why_nothing_new
from portal.customers.models import Customer, CustomerStatus, customer_is_usable, display_name
from portal.db import literal_limit, read
from portal.errors import Message
from portal.people.actor import Actor
from portal.people.staff import StaffPermission
from portal.permissions.visibility import AccessScope, creating_members

MOST = 50
"""The most accounts that the filter offers. Somebody with more is offered none but the one named in the address."""

_ACTOR, _NAMED = sa.bindparam("actor", type_=sa.Uuid()), sa.bindparam("named", type_=sa.String())
_AT = sa.bindparam("at", type_=UTCDateTime())
_TOLD = (
    Account.id,
    Account.account_name,
    Customer.company_name,
    Customer.first_name,
    Customer.last_name,
    Customer.email,
    Customer.status,
)


@dataclass(frozen=True)
class AccountChoice:
    """An account that the filter offers."""

    uuid: UUID
    id: str
    name: str


@dataclass(frozen=True)
class AccountFilter:
    """An actor's access scope, and the accounts that the filter offers, by name. `chosen` is the one that was named."""

    access_scope: AccessScope
    offered: tuple[AccountChoice, ...]
    chosen: AccountChoice | None
    may_create: bool
    """Whether there is an account in which the actor may create a room."""
    why_not_now: Message | None
    """Why none can be created in any of them now; None if one can."""


def account_filter_for(actor: Actor, named: str) -> AccountFilter:
    """Read the actor's account filter, by one statement.

    `chosen` is None if there is no account with the id `named`, or the actor may not see all its rooms.
    """
    everything, creator = StaffPermission.ROOMS_READ in actor.staff, StaffPermission.ROOMS_CREATE in actor.staff
    params = {"actor": actor.uuid, "at": now()} | ({"named": named} if named else {})
    rows = read(_statement(everything, creator, bool(named)), params).all()
    access_scope = AccessScope(
        actor.uuid,
        everything,
        customers=tuple(row.uuid for row in rows if row.kind == "customer"),
        accounts=tuple(row.uuid for row in rows if row.kind == "account"),
    )
    creatable = {CustomerStatus(row.status) for row in rows if row.kind in {"account", "below", "creatable"}}
    refusals = [why_nothing_new(status) for status in sorted(creatable)]
    may_create, why_not_now = bool(creatable), refusals[0] if refusals and all(refusals) else None
    offered = {"seen"} if everything else {"account", "below"}
    found = {row.uuid: _choice(row) for row in rows if row.kind in offered}
    chosen = next((_choice(row) for row in rows if row.kind == "named"), None)
    if len(found) > MOST:
        return AccountFilter(access_scope, (chosen,) if chosen else (), chosen, may_create, why_not_now)
    by_name = tuple(sorted(found.values(), key=lambda one: (one.name.casefold(), one.uuid)))
    return AccountFilter(access_scope, by_name, chosen, may_create, why_not_now)


def _choice(row: Any) -> AccountChoice:
    customer = display_name(row.company_name, row.first_name, row.last_name, row.email)
    return AccountChoice(row.uuid, row.id, f"{customer} · {row.account_name}")


@lru_cache
def _statement(everything: bool, creator: bool, named: bool) -> sa.CompoundSelect[*tuple[Any, ...]]:
    """A UNION of one SELECT for each relation by which the actor sees accounts: each has an index of its own."""
    theirs = sa.select(Customer.uuid).where(Customer.owner_uuid == _ACTOR, customer_is_usable())
    arms: list[sa.Select[*tuple[Any, ...]]] = [
        _untold("customer", theirs),
        _accounts("account").where(Account.owner_uuid == _ACTOR, customer_is_usable()),
        _accounts("below").where(Account.customer_uuid.in_(theirs)).limit(literal_limit(MOST + 1)),
    ]
    if everything:
        arms.append(_accounts("seen").limit(literal_limit(MOST + 1)))
    if creator:
        arms.append(_accounts("creatable").where(Customer.status == CustomerStatus.ACTIVE).limit(literal_limit(1)))
    else:
        in_accounts, at_customers = creating_members(_ACTOR, _AT)
        arms += [_one_account(Account.uuid.in_(in_accounts)), _one_account(Account.customer_uuid.in_(at_customers))]
    if named:
        one = _accounts("named").where(Account.id == _NAMED)
        own = sa.and_(customer_is_usable(), sa.or_(Account.owner_uuid == _ACTOR, Account.customer_uuid.in_(theirs)))
        arms.append(one if everything else one.where(own))
    return sa.union_all(*(sa.select(arm.subquery()) for arm in arms))  # a limit holds for its arm


def _one_account(condition: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    """One account that fulfils the condition: one of an active customer, if there is such a one."""
    active_first = Customer.status != CustomerStatus.ACTIVE
    return _accounts("creatable").where(condition).order_by(active_first).limit(literal_limit(1))


def _accounts(kind: str) -> sa.Select[*tuple[Any, ...]]:
    return sa.select(_kind(kind), Account.uuid, *_TOLD).join(Account.customer)


def _untold(kind: str, uuids: sa.Select[UUID]) -> sa.Select[*tuple[Any, ...]]:
    nothing = (sa.literal_column("''", sa.String).label(column.key) for column in _TOLD)
    return sa.select(_kind(kind), uuids.subquery().c[0].label("uuid"), *nothing)


def _kind(word: str) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{word}'", sa.String).label("kind")
