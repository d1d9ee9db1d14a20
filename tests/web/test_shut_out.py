"""People of customers that nobody may use: one calm page, everything else closed; what works elsewhere goes on."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule

from portal.accounts.models import Account
from portal.app import create_app
from portal.channels import channels
from portal.clock import now
from portal.customers.models import Customer, CustomerMember, CustomerStatus
from portal.db import db, session, transaction
from portal.edge.guard import PROVEN_BY_ADMISSION, STAMP
from portal.identifiers import new_uuid
from portal.people.actor import actor_of
from portal.people.models import PlatformRole, User
from portal.people.shut_out import AT, SHUT_OUT
from portal.permissions.members import RoomMember
from portal.rooms.models import Role, Room, name_columns
from portal.scopes import Scope
from portal.status.customer_lifecycle import change_customer_status
from portal.web.manage import status as status_pages
from tests.api.conftest import NewProgram, program
from tests.cast import Cast, Client, csrf_of, new_link, new_room
from tests.conftest import BOTH, settings_for
from tests.web.test_live import listen

__all__ = ["program"]

UNUSABLE = pytest.mark.parametrize("status", [CustomerStatus.INACTIVE, CustomerStatus.TERMINATED])
OPEN = {"open_to_all", "signed_in_or_shut_out", "signed_by_provider", "signed_address", "gated", *PROVEN_BY_ADMISSION}
"""The doors of nobody in particular, and the one that lets everybody leave."""
TITLE = "Not available at present"


@pytest.fixture
def app(database: str, tmp_path: Path) -> Iterator[Flask]:
    """A portal that answers one program as often as a test asks."""
    app = create_app(settings_for(database, tmp_path, api_rate="10000 per minute"))
    app.test_client_class = Client
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_pages, "HEARTBEAT_SECONDS", 0.02)


def set_status(app: Flask, status: CustomerStatus, company: str = "Acme") -> None:
    with app.app_context(), transaction():
        customer = session.scalars(sa.select(Customer).where(Customer.company_name == company)).one()
        change_customer_status(customer, status)


def closed_routes(app: Flask) -> list[tuple[str, str]]:
    """(method, path) of every route behind a door of somebody who is signed in, or presents a token."""
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if getattr(view, STAMP, None) in OPEN or rule.endpoint == "static":
            continue
        assert hasattr(view, STAMP), rule
        found += [(method, _path(rule)) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
    return found


def _path(rule: Rule) -> str:
    """An address of this rule. There need not be what it names: nobody gets as far as that."""
    ids = dict.fromkeys(rule.arguments - set(rule.defaults or ()), "u6Yh3DpQ2x")
    others = {"noun": "accounts", "number": 0}
    built = rule.build(ids | {name: value for name, value in others.items() if name in ids})
    assert built is not None, rule
    return built[1]


@BOTH
@UNUSABLE
def test_owner_and_members_sign_in_and_read_whom_to_ask(cast: Cast, app: Flask, status: CustomerStatus) -> None:
    set_status(app, status)
    says = {"inactive": "“Acme” is inactive.", "terminated": "“Acme” has ended here."}[status]
    for name, whom in (("alice", "Ask whoever runs this portal"), ("bob", "Ask its owner, Alice")):
        browser = cast.sign_in(name)
        page = browser.get("/", follow_redirects=True)
        assert page.status_code == 403
        for words in (TITLE, says, whom, f"{name}@demo.example"):
            assert words in page.text
        assert browser.post("/sign-out", data={"csrf_token": csrf_of(page.text)}).status_code == 303
        assert "Sign in" in browser.get("/manage/rooms", follow_redirects=True).text


def test_every_other_page_is_closed(cast: Cast, app: Flask) -> None:
    browser = cast.sign_in("alice")
    token = browser.token("/me")
    set_status(app, CustomerStatus.INACTIVE)
    pages = [(method, path) for method, path in closed_routes(app) if not path.startswith("/api/")]
    assert len(pages) > 100
    for method, path in pages:
        data = {"csrf_token": token} if method == "POST" else None
        answer = browser.open(path, method=method, data=data, headers={"X-CSRFToken": token})
        assert answer.status_code == 403, (method, path, answer.status_code)
        assert TITLE in answer.text, (method, path)
    part = browser.get("/manage/rooms", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Redirect"]) == (403, "/")


def test_every_operation_of_the_api_is_closed(cast: Cast, app: Flask, program: NewProgram) -> None:
    alice = program("alice")
    set_status(app, CustomerStatus.TERMINATED)
    operations = [(method, path) for method, path in closed_routes(app) if path.startswith("/api/")]
    assert len(operations) > 60
    for method, path in operations:
        answer = alice.call(method, path, None if method == "GET" else {})
        assert answer.status_code == 403, (method, path, answer.text)
        assert "customer is not active" in answer.json["message"]


@BOTH
def test_streams_of_owner_and_member_end(cast: Cast, app: Flask) -> None:
    heard = [listen(cast.sign_in(name)) for name in ("alice", "bob")]
    set_status(app, CustomerStatus.INACTIVE)
    assert [list(one)[-1:] for one in heard] == [[], []]
    with app.app_context():
        channels().nudge(f"room:{cast.room().uuid}", word=cast.board)


def test_staff_are_untouched(cast: Cast, app: Flask, program: NewProgram) -> None:
    with app.app_context(), transaction():
        customer = session.scalars(sa.select(Customer).where(Customer.company_name == "Globex")).one()
        customer.owner = cast.user("admin")
    set_status(app, CustomerStatus.TERMINATED, "Globex")
    assert program("admin", Scope.ROOMS_READ).get("/rooms").status_code == 200
    browser = cast.sign_in("admin")
    for path in ("/admin", "/me", f"/manage/rooms/{cast.board}"):
        assert browser.get(path, follow_redirects=True).status_code == 200, path


@BOTH
@UNUSABLE
def test_whoever_belongs_to_another_customer_sees_only_that_ones_things(
    cast: Cast, app: Flask, program: NewProgram, status: CustomerStatus
) -> None:
    with app.app_context(), transaction():
        everything = ["rooms:create", "account:edit", "members:manage", "customer:edit"]
        at_acme = session.scalars(sa.select(CustomerMember)).one()
        at_acme.permissions = everything
        room = cast.room()
        room.owner, account = cast.user("charlie"), room.account.id
        assert at_acme.user.email == "charlie@demo.example"
        customer = room.customer.id
    browser, charlie = cast.sign_in("charlie"), program("charlie")
    assert "Board meeting" in browser.get("/manage/rooms").text
    set_status(app, status)
    rooms = browser.get("/manage/rooms")
    assert rooms.status_code == 200
    assert "Board meeting" not in rooms.text
    assert "Acme" not in rooms.text
    assert "Acme" not in browser.get("/manage/places").text
    assert "Acme" not in browser.get("/manage/rooms/new").text
    people = f"/manage/customers/{customer}/people", f"/manage/accounts/{account}/people"
    for path in (f"/manage/rooms/{cast.board}", *people):
        assert browser.get(path).status_code == 404, path
    for path in (f"/rooms/{cast.board}", f"/customers/{customer}", f"/accounts/{account}"):
        assert charlie.get(path).status_code == 404, path
    for noun in ("rooms", "customers", "accounts", "webhooks", "audit-events"):
        listed = charlie.get(f"/{noun}")
        assert listed.status_code == 200, listed.text
        assert cast.board not in listed.text
        assert customer not in listed.text
    assert charlie.post("/rooms", {"room_name": "More", "account_id": account}).status_code in {403, 404, 422}
    set_status(app, CustomerStatus.ACTIVE)
    assert "Board meeting" in browser.get("/manage/rooms").text


@BOTH
def test_a_membership_that_has_ended_does_not_keep_anybody_in(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        globex = session.scalars(sa.select(Customer).where(Customer.company_name == "Globex")).one()
        session.add(CustomerMember(customer=globex, user=cast.user("bob"), until=now() + timedelta(days=1)))
    set_status(app, CustomerStatus.INACTIVE)
    browser = cast.sign_in("bob")
    assert browser.get("/me").status_code == 200
    with app.app_context(), transaction():
        session.execute(sa.update(CustomerMember).values(until=now() - timedelta(days=1)))
    assert browser.get("/me").status_code == 403


def test_a_suspended_customers_people_come_in_and_so_does_who_belongs_to_none(cast: Cast, app: Flask) -> None:
    set_status(app, CustomerStatus.SUSPENDED)
    assert cast.sign_in("alice").get(f"/manage/rooms/{cast.board}").status_code == 200
    with app.app_context(), transaction():
        session.execute(sa.delete(RoomMember))
    set_status(app, CustomerStatus.INACTIVE)
    assert cast.sign_in("bob").get("/manage/rooms").status_code == 200


def test_a_link_into_a_room_of_somebody_else_works_as_for_anybody(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        globex = session.scalars(
            sa.select(Account).join(Account.customer).where(Customer.company_name == "Globex")
        ).one()
        by = actor_of(cast.user("charlie"))
        room = new_room(account=globex, room_name="Elsewhere", by=by)
        link = f"{room.path}?token={new_link(room=room, role=Role.GUEST, by=by).token}"
    set_status(app, CustomerStatus.INACTIVE)
    page = cast.sign_in("alice").get(link, follow_redirects=True)
    assert page.status_code == 200
    assert "Elsewhere" in page.text


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_to_find_that_somebody_belongs_to_nothing_no_table_is_read(app: Flask, cast: Cast) -> None:
    """Where one person has nearly all rooms and memberships, PostgreSQL would rather read them than ask an index."""
    with app.app_context(), transaction():
        room, alice = cast.room(), cast.user("alice")
        above = {
            "customer_uuid": room.customer_uuid,
            "account_uuid": room.account_uuid,
            "subscription_uuid": room.subscription_uuid,
            "owner_uuid": alice.uuid,
            "room_type": room.room_type,
            "slug": "many",
            **name_columns("Many"),
        }
        session.execute(sa.insert(Room), [above for _ in range(3_000)])
        rooms = session.scalars(sa.select(Room.uuid).where(Room.slug == "many"))
        bob = cast.user("bob").uuid
        session.execute(sa.insert(RoomMember), [{"room_uuid": one, "user_uuid": bob} for one in rooms])
        session.execute(sa.text("ANALYZE"))
        asked = sa.select(SHUT_OUT).select_from(User).outerjoin(PlatformRole, sa.false())
        bound = asked.where(User.uuid == new_uuid()).params({AT.key: now()})
        plan = "\n".join(session.scalars(explained(bound)))
    for table in ("rooms", "room_members"):
        assert f"Seq Scan on {table}" not in plan, plan


def explained(query: sa.Select[bool]) -> sa.TextClause:
    return sa.text(f"EXPLAIN {query.compile(db.engine, compile_kwargs={'literal_binds': True})}")
