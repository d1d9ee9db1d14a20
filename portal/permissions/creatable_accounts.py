"""The accounts in which somebody may make rooms, as plain values, with what he was granted in each.

The conditions agree with the rules in `rules.py`. Each statement is built once.
"""

from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from portal.accounts.models import Account, AccountMember
from portal.accounts.room_account import COLUMNS, RoomAccount, account_of, with_what_stands_above
from portal.clock import now
from portal.column_types import UTCDateTime
from portal.customers.models import Customer, CustomerMember, customer_is_usable
from portal.db import literal_limit, read, short_id
from portal.people.actor import Actor
from portal.people.memberships import MembershipRead
from portal.people.staff import StaffPermission
from portal.permissions.visibility import creating_members
from portal.unions import in_one_of

MOST = 200


def creatable_accounts(actor: Actor) -> list[RoomAccount]:
    """Accounts in which the actor may make a room, by name, with his memberships there; at most 200."""
    return _read(actor, MOST)


def creatable_account(actor: Actor, account_id: str) -> RoomAccount | None:
    """The account with this id, uuid or ulid, if the actor may make rooms in it, with his memberships there."""
    found = _read(actor, 1, short_id(Account, account_id) or "")
    return found[0] if found else None


def only_creatable_account(actor: Actor) -> RoomAccount | None:
    """The account in which the actor may create rooms, if there is exactly one; else None."""
    found = _read(actor, 2)
    return found[0] if len(found) == 1 else None


_ACTOR, _AT = sa.bindparam("actor", type_=sa.Uuid()), sa.bindparam("at", type_=UTCDateTime())
_MEMBERSHIPS = (AccountMember.permissions, AccountMember.until, CustomerMember.permissions, CustomerMember.until)


@lru_cache
def _creatable(*, everywhere: bool, one: bool, most: int) -> sa.Select[Any]:
    """The SELECT of the accounts in which the rules let the actor create rooms, with his memberships of each."""
    query = (
        with_what_stands_above(sa.select(*COLUMNS, *_MEMBERSHIPS))
        .outerjoin(
            AccountMember, sa.and_(AccountMember.account_uuid == Account.uuid, AccountMember.user_uuid == _ACTOR)
        )
        .outerjoin(
            CustomerMember,
            sa.and_(CustomerMember.customer_uuid == Account.customer_uuid, CustomerMember.user_uuid == _ACTOR),
        )
        .limit(literal_limit(most))
    )
    if most == MOST:
        query = query.order_by(Account.account_name, Account.uuid)
    if one:
        query = query.where(Account.id == sa.bindparam("account", type_=sa.String()))
    if everywhere:
        return query
    accounts, customers = creating_members(_ACTOR, _AT)
    return query.where(
        customer_is_usable(),
        in_one_of(
            Account.uuid,
            sa.select(Account.uuid).where(Account.owner_uuid == _ACTOR),
            sa.select(Account.uuid).join(Account.customer).where(Customer.owner_uuid == _ACTOR),
            accounts,
            sa.select(Account.uuid).where(Account.customer_uuid.in_(customers)),
        ),
    )


def _read(actor: Actor, most: int, account_id: str | None = None) -> list[RoomAccount]:
    everywhere = StaffPermission.ROOMS_CREATE in actor.staff
    query = _creatable(everywhere=everywhere, one=account_id is not None, most=most)
    accounts = []
    for row in read(query, {"actor": actor.uuid, "at": now(), "account": account_id}):
        *values, in_account, account_until, at_customer, customer_until = row
        account = account_of(values)
        actor.memberships[account.uuid] = MembershipRead.of(in_account, account_until)
        actor.memberships[account.customer_uuid] = MembershipRead.of(at_customer, customer_until)
        accounts.append(account)
    return accounts
