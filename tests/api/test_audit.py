"""What the audit says about who acted: which user, through which program, on whose behalf."""

from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.accounts.models import AccountMember
from portal.audit.models import AuditEvent
from portal.credentials.models import OAuthClient
from portal.db import session, transaction
from portal.people.models import PlatformRole
from portal.permissions.members import RoomMember
from portal.status.runs import start_session
from tests.api.conftest import NewProgram
from tests.cast import Cast
from tests.conftest import BOTH

Line = tuple[UUID | None, UUID | None, UUID | None]


def last(app: Flask, action: str) -> Line:
    """User, program, and on whose behalf, of the newest line about this action."""
    columns = (AuditEvent.actor_uuid, AuditEvent.client_uuid, AuditEvent.on_behalf_of_uuid)
    newest = sa.select(*columns).where(AuditEvent.action == action).order_by(AuditEvent.uuid.desc()).limit(1)
    with app.app_context(), transaction():
        who, program, behalf = session.execute(newest).one()
        return who, program, behalf


def start(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        start_session(cast.room())


@pytest.fixture
def acme(app: Flask, cast: Cast) -> UUID:
    with app.app_context(), transaction():
        return cast.room().customer_uuid


@pytest.fixture
def user(app: Flask, cast: Cast) -> dict[str, UUID]:
    with app.app_context(), transaction():
        return {name: cast.user(name).uuid for name in ("admin", "alice", "bob")}


@BOTH
def test_staff_end_a_room_on_behalf_of_its_customer(app: Flask, cast: Cast, acme: UUID, user: dict[str, UUID]) -> None:
    start(app, cast)
    assert cast.sign_in("admin").send(f"/manage/rooms/{cast.board}/ending").status_code == 303
    assert last(app, "room.ended") == (user["admin"], None, acme)


@BOTH
def test_an_owner_ends_a_room_in_her_own_right(app: Flask, cast: Cast, user: dict[str, UUID]) -> None:
    start(app, cast)
    assert cast.sign_in("alice").send(f"/manage/rooms/{cast.board}/ending").status_code == 303
    assert last(app, "room.ended") == (user["alice"], None, None)


@BOTH
def test_a_member_who_is_staff_too_acts_in_his_own_right_as_far_as_that_goes(
    app: Flask, cast: Cast, acme: UUID, user: dict[str, UUID]
) -> None:
    with app.app_context(), transaction():
        cast.user("bob").platform_roles = [PlatformRole(name="Helpers", permissions=["staff:rooms:update"])]
        session.scalars(sa.select(RoomMember)).one().permissions = ["room:view", "room:moderate"]
    bob = cast.sign_in("bob")
    start(app, cast)
    assert bob.send(f"/manage/rooms/{cast.board}/ending").status_code == 303
    assert last(app, "room.ended") == (user["bob"], None, None)
    settings = f"/manage/rooms/{cast.board}/links/new"
    assert bob.send(settings, role="guest", label="For the press").status_code == 303
    assert last(app, "token.created") == (user["bob"], None, acme)


@BOTH
@pytest.mark.parametrize("name", ["alice", "admin"])
def test_a_program_is_named_beside_its_person(
    app: Flask, cast: Cast, program: NewProgram, acme: UUID, user: dict[str, UUID], name: str
) -> None:
    start(app, cast)
    assert program(name).post(f"/rooms/{cast.board}/end").status_code == 200
    with app.app_context(), transaction():
        client = session.scalars(sa.select(OAuthClient.uuid)).one()
    behalf = acme if name == "admin" else None
    assert last(app, "room.ended") == (user[name], client, behalf)
    assert last(app, "grant.issued") == (user[name], client, None)
    assert program(name).post("/webhooks", webhook(cast)).status_code == 201
    assert last(app, "webhook.created")[2] == behalf


def webhook(cast: Cast) -> dict[str, object]:
    return {"room_id": cast.board, "url": "https://example.org/hook", "events": ["room.updated"]}


@BOTH
def test_rooms_are_made_on_behalf_of_the_customer_by_staff_only(
    app: Flask, cast: Cast, program: NewProgram, acme: UUID, user: dict[str, UUID]
) -> None:
    with app.app_context(), transaction():
        account = cast.room().account
        account_id = account.id
        session.add(AccountMember(account=account, user=cast.user("bob"), permissions=["rooms:create"]))
    for name, behalf in (("admin", acme), ("alice", None), ("bob", None)):
        assert cast.sign_in(name).send("/manage/rooms/new", room_name="New", account=account_id).status_code == 303
        assert last(app, "room.created") == (user[name], None, behalf)
        made = program(name).post("/rooms", {"room_name": "Newer", "account_id": account_id})
        assert made.status_code == 201, made.text
        assert last(app, "room.created")[::2] == (user[name], behalf)


@BOTH
def test_who_may_only_make_rooms_has_in_hand_what_he_makes(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        session.add(AccountMember(account=cast.room().account, user=cast.user("bob"), permissions=["rooms:create"]))
    bob = cast.sign_in("bob")
    assert 'href="/manage/rooms/new"' in bob.get("/manage/rooms").text
    made = bob.send("/manage/rooms/new", room_name="Bob's idea")
    assert made.status_code == 303
    assert made.location is not None
    assert bob.get(made.location).status_code == 200
    assert bob.send(f"{made.location}/links/new", role="guest").status_code == 303


@BOTH
def test_staff_who_enter_are_in_on_behalf_of_the_customer(
    app: Flask, cast: Cast, acme: UUID, user: dict[str, UUID]
) -> None:
    entrance = f"/rooms/{cast.board}/-/entry"
    for name, behalf in (("admin", acme), ("bob", None)):
        browser = cast.sign_in(name)
        assert browser.send(entrance).status_code == 303
        assert last(app, "participant.joined") == (user[name], None, behalf)
    guests = last(app, "room.started")
    assert guests == (user["admin"], None, acme)
