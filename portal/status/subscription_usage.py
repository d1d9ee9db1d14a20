"""What is used of a subscription's limits, counted from the rows themselves: accounts, rooms, people now, storage.

It belongs to this package because it counts who is in. What nothing counts yet has no usage.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.accounts.models import Account
from portal.accounts.operations import MAX_ACCOUNTS
from portal.accounts.room_account import MAX_ROOMS
from portal.db import read
from portal.rooms.kinds import KINDS
from portal.rooms.models import Room
from portal.status.models import Participation
from portal.subscriptions.feature_catalog import FEATURES, Feature, Value
from portal.subscriptions.models import Subscription, SubscriptionFeature
from portal.subscriptions.provider_models import ServiceType
from portal.videos.storage_used import (
    GIGABYTE,
    MAX_STORAGE,
    as_gigabytes,
    used_by_each,
    used_by_rooms,
    used_by_subscriptions,
)

MOST_SHOWN = 100
"""Of how many accounts or rooms it is told what they use: those that use most."""


@dataclass(frozen=True)
class Share:
    """What one account or room uses of a limit."""

    object: str
    id: str
    name: str
    used: float


@dataclass(frozen=True)
class Usage:
    """What is used of one feature. `value` None: there is no limit."""

    feature: Feature
    value: Value
    used: float
    by: tuple[Share, ...]

    @property
    def hits(self) -> bool:
        """Whether the limit is reached, so that one more is refused."""
        return self.value is not None and self.used >= self.value


_OWN = sa.bindparam("subscription", type_=sa.Uuid())
_ROOMS = (
    sa.select(Room.account_uuid, sa.func.count().label("rooms"))
    .where(Room.subscription_uuid == _OWN, Room.trashed_at.is_(None))
    .group_by(Room.account_uuid)
    .subquery()
)
_USED = sa.func.coalesce(_ROOMS.c.rooms, 0)
_ACCOUNTS = (
    sa.select(Account.id, Account.account_name, _USED, sa.func.count().over(), sa.func.sum(_USED).over())
    .outerjoin(_ROOMS, _ROOMS.c.account_uuid == Account.uuid)
    .where(Account.subscription_uuid == _OWN)
    .order_by(_USED.desc(), Account.uuid)
    .limit(MOST_SHOWN)
)
_PRESENT = (
    sa.select(Participation.room_uuid, sa.func.count().label("people"))
    .where(Participation.subscription_uuid == _OWN, Participation.left_at.is_(None))
    .group_by(Participation.room_uuid)
    .subquery()
)
_PEOPLE = (
    sa.select(Room.id, Room.room_name, _PRESENT.c.people, sa.func.sum(_PRESENT.c.people).over())
    .join(_PRESENT, _PRESENT.c.room_uuid == Room.uuid)
    .order_by(_PRESENT.c.people.desc(), Room.uuid)
    .limit(MOST_SHOWN)
)


@dataclass(frozen=True)
class Counted:
    """How many accounts and rooms a subscription has, how many people are inside now, and by whom that is used."""

    accounts: int
    rooms: int
    people: int
    rooms_by: tuple[Share, ...]
    people_by: tuple[Share, ...]
    storage: int = 0
    """Bytes, in a subscription of videos."""
    storage_by: tuple[Share, ...] = ()


def usage(subscription: Subscription) -> list[Usage]:
    """What is used of each limit that the subscription has and that is counted, by two statements."""
    return usage_of(subscription, counted(subscription))


def counted(subscription: Subscription) -> Counted:
    """Count what is there of a subscription, by two statements."""
    own = {"subscription": subscription.uuid}
    accounts: Sequence[Any] = read(_ACCOUNTS, own).all()
    people: Sequence[Any] = read(_PEOPLE, own).all()
    return Counted(
        accounts=accounts[0][3] if accounts else 0,
        rooms=int(accounts[0][4]) if accounts else 0,
        people=int(people[0][3]) if people else 0,
        rooms_by=tuple(Share("Account", *row[:3]) for row in accounts if row[2]),
        people_by=tuple(Share("Room", *row[:3]) for row in people),
        **_storage(subscription),
    )


def _storage(subscription: Subscription) -> dict[str, Any]:
    """The storage that a subscription of videos uses, and its rooms, by one statement; nothing for others."""
    if subscription.service_type is not ServiceType.VIDEO:
        return {}
    used = used_by_rooms(subscription.uuid)
    query = sa.select(Room.id, Room.room_name, used.c.bytes).join(used, used.c.room_uuid == Room.uuid)
    rows = read(query.order_by(used.c.bytes.desc(), Room.uuid)).all()
    return {
        "storage": sum(int(row[2]) for row in rows),
        "storage_by": tuple(Share("Room", row[0], row[1], as_gigabytes(int(row[2]))) for row in rows[:MOST_SHOWN]),
    }


_COUNTS = sa.select(
    Subscription.uuid,
    *(
        sa.select(sa.func.count()).where(*conditions).scalar_subquery()
        for conditions in (
            (Account.subscription_uuid == Subscription.uuid,),
            (Room.subscription_uuid == Subscription.uuid, Room.trashed_at.is_(None)),
            (Participation.subscription_uuid == Subscription.uuid, Participation.left_at.is_(None)),
        )
    ),
).where(Subscription.uuid.in_(sa.bindparam("subscriptions", expanding=True, type_=sa.Uuid())))


def counted_each(subscriptions: Collection[Subscription]) -> dict[UUID, Counted]:
    """Count what is there of each of these, without telling by what that is used, by one statement."""
    rows = read(_COUNTS, {"subscriptions": [one.uuid for one in subscriptions]})
    stored = used_by_subscriptions([one.uuid for one in subscriptions if one.service_type is ServiceType.VIDEO])
    return {
        uuid: Counted(accounts, rooms, people, (), (), stored.get(uuid, 0)) for uuid, accounts, rooms, people in rows
    }


def usage_of(subscription: Subscription, here: Counted) -> list[Usage]:
    """What is used of each limit that the subscription has and that is counted."""
    by_code: dict[str | None, tuple[float, tuple[Share, ...]]] = {
        MAX_ACCOUNTS: (here.accounts, ()),
        MAX_ROOMS: (here.rooms, here.rooms_by),
        KINDS[subscription.service_type].people_limit: (here.people, here.people_by),
    }
    if subscription.service_type is ServiceType.VIDEO:
        by_code[MAX_STORAGE] = (as_gigabytes(here.storage), here.storage_by)
    return [
        Usage(FEATURES[code], value, *by_code[code]) for code, value in subscription.values.items() if code in by_code
    ]


@dataclass(frozen=True)
class ReachedLimit:
    """A limit of a subscription that is reached."""

    subscription_id: str
    subscription_name: str
    code: str
    value: int
    used: int

    @property
    def feature(self) -> Feature:
        """What is limited."""
        return FEATURES[self.code]


def reached_limits(most: int) -> list[ReachedLimit]:
    """Some of the limits that are reached now, for what needs attention: people first, then rooms and storage."""
    people_limits = sorted({one.people_limit for one in KINDS.values() if one.people_limit is not None})
    present = (
        sa.select(Participation.subscription_uuid, sa.func.count().label("used"))
        .where(Participation.left_at.is_(None))
        .group_by(Participation.subscription_uuid)
        .subquery()
    )
    rooms = (
        sa.select(Room.subscription_uuid, sa.func.count().label("used"))
        .where(Room.trashed_at.is_(None))
        .group_by(Room.subscription_uuid)
        .subquery()
    )
    found: list[ReachedLimit] = []
    for counted, codes, unit in (
        (present, people_limits, 1),
        (rooms, [MAX_ROOMS], 1),
        (used_by_each(), [MAX_STORAGE], GIGABYTE),
    ):
        found += _reached(counted, codes, unit, most - len(found)) if len(found) < most else []
    return found


def _reached(counted: sa.Subquery, codes: Sequence[str], unit: int, most: int) -> list[ReachedLimit]:
    """Those of these limits, each so many times `unit`, that are not more than what was `counted`."""
    query = (
        sa.select(
            Subscription.id, Subscription.name, SubscriptionFeature.code, SubscriptionFeature.number, counted.c.used
        )
        .join(counted, counted.c.subscription_uuid == Subscription.uuid)
        .join(SubscriptionFeature, SubscriptionFeature.subscription_uuid == Subscription.uuid)
        .where(SubscriptionFeature.code.in_(codes), SubscriptionFeature.number <= counted.c.used / unit)
        .order_by(Subscription.uuid)
        .limit(most)
    )
    return [
        ReachedLimit(subscription_id, name, code, value, int(used) // unit)
        for subscription_id, name, code, value, used in read(query)
    ]
