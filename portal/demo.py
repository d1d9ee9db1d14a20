"""Sample data for `portal demo`: people, customers, rooms and links, created by the ordinary operations."""

import sqlalchemy as sa
from flask import current_app

from portal.accounts.models import Account
from portal.accounts.operations import sell_package
from portal.accounts.room_account import room_account
from portal.admission.codes import create_code
from portal.admission.issuing import issue_token
from portal.admission.models import AccessCode, RoomToken
from portal.customers.operations import create_customer
from portal.db import reading, session, transaction
from portal.people import passwords
from portal.people.actor import actor_of
from portal.people.models import User
from portal.people.operations import create_user, find_by_email, make_admin
from portal.permissions.operations import add_member
from portal.permissions.permission import Permission
from portal.rooms.models import Role, Room
from portal.rooms.operations import create_room
from portal.subscriptions.presets import PackagePreset, package_of
from portal.subscriptions.provider_models import ServiceType

PASSWORD = "demo-demo-demo"  # noqa: S105  (known to everybody: the demo listens on this machine only)
CODE = "DEMO-2026"

PEOPLE = {"admin": "Ada Admin", "alice": "Alice Moreau", "bob": "Bob Fischer", "charlie": "Charlie Okonkwo"}

MEET_STANDARD: dict[str, int | bool | None] = {
    "max_participants": 25,
    "max_duration": 60,
    "max_rooms": 10,
    "public_chat": True,
    "private_chat": True,
    "screen_sharing": True,
}
MEET_PRO: dict[str, int | bool | None] = {
    **MEET_STANDARD,
    "max_participants": 100,
    "max_duration": None,
    "max_rooms": None,
}
STANDARD = PackagePreset("Meet Standard", ServiceType.MEET, "mesh", MEET_STANDARD)
PRO = PackagePreset("Meet Pro", ServiceType.MEET, "mesh", MEET_PRO)


def furnish() -> list[str]:
    """Create the sample data unless it exists, and return the lines to print about it. Needs an app context."""
    with reading(), transaction():
        missing = find_by_email("admin@demo.example") is None
    if missing:
        hashes = {name: passwords.checked_hash(PASSWORD) for name in PEOPLE}
        with transaction():
            _create(hashes)
    return lines()


def _create(hashes: dict[str, passwords.Hash]) -> None:
    people = {
        name: create_user(email=f"{name}@demo.example", name=full, password_hash=hashes[name], password_is_public=True)
        for name, full in PEOPLE.items()
    }
    make_admin(people["admin"])
    package_of(PRO)
    main = room_account(_customer("Acme", people["alice"]).uuid)
    _customer("Globex", people["charlie"])

    alice = actor_of(people["alice"])
    board = session.get_one(Room, create_room(account=main, room_name="Board meeting", by=alice).uuid)
    create_room(account=main, room_name="Open house", by=alice, is_public=True)
    for role, label in ((Role.MODERATOR, "Chair"), (Role.ATTENDEE, "Members"), (Role.GUEST, "Press")):
        issue_token(room=board, role=role, by=alice, label=label)
    create_code(room=board, role=Role.ATTENDEE, by=alice, code=CODE, label="For the members")
    add_member(
        room=board,
        email=people["bob"].email,
        permissions=[Permission.ROOM_VIEW, Permission.STATUS_VIEW],
        by=None,
    )


def _customer(name: str, owner: User) -> Account:
    customer = create_customer(company_name=name, owner=owner)
    return sell_package(customer=customer, package=package_of(STANDARD), name=STANDARD.name, account_name="Main")


def lines() -> list[str]:
    """What `portal demo` prints: where to sign in, and the addresses of the rooms. Needs an app context."""
    with reading(), transaction():
        return _lines()


def _lines() -> list[str]:
    base = current_app.config["BASE_URL"]
    printed = [
        "",
        f"  Foyer is at       {base}",
        "",
        f"  Sign in as        alice@demo.example    owner of Acme        password of all: {PASSWORD}",
        "                    bob@demo.example      member of Board meeting",
        "                    charlie@demo.example  owner of Globex",
        "                    admin@demo.example    platform staff",
        "",
    ]
    for room in session.scalars(sa.select(Room).where(Room.trashed_at.is_(None)).order_by(Room.uuid).limit(3)):
        if room.is_public:
            printed.append(f"  {room.room_name}, public    {base}{room.path}")
            continue
        for token in session.scalars(
            sa.select(RoomToken).where(RoomToken.room_uuid == room.uuid, RoomToken.revoked_at.is_(None)).limit(3)
        ):
            code = session.scalar(
                sa.select(AccessCode.code).where(AccessCode.room_uuid == room.uuid, AccessCode.role == token.role)
            )
            printed.append(
                f"  {room.room_name}, {token.role.value:9}  {base}{room.path}?token={token.token}"
                + (f"  (code {code})" if code else "")
            )
    return [*printed, "", "  Stop with Ctrl-C. Everything is kept for the next start.", ""]
