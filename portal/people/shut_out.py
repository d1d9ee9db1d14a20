"""Whether somebody is shut out: he belongs to customers, and nobody may use any of them at present.

It is a column of the statements that read who acts, so that it is known with every request and costs none of its own.
Whoever belongs to a customer that works, or to none, is not shut out. The doors of pages and of
the API refuse him everything; at a room's door he is one more visitor with a link. Customers and what is below them
stand above people, who must not import them, so their tables are named here.
"""

from uuid import UUID

import sqlalchemy as sa

from portal.column_types import UTCDateTime
from portal.db import literal_limit
from portal.errors import Message, NotAllowed
from portal.people.models import PlatformRole, User


class ShutOut(NotAllowed):
    """Somebody who is shut out asked for anything at all, but to sign out."""

    default = Message(
        "Nobody may use what you have here at present, because your customer is not active. "
        "Ask its owner, or whoever runs this portal."
    )


AT = sa.bindparam("at", type_=UTCDateTime())
"""When the memberships are judged: to be bound in every statement with the column `SHUT_OUT`."""

_USABLE, _UNUSABLE = ("active", "suspended"), ("inactive", "terminated")


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, sa.column("uuid"), *map(sa.column, columns))


_customers = _table("customers", "owner_uuid", "status")
_accounts = _table("accounts", "owner_uuid", "customer_uuid")
_rooms = _table("rooms", "owner_uuid", "customer_uuid")
_AT_CUSTOMERS = sa.select(sa.literal(1)).select_from(_customers)
_IN_ACCOUNTS = _AT_CUSTOMERS.join(_accounts, _accounts.c.customer_uuid == _customers.c.uuid)
_IN_ROOMS = _AT_CUSTOMERS.join(_rooms, _rooms.c.customer_uuid == _customers.c.uuid)


def _of_user(rows: sa.Select[int], column: sa.ColumnClause[UUID]) -> sa.Select[int]:
    """The first of these rows that the user has by this column, which begins an index.

    The order and the range, of which PostgreSQL does not know that it is one value, leave it no other way than that
    index. Else, where few people have most of the rows, it expects to meet one of theirs soon, and reads the whole
    table for whoever has none.
    """
    return rows.where(column.between(User.uuid, User.uuid)).order_by(column).limit(literal_limit(1))


def _members(name: str, of: sa.TableClause, above: sa.Select[int]) -> sa.Select[int]:
    """The first membership of the user that lasts, of the things in the table `of`."""
    thing = f"{name.removesuffix('_members')}_uuid"
    members = sa.table(name, sa.column("user_uuid"), sa.column(thing), sa.column("until", UTCDateTime()))
    joined = above.join(members, members.c[thing] == of.c.uuid)
    lasting = joined.where(sa.or_(members.c.until.is_(None), members.c.until > AT))
    return _of_user(lasting, members.c.user_uuid)


_BELONGING = (  # in the order in which one is found soonest
    _of_user(_AT_CUSTOMERS, _customers.c.owner_uuid),
    _members("customer_members", _customers, _AT_CUSTOMERS),
    _of_user(_IN_ACCOUNTS, _accounts.c.owner_uuid),
    _members("account_members", _accounts, _IN_ACCOUNTS),
    _members("room_members", _rooms, _IN_ROOMS),
    _of_user(_IN_ROOMS, _rooms.c.owner_uuid),
)


def _belongs_to_one_that_is(statuses: tuple[str, ...]) -> sa.ColumnElement[bool]:
    literals: list[sa.ColumnClause[str]] = [sa.literal_column(f"'{status}'") for status in statuses]
    firsts = (one.where(_customers.c.status.in_(literals)).correlate(User).scalar_subquery() for one in _BELONGING)
    return sa.or_(*(first.is_not(None) for first in firsts))  # an EXISTS would forget the order


SHUT_OUT = sa.case(
    (PlatformRole.uuid.is_not(None), sa.false()),
    (_belongs_to_one_that_is(_USABLE), sa.false()),
    else_=_belongs_to_one_that_is(_UNUSABLE),
).label("shut_out")
"""A column of statements over `User`, joined with his platform roles where he has any.

Staff are never shut out, so nothing is asked of theirs.
"""
