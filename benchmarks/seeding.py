"""Filling a portal's database with very many rooms, fast: people and account by operations, the rooms in bulk."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import islice
from random import Random
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask

from benchmarks.seeding_desk import fill_desk
from portal import revisions
from portal.accounts.models import Account
from portal.accounts.operations import create_account
from portal.accounts.room_account import room_account
from portal.admission.codes import create_code
from portal.admission.issuing import issue_token
from portal.clock import now
from portal.credentials.clients import create_client, offered_scopes
from portal.credentials.operations import TokenPair, issue
from portal.credentials.secrets import ACCESS
from portal.customers.operations import create_customer
from portal.db import db, session, transaction
from portal.identifiers import new_id, new_uuid
from portal.people import passwords
from portal.people.actor import actor_of
from portal.people.models import User
from portal.people.operations import create_user, make_admin
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.providers.base import LiveState
from portal.rooms.models import Role, Room, RoomStatusWord
from portal.rooms.operations import create_room
from portal.rooms.slugs import slug_of
from portal.search_terms import search_terms
from portal.status.models import RoomStatus, Source
from portal.subscriptions.packages import create_package
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.selling import create_subscription

PASSWORD = "bench-bench-bench"
CODE = "BENCH-2026"
LINKED = 16
"""How many rooms with links the connections of the load generator use: one each."""
CROWDED = 20
"""In how many further rooms very many people press Join at once."""
JOINED = 2 * LINKED + CROWDED
PROGRAMS = 32
"""How many programs alice has, so that each stays within an ordinary rate."""
LIVE = 10
BATCH = 5000
WORDS = [
    "Board",
    "Meeting",
    "Weekly",
    "Daily",
    "Standup",
    "Review",
    "Planning",
    "Budget",
    "Physics",
    "Chemistry",
    "History",
    "Seminar",
    "Lecture",
    "Réunion",
    "Équipe",
    "Sprint",
    "Retro",
    "Design",
    "Support",
    "Onboarding",
    "Interview",
    "Customer",
    "Partner",
    "Team",
    "North",
    "South",
    "East",
    "West",
    "Open",
    "House",
]


@dataclass(frozen=True)
class Seeded:
    """What the measured paths need to know of the seeded database."""

    rooms: list[Room]
    """The first rooms of alice's: `LINKED` that are read, changed and joined, as many that are joined with a code, and
    `CROWDED` for those who come all at once, so that nobody finds a room full of people of another path."""
    tokens: dict[Role, list[UUID]]
    """A link for each of `rooms`. Attendees need the code as well."""
    deep: list[Room]
    """Rooms from the middle of alice's list, each some pages after the one before."""
    programs: list[str]
    """The access tokens of alice's programs, with all scopes."""
    makers: list["Maker"]


@dataclass(frozen=True)
class Maker:
    """A small owner: signs in as `name`, and has one room with a guest link."""

    name: str
    user_uuid: UUID
    access_token: str
    room: Room
    token_uuid: UUID


def seed(app: Flask, count: int, makers: int, *, desk: bool) -> Seeded:
    """Migrate and fill the app's empty database: alice owns `count` rooms, bob is a member of three.

    There are so many `makers`, each with a customer, an account and one room of its own; for the pages of the `desk`,
    as many customers as rooms.
    """
    with app.app_context():
        revisions.upgrade()
        with transaction():
            account, people = _frame()
            rooms = _rooms(account, count)
            for begin in range(0, count, BATCH):
                session.execute(sa.insert(Room), rooms[begin : begin + BATCH])
            _statuses(rooms)
            _members(rooms, people["bob"])
            tokens = _links(rooms[:JOINED], people["alice"])
            programs = [_program(people["alice"]) for _ in range(PROGRAMS)]
            small = [_maker(f"maker-{number}") for number in range(makers)]
            session.flush()
            if desk:
                fill_desk()
        if db.engine.dialect.name == "postgresql":
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(sa.text("VACUUM ANALYZE"))
        else:
            with transaction():
                session.execute(sa.text("ANALYZE"))
        by_name = sa.select(Room).order_by(Room.sort_name, Room.uuid)
        mine = by_name.where(Room.owner_uuid == people["alice"].uuid)
        deep = list(session.scalars(mine.offset(count // 2).limit(20 * LINKED)))[::20]
        first = [session.scalars(sa.select(Room).where(Room.id == room["id"])).one() for room in rooms[:JOINED]]
        session.remove()
        return Seeded(first, tokens, deep, programs, small)


def _frame() -> tuple[Account, dict[str, User]]:
    people = {
        name: create_user(email=f"{name}@bench.example", name=name.title(), password_hash=_hashed())
        for name in ("alice", "bob", "admin")
    }
    make_admin(people["admin"])
    return _account(people["alice"], _built_in()), people


@cache
def _hashed() -> passwords.Hash:
    """Everybody's password, hashed once."""
    return passwords.checked_hash(PASSWORD)


def _account(owner: User, provider: ServiceProvider) -> Account:
    """An account without limits, of a customer and a subscription of its own."""
    package = create_package(
        name="Meet",
        service_type=ServiceType.MEET,
        currency="EUR",
        features={"max_participants": None, "max_rooms": None, "max_duration": None},
        provider=provider,
    )
    customer = create_customer(company_name=f"Customer of {owner.name}", owner=owner)
    subscription = create_subscription(customer=customer, package=package, name="Meet")
    return create_account(subscription=subscription, account_name="Main")


def _maker(name: str) -> Maker:
    user = create_user(email=f"{name}@bench.example", name=name.title(), password_hash=_hashed())
    account = _account(user, _built_in())
    by = actor_of(user)
    made = create_room(account=room_account(account.uuid), by=by, room_name=f"Room of {user.name}")
    room = session.get_one(Room, made.uuid)
    token = issue_token(room=room, role=Role.GUEST, by=by)
    return Maker(name, user.uuid, _program(user), room, token.uuid)


def _program(user: User) -> str:
    """The access token of a program that may do what the user may."""
    scopes = offered_scopes(user)
    client, _ = create_client(user=user, by=actor_of(user), name="Bench", scopes=scopes)
    access = ACCESS.new()
    issue(client=client, user=user, pair=TokenPair(access, access_life=timedelta(days=1), scopes=scopes))
    return access


def _rooms(account: Account, count: int) -> list[dict[str, Any]]:
    names = _names(Random(7))
    at = now()
    return [
        {
            "uuid": new_uuid(),
            "id": new_id(),
            "customer_uuid": account.customer_uuid,
            "account_uuid": account.uuid,
            "subscription_uuid": account.subscription_uuid,
            "owner_uuid": account.owner_uuid,
            "room_name": name,
            "sort_name": name.casefold(),
            "name_words": " ".join(search_terms(name)),
            "slug": slug_of(name),
            "status": RoomStatusWord.ACTIVE,
            "is_public": False,
            "room_type": ServiceType.MEET,
            "room_features": {},
            "room_settings": {"description": "A room for the bench."},
            "room_metadata": {},
            "created_at": at,
            "updated_at": at,
        }
        for name in islice(names, count)
    ]


def _names(random: Random) -> Iterator[str]:
    while True:
        yield f"{' '.join(random.choices(WORDS, k=2))} {random.randrange(100_000)}"


def _statuses(rooms: list[dict[str, Any]]) -> None:
    """Every fifth room was used before; a few are live."""
    at = now()
    rows = [
        {
            "room_uuid": room["uuid"],
            "state": LiveState.LIVE if number >= len(rooms) - LIVE * 5 else LiveState.IDLE,
            "since": at - timedelta(minutes=number % 50),
            "checked_at": at,
            "source": Source.ENGINE,
            "stale": False,
            "count": 3 if number >= len(rooms) - LIVE * 5 else 0,
            "counts": {},
            "names": ["Ann", "Ben", "Cleo"] if number >= len(rooms) - LIVE * 5 else [],
            "last_live_at": at - timedelta(days=number % 300),
            "version": 1,
        }
        for number, room in enumerate(rooms)
        if number % 5 == 0
    ]
    session.execute(sa.insert(RoomStatus), rows)


def _members(rooms: list[dict[str, Any]], user: User) -> None:
    for number in (len(rooms) // 4, len(rooms) // 2, len(rooms) // 4 * 3):
        session.add(
            RoomMember(
                room_uuid=rooms[number]["uuid"],
                user_uuid=user.uuid,
                permissions=[Permission.ROOM_VIEW, Permission.STATUS_VIEW],
            )
        )


def _links(rooms: list[dict[str, Any]], by: User) -> dict[Role, list[UUID]]:
    links: dict[Role, list[UUID]] = {Role.GUEST: [], Role.ATTENDEE: []}
    for row in rooms:
        room = session.get_one(Room, row["uuid"])
        create_code(room=room, role=Role.ATTENDEE, by=actor_of(by), code=CODE)
        for role, uuids in links.items():
            uuids.append(issue_token(room=room, role=role, by=actor_of(by)).uuid)
    return links


def _built_in() -> ServiceProvider:
    """The service for conferences that every portal has."""
    return session.scalars(sa.select(ServiceProvider).where(ServiceProvider.provider_type == "mesh")).one()
