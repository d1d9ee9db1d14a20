"""Filling a portal's database with very many rooms, fast: people and account by operations, the rooms in bulk."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from random import Random
from typing import Any

import sqlalchemy as sa
from flask import Flask

from portal import revisions
from portal.accounts.models import Account
from portal.accounts.operations import create_account
from portal.admission.codes import create_code
from portal.admission.tokens import issue_token
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
from portal.rooms.search_terms import search_terms
from portal.rooms.slugs import slug_of
from portal.status.models import RoomStatus, Source
from portal.subscriptions.models import ServiceType
from portal.subscriptions.operations import create_provider, create_subscription

PASSWORD = "bench-bench-bench"
CODE = "BENCH-2026"
LINKED = 16
"""How many rooms have links: one for each connection of the load generator."""
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
    """The first `LINKED` rooms."""
    links: dict[Role, list[str]]
    """Addresses with token, below the portal's own: one for each of `rooms`."""
    middle: Room
    """The room in the middle of the owner's list."""
    access_token: str
    """The access token of a program of alice's, with all scopes."""


def seed(app: Flask, count: int) -> Seeded:
    """Migrate and fill the app's empty database: alice owns `count` rooms, bob is a member of three."""
    with app.app_context():
        revisions.upgrade()
        with transaction():
            account, people = _frame()
            rooms = _rooms(account, count)
            for begin in range(0, count, BATCH):
                session.execute(sa.insert(Room), rooms[begin : begin + BATCH])
            _statuses(rooms)
            _members(rooms, people["bob"])
            links = _links(rooms[:LINKED], people["alice"])
            access_token = _program(people["alice"])
            session.flush()
        if db.engine.dialect.name == "postgresql":
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(sa.text("VACUUM ANALYZE"))
        else:
            with transaction():
                session.execute(sa.text("ANALYZE"))
        by_name = sa.select(Room).order_by(Room.sort_name, Room.uuid)
        middle = session.scalars(by_name.offset(count // 2).limit(1)).one()
        first = [session.scalars(sa.select(Room).where(Room.id == room["id"])).one() for room in rooms[:LINKED]]
        session.remove()
        return Seeded(first, links, middle, access_token)


def _frame() -> tuple[Account, dict[str, User]]:
    hashed = passwords.checked_hash(PASSWORD)
    people = {
        name: create_user(email=f"{name}@bench.example", name=name.title(), password_hash=hashed)
        for name in ("alice", "bob", "admin")
    }
    make_admin(people["admin"])
    customer = create_customer(company_name="Acme", owner=people["alice"])
    subscription = create_subscription(
        customer=customer,
        name="Meet",
        service_type=ServiceType.MEET,
        provider=create_provider(provider_name="Built in", provider_type="mesh"),
        features={"max_participants": None, "max_rooms": None, "max_duration": None, "recording": True},
    )
    return create_account(subscription=subscription, account_name="Main"), people


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


def _links(rooms: list[dict[str, Any]], by: User) -> dict[Role, list[str]]:
    links: dict[Role, list[str]] = {Role.GUEST: [], Role.ATTENDEE: []}
    for row in rooms:
        room = session.get_one(Room, row["uuid"])
        create_code(room=room, role=Role.ATTENDEE, by=actor_of(by), code=CODE)
        for role, addresses in links.items():
            addresses.append(f"{room.path}?token={issue_token(room=room, role=role, by=actor_of(by)).token}")
    return links
