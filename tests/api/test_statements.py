"""How many SQL statements the API's hot paths take, and that lists cost the same for one row and for a hundred.

A count is not a time. The budgets stand in *quality*; each counts the access token too.
"""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from portal.accounts.operations import create_account
from portal.admission.codes import create_code
from portal.admission.issuing import issue_token
from portal.api.v1.includes import RELATIONS
from portal.clock import now
from portal.customers.models import Customer
from portal.customers.operations import create_customer
from portal.db import db, session, transaction
from portal.demo import STANDARD
from portal.people.actor import actor_of
from portal.people.models import User
from portal.people.operations import create_user
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.rooms.models import Role
from portal.status.models import Participation, RoomSession
from portal.subscriptions.presets import package_of
from portal.subscriptions.selling import create_subscription
from portal.webhooks import operations as webhooks
from portal.webhooks.events import Event
from portal.webhooks.models import WebhookEndpoint
from tests.api.conftest import NewProgram, Program
from tests.cast import CODE, Cast, new_room
from tests.conftest import BOTH
from tests.house.test_statements import more_rooms
from tests.statements import statements

pytestmark = BOTH
Count = Callable[..., int]


@pytest.fixture
def count(app: Flask) -> Count:
    """How many statements a call takes; one goes before it, because "last used" is noted once an hour."""
    with app.app_context():
        engine = db.engine

    def counted(caller: Program, path: str, body: Any = None, *, method: str = "", status: int = 200) -> int:
        caller.get("/features")
        with statements(engine) as seen:
            answer = caller.call(method or ("GET" if body is None else "POST"), path, body)
        assert answer.status_code == status, answer.text
        assert seen, "the path asks the database"
        return len(seen)

    return counted


@pytest.mark.parametrize("who", ["alice", "bob", "charlie", "admin"])
@pytest.mark.parametrize("rooms", [1, 10, 100])
def test_a_list_of_rooms(cast: Cast, program: NewProgram, count: Count, who: str, rooms: int) -> None:
    more_rooms(cast, rooms)
    caller = program(who)
    assert count(caller, "/rooms") <= 3
    assert count(caller, "/rooms?orderBy=room_name&limit=100") <= 3
    assert count(caller, "/rooms?search=zet+0") <= 3
    assert count(caller, "/rooms?cursor=") <= 3
    following = caller.get("/rooms?cursor=&limit=1").json["meta"]["pagination"]["cursor"]["next"]
    if following is not None:  # Charlie sees no room at all
        assert count(caller, f"/rooms?cursor={following}") <= 3


def test_who_follows_a_cursor_is_not_counted_for(app: Flask, cast: Cast, program: NewProgram) -> None:
    more_rooms(cast, 10)
    alice = program("alice")
    with app.app_context():
        engine = db.engine
    with statements(engine) as seen:
        following = alice.get("/rooms?cursor=&limit=1").json["meta"]["pagination"]["cursor"]["next"]
        assert alice.get(f"/rooms?cursor={following}").status_code == 200
    assert not [text for text in seen if "count(" in text.lower()]


def test_a_page_beyond_the_end_is_empty_and_knows_the_total(cast: Cast, program: NewProgram, count: Count) -> None:
    alice = program("alice")
    assert count(alice, "/rooms?page=7") <= 4
    pagination = alice.get("/rooms?page=7").json["meta"]["pagination"]
    assert (pagination["total"], pagination["count"], pagination["total_pages"]) == (2, 0, 1)
    assert alice.get("/rooms?search=nothing").json["meta"]["pagination"]["total"] == 0


@pytest.mark.parametrize("who", ["alice", "admin"])
def test_what_programs_do_most(cast: Cast, program: NewProgram, count: Count, who: str) -> None:
    caller, room = program(who), f"/rooms/{cast.board}"
    with cast.app.app_context(), transaction():
        account = cast.room().account.id
    assert count(caller, room) <= 2
    assert count(caller, f"{room}/status") <= 2
    assert count(caller, f"{room}/access-check") <= 3
    assert count(caller, "/rooms", {"room_name": "New", "account_id": account}, status=201) <= 6
    assert count(caller, f"{room}/tokens", {"role": "moderator"}, status=201) <= 5
    assert count(caller, f"{room}/access-codes", {"role": "guest"}, status=201) <= 5
    assert count(caller, room, {"room_name": "Other", "is_public": True}, method="PATCH") <= 4
    assert count(caller, room, {"room_settings": {"description": "New"}}, method="PATCH") <= 4


def test_an_account_is_found_by_itself_without_more_statements(cast: Cast, program: NewProgram, count: Count) -> None:
    assert count(program("alice"), "/rooms", {"room_name": "New"}, status=201) <= 6


def test_what_is_changed_on_a_condition_is_read_and_held_once(cast: Cast, program: NewProgram, count: Count) -> None:
    alice, room = program("alice"), f"/rooms/{cast.board}"
    code = alice.post(f"{room}/access-codes", {"role": "guest"}).json["data"]
    bob = next(user for user in alice.get(f"{room}/users").json["data"] if user["email"].startswith("bob"))

    def conditionally(method: str, path: str, body: Any = None) -> int:
        alice.headers["If-Match"] = alice.get(path).headers["ETag"]
        taken = count(alice, path, body, method=method, status=204 if method == "DELETE" else 200)
        alice.headers.clear()
        return taken

    for path, change, patching, deleting in (
        (f"{room}/access-codes/{code['id']}", {"label": "Press"}, 7, 7),
        (f"{room}/tokens/{cast.link_ids[Role.GUEST]}", {"label": "Press", "paused": True}, 11, 8),
        (f"{room}/users/{bob['id']}", {"permissions": ["status:view"]}, 6, 6),
    ):
        assert conditionally("PATCH", path, change) <= patching, path
        assert conditionally("DELETE", path) <= deleting, path
    hook = {"url": "https://hooks.example/", "events": ["room.deleted"], "room_id": cast.board}
    path = f"/webhooks/{alice.post('/webhooks', hook).json['data']['id']}"
    assert conditionally("PATCH", path, {"description": "News"}) <= 9
    assert conditionally("DELETE", path) <= 11


def test_joining(cast: Cast, program: NewProgram, count: Count) -> None:
    alice, board = program("alice"), f"/rooms/{cast.board}"
    links = {role: link.partition("token=")[2] for role, link in cast.links.items()}
    assert count(alice, f"{board}/access-check?token={links[Role.ATTENDEE]}") <= 5
    assert count(alice, f"{board}/join", {}) <= 9
    assert count(program("charlie"), f"{board}/join", {"token": links[Role.GUEST], "name": "Gus"}) <= 9
    by_code = {"token": links[Role.ATTENDEE], "name": "Jun", "code": CODE}
    assert count(program("charlie"), f"{board}/join", by_code) <= 9
    assert count(program("charlie"), f"/rooms/{cast.open_house}/join", {"name": "Gus"}) <= 9


ABOVE, BELOW = 1, {"users", "tokens", "access_codes", "room_status"}
"""What stands above rooms takes one statement together; of what stands below them, each kind takes one."""


@pytest.mark.parametrize("rows", [1, 10, 100])
def test_rooms_with_any_relation_cost_the_same_for_one_and_for_many(
    cast: Cast, program: NewProgram, count: Count, rows: int
) -> None:
    """Each room has another customer, account, plan and owner, so that nothing is read already."""
    many_customers(cast, rows)
    admin = program("admin")
    for relation in RELATIONS:
        expected = 5 if relation == "users" else 4  # the owner of a room is a user of it
        assert count(admin, f"/rooms?limit=100&include={relation}") == expected, relation
    everything = ",".join(RELATIONS)
    assert count(admin, f"/rooms?cursor=&limit=100&include={everything}") == 3 + ABOVE + len(BELOW)
    listed = admin.get(f"/rooms?limit=0&include={everything}").json["data"]
    assert len({room["customer"]["data"]["id"] for room in listed}) >= rows
    assert sum(len(room["tokens"]["data"]) for room in listed) >= rows


@pytest.mark.parametrize("rows", [1, 10, 100])
def test_what_stands_above_rooms_costs_the_same_for_one_and_for_many(
    cast: Cast, program: NewProgram, count: Count, rows: int
) -> None:
    many_customers(cast, rows)
    admin = program("admin")
    for path in (
        "/accounts?limit=100",
        "/accounts?limit=100&include=customer,subscription",
        "/accounts?cursor=&include=customer,subscription",
        "/subscriptions?limit=100",
        "/subscriptions?limit=100&include=customer",
        "/webhooks?limit=100",
    ):
        assert count(admin, path) == 2, path
        assert len(admin.get(path).json["data"]) >= min(rows, 10)
    parts = "/subscriptions?limit=100&include=customer,package,features,usage,providers,accounts,rooms"
    assert count(admin, parts) == 8
    assert all(one["features"]["data"] and one["providers"]["data"] for one in admin.get(parts).json["data"])


@pytest.mark.parametrize("rows", [1, 10, 100])
def test_what_stands_below_a_room_costs_the_same_for_one_and_for_many(
    cast: Cast, program: NewProgram, count: Count, rows: int
) -> None:
    run, hook = one_full_room(cast, rows)
    alice, room = program("alice"), f"/rooms/{cast.board}"
    for path in ("tokens", "access-codes", "users", "sessions"):
        assert count(alice, f"{room}/{path}?limit=100") == 3, path
        assert len(alice.get(f"{room}/{path}?limit=100").json["data"]) >= rows
    assert count(alice, f"{room}/sessions/{run}?include=participations") == 4
    assert count(alice, f"/webhooks/{hook}/deliveries?limit=100") <= 5
    for path in (f"{room}/sessions/{run}?include=participations", f"/webhooks/{hook}/deliveries?limit=100"):
        data = alice.get(path).json["data"]
        assert len(data if isinstance(data, list) else data["participations"]["data"]) >= rows


def many_customers(cast: Cast, number: int) -> None:
    """So many customers, each with an owner, a plan, an account, a webhook, and a room with everything."""
    with cast.app.app_context(), transaction():
        package = package_of(STANDARD)
        bob = cast.user("bob")
        for n in range(number):
            owner = create_user(email=f"owner{n}@demo.example", name=f"Owner {n}")
            customer = create_customer(company_name=f"Customer {n}", owner=owner)
            plan = create_subscription(customer=customer, package=package)
            account = create_account(subscription=plan, account_name="Main")
            room = new_room(account=account, room_name=f"Room {n}", by=actor_of(owner))
            issue_token(room=room, role=Role.GUEST, by=actor_of(owner))
            create_code(room=room, role=Role.GUEST, by=actor_of(owner))
            session.add(RoomMember(room=room, user=bob, permissions=[Permission.ROOM_VIEW]))
            listen(customer, owner)


def listen(customer: Customer, owner: User) -> WebhookEndpoint:
    """A webhook of the customer."""
    url, events = "https://hooks.example/", [Event.ROOM_DELETED]
    return webhooks.create_endpoint(customer=customer, url=url, events=events, by=actor_of(owner))


def one_full_room(cast: Cast, number: int) -> tuple[str, str]:
    """So many of everything below the board room; the run and the webhook that have so many."""
    with cast.app.app_context(), transaction():
        room, alice = cast.room(), cast.user("alice")
        hook = listen(room.customer, alice)
        last = None
        for n in range(number):
            user = create_user(email=f"member{n}@demo.example", name=f"Member {n}")
            session.add(RoomMember(room=room, user=user, permissions=[Permission.ROOM_VIEW]))
            link = issue_token(room=room, role=Role.GUEST, by=actor_of(alice))
            create_code(room=room, role=Role.GUEST, by=actor_of(alice))
            webhooks.test_endpoint(hook, by=actor_of(alice))
            last = RoomSession(room=room, ended_at=now())
            session.add(last)
        assert last is not None
        for n in range(number):
            stay = Participation(
                run=last, room_uuid=room.uuid, subscription_uuid=room.subscription_uuid, name=f"Guest {n}",
                role=Role.GUEST, token_uuid=link.uuid, user_uuid=user.uuid, device=f"device-{n}", left_at=now(),
            )  # fmt: skip
            session.add(stay)
        session.flush()
        return last.id, hook.id
