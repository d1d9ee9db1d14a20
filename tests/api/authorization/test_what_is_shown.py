"""Lists, totals, searches, filters and relations show nothing that a direct read would refuse, and hide nothing else."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any

import pytest
import sqlalchemy as sa

from portal.accounts.models import Account
from portal.api.v1.includes import RELATIONS
from portal.db import session, transaction
from portal.people.models import PlatformRole
from portal.people.staff import StaffPermission
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.rooms.models import Room
from portal.scopes import Scope
from portal.subscriptions.models import Subscription, SubscriptionStatus
from portal.webhooks.events import ROOM_EVENTS
from portal.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.api.authorization.conftest import PERSON, WITH_ADMIN, World
from tests.api.conftest import EVERYTHING, Program

PEOPLE = ("staff", "ada", "alice", "bob", "charlie")
SEEING = frozenset({Permission.ROOM_VIEW})
LISTS = {"/rooms": Room, "/accounts": Account, "/subscriptions": Subscription, "/webhooks": WebhookEndpoint}
DIRECT = {
    "account": "/accounts/{account}",
    "subscription": "/subscriptions/{subscription}",
    "owner": "/rooms/{room}/users/{owner}",
    "users": "/rooms/{room}/users?limit=0",
    "tokens": "/rooms/{room}/tokens?limit=0",
    "access_codes": "/rooms/{room}/access-codes?limit=0",
    "room_status": "/rooms/{room}/status",
}
"""Relation → where it is read directly. Customers have no operation yet: they go with their accounts."""


def program(world: World, member: str, scopes: tuple[Scope, ...] | None = None) -> Program:
    scopes = scopes or (WITH_ADMIN if member in {"staff", "reader"} else EVERYTHING)
    return Program(world.app, world.token(PERSON.get(member, member), scopes))


def everything(world: World, model: Any) -> list[str]:
    with world.app.app_context(), transaction():
        query = sa.select(model.id)
        return list(session.scalars(query.where(Room.trashed_at.is_(None)) if model is Room else query))


def grant(world: World, names: dict[str, str], *permissions: Permission) -> None:
    """Give Bob exactly these, also without the right to see the room, which operations always add."""
    with world.app.app_context(), transaction():
        room, bob = world.cast.room(names["room"]), world.cast.user("bob")
        session.execute(
            sa.delete(RoomMember).where(RoomMember.room_uuid == room.uuid, RoomMember.user_uuid == bob.uuid)
        )
        session.add(RoomMember(room=room, user=bob, permissions=sorted(permissions)))


@pytest.mark.parametrize(
    "rights",
    [SEEING, SEEING | {Permission.ROOM_EDIT}, {Permission.ROOM_EDIT}],
    ids=["who sees", "who edits", "who edits unseen"],
)
@pytest.mark.parametrize("path", LISTS)
def test_a_list_holds_exactly_what_each_may_read(world: World, path: str, rights: frozenset[Permission]) -> None:
    grant(world, world.set_up(frozenset()), *rights)
    for member in PEOPLE:
        caller = program(world, member)
        readable = {one for one in everything(world, LISTS[path]) if caller.get(f"{path}/{one}").status_code == 200}
        listed = caller.get(f"{path}?limit=0").json
        assert {one["id"] for one in listed["data"]} == readable, member
        assert listed["meta"]["pagination"]["total"] == len(readable), member
        by_cursor = caller.get(f"{path}?cursor=&limit=100").json
        assert {one["id"] for one in by_cursor["data"]} == readable, member


@pytest.mark.parametrize(
    "search",
    [
        "Made",
        "room_name:Made",
        "id:{room}",
        "account_id:{account}",
        "customer_id:{customer}",
        "room_name:Made for a table&searchFields=room_name:=",
        "is_public:true;slug:made-for-a-table",
        "id:{room};status:active&searchJoin=and",
    ],
)
def test_nobody_finds_a_strangers_room_or_counts_it(world: World, search: str) -> None:
    names = world.set_up(frozenset())
    for member, own in (("charlie", names["their_room"]), ("bob", world.cast.board), ("ada", None)):
        found = program(world, member).get(f"/rooms?limit=0&search={search.format(**names)}").json
        assert {one["id"] for one in found["data"]} <= {own}, member
        assert found["meta"]["pagination"]["total"] == len(found["data"]), member
    assert names["room"] in {
        one["id"] for one in program(world, "alice").get(f"/rooms?limit=0&search={search.format(**names)}").json["data"]
    }


@pytest.mark.parametrize(
    ("path", "search"),
    [
        ("/accounts", "Main"),
        ("/accounts", "id:{account}"),
        ("/subscriptions", "Meet"),
        ("/subscriptions", "id:{subscription}"),
        ("/webhooks", "room_id:{room}"),
        ("/webhooks", "id:{wide}"),
        ("/webhooks", "url:https://hooks.example/"),
    ],
)
def test_nobody_finds_what_is_not_his_above_rooms(world: World, path: str, search: str) -> None:
    names = world.set_up(SEEING)
    acme = {names[name] for name in ("account", "subscription", "hook", "wide", "hook2", "wide2")}
    for member in ("charlie", "bob", "ada", "reader"):
        found = program(world, member).get(f"{path}?limit=0&search={search.format(**names)}").json
        assert not acme & {one["id"] for one in found["data"]}, member
        assert found["meta"]["pagination"]["total"] == len(found["data"]), member
    assert acme & {
        one["id"] for one in program(world, "alice").get(f"{path}?limit=0&search={search.format(**names)}").json["data"]
    }


@pytest.mark.parametrize("relation", DIRECT)
@pytest.mark.parametrize("right", [None, *Permission], ids=str)
def test_a_relation_shows_what_a_direct_read_shows(world: World, relation: str, right: Permission | None) -> None:
    names = world.set_up(SEEING | ({right} if right else set()))
    for member in ("bob",) if right else PEOPLE:
        caller = program(world, member)
        for room in ("room", "their_room"):
            address = DIRECT[relation].replace("{", "{their_" if room == "their_room" else "{")
            one = caller.get(f"/rooms/{names[room]}?include={relation}")
            listed = caller.get(f"/rooms?limit=0&include={relation}").json["data"]
            rows = [row for row in listed if row["id"] == names[room]]
            if one.status_code != 200:
                assert (one.status_code, rows) == (404, []), member
                continue
            direct = caller.get(address.format(**names))
            expected = direct.json["data"] if direct.status_code == 200 else None
            shown = one.json["data"][relation]
            if relation == "owner" and expected is not None:  # read directly, he is a user of the room
                expected = {name: expected[name] for name in shown["data"]} | {"object": "User"}
            assert (shown and shown["data"]) == expected, (member, direct.status_code)
            assert rows[0][relation] == shown, member


@pytest.mark.parametrize("relation", RELATIONS)
def test_a_relation_takes_the_scope_of_a_direct_read(world: World, relation: str) -> None:
    names, scope = world.set_up(SEEING), RELATIONS[relation][0]
    without = tuple(one for one in EVERYTHING if one is not scope)
    for path in (f"/rooms/{names['room']}", "/rooms", f"/rooms/{world.cast.board}"):
        assert program(world, "alice").get(f"{path}?include={relation}").status_code == 200
        answer = program(world, "alice", without).get(f"{path}?include={relation}")
        assert answer.status_code == (200 if scope is None else 403)
    written = program(world, "alice", without).patch(f"/rooms/{names['room']}?include={relation}", {"slug": "other"})
    assert written.status_code == (200 if scope is None else 403)


PLAN = {
    "account": ("/accounts/{account}", StaffPermission.ACCOUNTS_READ),
    "customer": ("/customers/{customer}", StaffPermission.CUSTOMERS_READ),
    "subscription": ("/subscriptions/{subscription}", StaffPermission.SUBSCRIPTIONS_READ),
}


@contextmanager
def staff_member(world: World, *permissions: StaffPermission) -> Iterator[Program]:
    """Bob's program, while he is one of the staff with these permissions."""
    with world.app.app_context(), transaction():
        mark = f"clerks-{token_hex(4)}"
        world.cast.user("bob").platform_roles = [PlatformRole(name=mark, permissions=[str(one) for one in permissions])]
    try:
        yield program(world, "bob", WITH_ADMIN)
    finally:
        with world.app.app_context(), transaction():
            world.cast.user("bob").platform_roles = []


@pytest.mark.parametrize("relation", PLAN)
@pytest.mark.parametrize("role", StaffPermission)
def test_staff_who_may_not_read_everything_see_no_more_of_the_plan_than_others(
    world: World, relation: str, role: StaffPermission
) -> None:
    names, (address, needed) = world.set_up(SEEING), PLAN[relation]
    with staff_member(world, role) as caller:
        shown = caller.get(f"/rooms/{names['room']}?include={relation}").json["data"][relation]
        direct = caller.get(address.format(**names)).status_code
        assert (shown is None, direct) == ((False, 200) if role is needed else (True, 404))


@pytest.mark.parametrize("relation", ["customer", "subscription"])
def test_staff_see_above_an_account_what_they_may_read(world: World, relation: str) -> None:
    names, (_, needed) = world.set_up(SEEING), PLAN[relation]
    reads, room = (StaffPermission.ACCOUNTS_READ,), f"/rooms/{names['room']}?include=account.{relation}"
    for permissions, is_shown in ((reads, False), ((*reads, needed), True)):
        with staff_member(world, *permissions) as caller:
            for account in (
                caller.get(room).json["data"]["account"]["data"],
                caller.get(f"/accounts/{names['account']}?include={relation}").json["data"],
                *caller.get(f"/accounts?include={relation}").json["data"],
            ):
                assert (account[relation] is not None) is is_shown


def test_staff_see_the_customer_of_a_subscription_only_if_they_may_read_customers(world: World) -> None:
    names, reads = world.set_up(SEEING), StaffPermission.SUBSCRIPTIONS_READ
    one, all_of_them = f"/subscriptions/{names['subscription']}?include=customer", "/subscriptions?include=customer"
    for permissions, is_shown in (((reads,), False), ((reads, StaffPermission.CUSTOMERS_READ), True)):
        with staff_member(world, *permissions) as caller:
            for found in (caller.get(one).json["data"], *caller.get(all_of_them).json["data"]):
                assert (found["customer"] is not None) is is_shown
    with staff_member(world, StaffPermission.ROOMS_READ) as caller:
        assert (caller.get(one).status_code, caller.get(all_of_them).json["data"]) == (404, [])


@pytest.mark.parametrize("right", [None, Permission.ROOM_MODERATE, Permission.TOKENS_MANAGE], ids=str)
def test_who_may_not_moderate_never_gets_hold_of_a_moderators_link(world: World, right: Permission | None) -> None:
    names = world.set_up(SEEING | {Permission.TOKENS_VIEW} | ({right} if right else set()))
    bob, path = program(world, "bob"), f"/rooms/{names['room']}"
    shown = [
        bob.get(f"{path}/tokens/{names['chair']}").json["data"],
        *_moderators(bob.get(f"{path}/tokens?limit=0").json["data"]),
        *_moderators(bob.get(f"{path}/tokens?search=role:moderator").json["data"]),
        *_moderators(bob.get(f"{path}/tokens?cursor=").json["data"]),
        *_moderators(bob.get(f"{path}/tokens?filter=token,url,role").json["data"]),
        *_moderators(bob.get(f"{path}?include=tokens").json["data"]["tokens"]["data"]),
        *_moderators(
            bob.get(f"{path}?include=tokens&filter=tokens.token,tokens.url,tokens.role").json["data"]["tokens"]["data"]
        ),
    ]
    assert len(shown) == 7
    for token in shown:
        assert ("token" in token and "url" in token) is (right is Permission.ROOM_MODERATE)
    guests = bob.get(f"{path}/tokens/{names['token']}").json["data"]
    assert guests["url"].endswith(guests["token"])
    assert bob.get(f"{path}/tokens?search=token:{names['link']}").status_code == 422


def _moderators(tokens: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [token for token in tokens if token["role"] == "moderator"]


def test_what_is_wrong_with_the_plan_is_told_to_who_owns_it_and_to_staff(world: World) -> None:
    names = world.set_up(SEEING | {Permission.TOKENS_VIEW})
    with world.app.app_context(), transaction():
        world.cast.room(names["room"]).subscription.status = SubscriptionStatus.SUSPENDED
    try:
        for member, told in (("alice", True), ("staff", True), ("bob", False)):
            caller = program(world, member)
            explained = caller.get(f"/rooms/{names['room']}/access-check?token={names['link']}").json["data"]
            joined = caller.post(f"/rooms/{names['room']}/join", {"token": names["link"], "name": "Gus"}).json["data"]
            for decision in (explained, joined):
                assert (decision["result"], decision["reason"]) == ("refuse", "unavailable")
                assert ("subscription" in _stopped(decision)) is told, member
                assert len(_stopped(decision)) == 1
                assert ("The subscription" in json.dumps(decision["checks"])) is told
        stranger = program(world, "charlie").post(
            f"/rooms/{names['room']}/join", {"token": names["link"], "name": "Gus"}
        )
        assert _stopped(stranger.json["data"]) == ["room"]
        assert "The subscription" not in stranger.text
    finally:
        with world.app.app_context(), transaction():
            world.cast.room(names["room"]).subscription.status = SubscriptionStatus.ACTIVE


def _stopped(decision: dict[str, Any]) -> list[str]:
    return [line["check"] for line in decision["checks"] if line["outcome"] == "stopped"]


def test_no_webhook_carries_a_secret(world: World) -> None:
    names = world.set_up(frozenset())
    alice, path = program(world, "alice"), f"/rooms/{names['room']}"
    hook = alice.post(
        "/webhooks", {"url": "https://hooks.example/all", "events": list(ROOM_EVENTS), "customer_id": names["customer"]}
    ).json["data"]
    token = alice.post(f"{path}/tokens", {"role": "moderator", "person": "Jun"}).json["data"]
    fresh = alice.post(f"{path}/tokens/{token['id']}/rotate", {}).json["data"]
    code = alice.post(f"{path}/access-codes", {"role": "guest", "code": "NEVER-TOLD"}).json["data"]
    guest = world.cast.browser()
    assert guest.get(fresh["url"].removeprefix("http://127.0.0.1:8000")).status_code == 303
    assert guest.send(f"/rooms/{names['room']}/made-for-a-table", name="Jun").status_code == 303
    alice.patch(path, {"room_name": "Renamed"})
    alice.patch(f"{path}/access-codes/{code['id']}", {"label": "Changed"})
    alice.delete(f"{path}/access-codes/{code['id']}")
    alice.delete(f"{path}/tokens/{fresh['id']}")
    rotated = alice.post(f"/webhooks/{hook['id']}/rotate-secret").json["data"]
    alice.post(f"/webhooks/{hook['id']}/test")
    alice.delete(path)
    with world.app.app_context(), transaction():
        sent = list(session.scalars(sa.select(WebhookDelivery.event)))
        told = "".join(one.payload for one in session.scalars(sa.select(WebhookDelivery)))
    assert {
        "token.created",
        "token.revoked",
        "token.used",
        "participant.joined",
        "code.created",
        "code.deleted",
        "room.updated",
        "room.deleted",
    } <= set(sent)
    assert "Jun" in told
    for secret in (token["token"], fresh["token"], code["code"], "nevertold", hook["secret"], rotated["secret"], "rt_"):
        assert secret not in told
    listed = alice.get(f"/webhooks/{hook['id']}/deliveries?limit=0").text + alice.get("/webhooks?limit=0").text
    assert "whsec_" not in listed
    assert "rt_" not in listed
