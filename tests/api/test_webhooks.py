"""Webhooks by programs: the same operations as the pages, and the same doors."""

import json

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.clock import now
from portal.db import session, transaction
from portal.people.models import PlatformRole
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.rooms.models import Room
from portal.scopes import Scope
from portal.webhooks.deliveries import Outcome, claim, record
from portal.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from portal.webhooks.resources import WITHHELD
from tests.api.conftest import EVERYTHING, NewProgram, Program
from tests.cast import Cast

HOOK = {"url": "https://hooks.example/room", "events": ["participant.joined", "token.created"]}


def make(caller: Program, **fields: object) -> dict[str, object]:
    answer = caller.post("/webhooks", {**HOOK, **fields})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"].endswith(f"/api/v1/webhooks/{answer.json['data']['id']}")
    made: dict[str, object] = answer.json["data"]
    return made


def test_a_webhook_is_made_read_listed_changed_and_deleted(cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    made = make(alice, room_id=cast.board, description="Attendance")
    path = f"/webhooks/{made['id']}"
    assert str(made["secret"]).startswith("whsec_")
    assert (made["object"], made["room_id"], made["status"]) == ("Webhook", cast.board, "active")
    read = alice.get(path)
    assert "secret" not in read.json["data"]
    assert {**read.json["data"], "secret": made["secret"]} == made
    assert alice.get(path, If_None_Match=read.headers["ETag"]).status_code == 304
    assert [one["id"] for one in alice.get("/webhooks").json["data"]] == [made["id"]]
    assert alice.get("/webhooks?search=attend&filter=url").json["data"] == [
        {"object": "Webhook", "id": made["id"], "url": HOOK["url"]}
    ]
    assert alice.get("/webhooks?search=status:paused").json["data"] == []
    assert alice.get("/webhooks?orderBy=secret").status_code == 422
    changed = alice.patch(path, {"events": ["room.ended"], "paused": True}).json["data"]
    assert (changed["events"], changed["status"], changed["paused_why"]) == (["room.ended"], "paused", "asked")
    assert changed["url"] == HOOK["url"]
    assert alice.patch(path, {"paused": False}).json["data"]["status"] == "active"
    assert alice.patch(path, {"description": "x"}, If_Match=read.headers["ETag"]).status_code == 412
    assert alice.delete(path).status_code == 204
    assert alice.delete(path).status_code == alice.get(path).status_code == 404


def test_one_for_all_rooms_belongs_to_the_customer(app: Flask, cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    with app.app_context():
        customer_id = cast.room().customer.id
        theirs = session.scalars(sa.select(Room)).first()
        assert theirs is not None
    made = make(alice, customer_id=customer_id)
    assert (made["room_id"], made["customer_id"]) == (None, customer_id)
    for stranger in ("charlie", "bob"):
        refused = program(stranger).post("/webhooks", {**HOOK, "customer_id": customer_id})
        assert refused.status_code == 422
        assert list(refused.json["errors"]) == ["customer_id"]
        assert program(stranger).get(f"/webhooks/{made['id']}").status_code == 404
    assert make(program("admin"), customer_id=customer_id)["customer_id"] == customer_id


def test_one_of_the_portal_is_staffs_and_names_neither_room_nor_customer(cast: Cast, program: NewProgram) -> None:
    ada, ending = program("admin"), {"events": ["subscription.ending"]}
    made = make(ada, **ending)
    assert (made["room_id"], made["customer_id"]) == (None, None)
    path = f"/webhooks/{made['id']}"
    assert made["id"] in [one["id"] for one in ada.get("/webhooks").json["data"]]
    assert ada.patch(path, {"events": ["customer.created", "account.deleted"]}).status_code == 200
    assert list(ada.patch(path, {"events": ["room.created"]}).json["errors"]) == ["events"]
    assert list(ada.post("/webhooks", {**HOOK, **ending, "room_id": cast.board}).json["errors"]) == ["events"]
    assert ada.post(f"{path}/test").status_code == 201
    unable = program("admin", *(one for one in Scope if one is not Scope.CUSTOMERS_READ))
    assert unable.post("/webhooks", {**HOOK, **ending}).status_code == 403
    for name, scopes in (("alice", EVERYTHING), ("admin", EVERYTHING)):  # without the scope `admin` she is no staff
        nobody = program(name, *scopes)
        assert list(nobody.post("/webhooks", {**HOOK, **ending}).json["errors"]) == ["room_id"]
        assert nobody.get(path).status_code == nobody.delete(path).status_code == 404
        assert nobody.get("/webhooks").json["data"] == []


@pytest.mark.parametrize(
    ("permissions", "found"),
    [({"staff:rooms:read", "staff:rooms:update"}, 404), ({"staff:customers:read", "staff:customers:update"}, 200)],
)
def test_one_of_the_portal_is_found_by_whoever_may_change_customers(
    app: Flask, cast: Cast, program: NewProgram, permissions: set[str], found: int
) -> None:
    made = make(program("admin"), events=["customer.updated"])
    with app.app_context(), transaction():
        cast.user("bob").platform_roles = [PlatformRole(name="helpers", permissions=sorted(permissions))]
    bob = program("bob", *Scope)
    assert bob.get(f"/webhooks/{made['id']}").status_code == found
    assert [one["id"] for one in bob.get("/webhooks").json["data"]] == ([made["id"]] if found == 200 else [])


def test_what_is_sent_to_a_webhook_does_not_change_it(app: Flask, cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    path = f"/webhooks/{make(alice, room_id=cast.board)['id']}"
    read = alice.get(path)
    alice.post(f"/rooms/{cast.board}/tokens", {"role": "guest"})
    with app.app_context():
        with transaction():
            letter = claim(session.scalars(sa.select(WebhookDelivery.uuid)).one())
        assert letter is not None
        with transaction():
            record(letter, Outcome(milliseconds=9000, status=204))
        assert session.scalars(sa.select(WebhookEndpoint.slow)).one()
    assert alice.get(path).json == read.json
    assert alice.get(path, If_None_Match=read.headers["ETag"]).status_code == 304
    assert alice.patch(path, {"description": "x"}, If_Match=read.headers["ETag"]).status_code == 200


def test_it_is_not_deleted_while_a_message_is_being_sent_to_it(app: Flask, cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    path = f"/webhooks/{make(alice, room_id=cast.board)['id']}"
    alice.post(f"/rooms/{cast.board}/tokens", {"role": "guest"})
    with app.app_context():
        with transaction():
            letter = claim(session.scalars(sa.select(WebhookDelivery.uuid)).one())
        assert letter is not None
        session.remove()
        refused = alice.delete(path)
        assert (refused.status_code, refused.json["message"]) == (
            409,
            "A message is being sent to this webhook right now. Pause it, and delete it in a moment.",
        )
        with transaction():
            record(letter, Outcome(milliseconds=9000, status=503))
        session.remove()
    assert alice.delete(path).status_code == 204


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"url": "http://hooks.example/"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "https://localhost/"}, "url"),
        ({"url": 5}, "url"),
        ({"events": []}, "events"),
        ({"events": ["made.up"]}, "events"),
        ({"room_id": "1111111111"}, "room_id"),
        ({"room_id": None}, "room_id"),
        ({"customer_id": "1111111111"}, "customer_id"),
        ({"secret": "whsec_mine"}, "secret"),
        ({"description": "x" * 201}, "description"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    cast: Cast, program: NewProgram, wrong: dict[str, object], field: str
) -> None:
    answer = program("alice").post("/webhooks", {**HOOK, "room_id": cast.board, **wrong})
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [field]


def test_a_rotated_secret_is_in_the_answer_and_nowhere_else(cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    made = make(alice, room_id=cast.board)
    rotated = alice.post(f"/webhooks/{made['id']}/rotate-secret").json["data"]
    assert rotated["secret"] != made["secret"]
    assert rotated["old_secret_until"] is not None
    assert "secret" not in alice.get(f"/webhooks/{made['id']}").json["data"]


def test_deliveries_are_listed_and_sent_again(app: Flask, cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    made = make(alice, room_id=cast.board)
    path = f"/webhooks/{made['id']}"
    tested = alice.post(f"{path}/test")
    assert tested.status_code == 201
    assert (tested.json["data"]["event"], tested.json["data"]["state"]) == ("webhook.test", "waiting")
    alice.post(f"/rooms/{cast.board}/tokens", {"role": "guest"})
    listed = alice.get(f"{path}/deliveries").json["data"]
    assert [one["event"] for one in listed] == ["token.created", "webhook.test"]
    one = alice.get(f"{path}/deliveries/{listed[0]['id']}").json["data"]
    assert one == listed[0]
    with app.app_context(), transaction():
        sent = session.scalars(sa.select(WebhookDelivery).where(WebhookDelivery.id == one["id"])).one()
        sent.attempts = 1
        sent.end(DeliveryState.DELIVERED, sent.created_at)
    listed = alice.get(f"{path}/deliveries?search=state:delivered").json["data"]
    assert [(found["id"], found["ended_at"]) for found in listed] == [(one["id"], one["created_at"])]
    again = alice.post(f"{path}/deliveries/{one['id']}/retry").json["data"]
    assert (again["state"], again["attempts"], again["message_id"]) == ("waiting", 0, one["message_id"])
    other = make(alice, room_id=cast.board)
    assert alice.get(f"/webhooks/{other['id']}/deliveries/{one['id']}").status_code == 404
    assert alice.post(f"/webhooks/{other['id']}/deliveries/{one['id']}/retry").status_code == 404
    alice.patch(path, {"paused": True})
    assert alice.post(f"{path}/deliveries/{one['id']}/retry").status_code == 409


ACTIONS = [
    ("GET", "", None),
    ("PATCH", "", {"description": "mine"}),
    ("DELETE", "", None),
    ("POST", "/test", None),
    ("POST", "/rotate-secret", None),
    ("GET", "/deliveries", None),
]


@pytest.mark.parametrize(("method", "below", "body"), ACTIONS, ids=[f"{one[0]}{one[1]}" for one in ACTIONS])
def test_doors_of_webhooks(
    app: Flask, cast: Cast, program: NewProgram, method: str, below: str, body: dict[str, str] | None
) -> None:
    """Strangers find none, who only sees the room may not, a program needs the scope, owner and staff may."""
    path = f"/webhooks/{make(program('alice'), room_id=cast.board)['id']}{below}"
    assert app.test_client().open(f"/api/v1{path}", method=method, json=body).status_code == 401
    assert program("charlie").call(method, path, body).status_code == 404
    assert program("bob").call(method, path, body).status_code == 403
    narrow = Scope.STATUS_READ if method == "GET" else Scope.ROOMS_READ
    assert program("alice", narrow).call(method, path, body).status_code == 403
    assert program("admin").call(method, path, body).status_code < 300


def test_lists_show_what_may_be_managed_and_nothing_else(app: Flask, cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    made = make(alice, room_id=cast.board)
    for nobody in ("bob", "charlie"):
        assert program(nobody).get("/webhooks").json["meta"]["pagination"]["total"] == 0
    assert program("admin").get("/webhooks").json["meta"]["pagination"]["total"] == 1
    with app.app_context(), transaction():
        bob = cast.user("bob")
        member = session.scalars(sa.select(RoomMember).where(RoomMember.user_uuid == bob.uuid)).unique().one()
        member.permissions = [Permission.ROOM_VIEW, Permission.ROOM_EDIT]
    bobs = program("bob")
    assert [one["id"] for one in bobs.get("/webhooks").json["data"]] == [made["id"]]
    assert bobs.patch(f"/webhooks/{made['id']}", {"url": "https://bob.example/"}).status_code == 403
    assert bobs.post("/webhooks", {**HOOK, "room_id": cast.board}).status_code == 403
    assert bobs.post("/webhooks", {**HOOK, "room_id": cast.board, "events": ["room.updated"]}).status_code == 201


def test_a_program_can_ask_only_for_events_within_its_scopes(cast: Cast, program: NewProgram) -> None:
    narrow = program("alice", Scope.ROOMS_READ, Scope.ROOMS_WRITE)
    answer = narrow.post("/webhooks", {**HOOK, "room_id": cast.board})
    assert answer.status_code == 403
    assert make(narrow, room_id=cast.board, events=["room.updated"])["events"] == ["room.updated"]


def test_a_program_that_changes_a_webhook_makes_its_person_the_owner_if_it_may_see_all_that_it_tells(
    app: Flask, cast: Cast, program: NewProgram
) -> None:
    bob_edits(app, cast, Permission.TOKENS_VIEW)
    path = f"/webhooks/{make(program('bob'), room_id=cast.board, events=['token.created'])['id']}"
    narrow = program("alice", Scope.ROOMS_READ, Scope.ROOMS_WRITE, Scope.PEOPLE_READ)
    refused = narrow.patch(path, {"description": "mine"})
    assert refused.status_code == 403
    assert "You cannot save “token.created”" in refused.json["message"]
    with app.app_context():
        ids = {name: cast.user(name).id for name in ("alice", "bob")}
    assert narrow.patch(path, {"paused": True}).json["data"]["owner_id"] == ids["bob"]
    assert program("alice").patch(path, {"description": "mine"}).json["data"]["owner_id"] == ids["alice"]


def test_what_has_lost_its_owner_is_not_resumed_but_changed(app: Flask, cast: Cast, program: NewProgram) -> None:
    bob_edits(app, cast, Permission.TOKENS_VIEW)
    path = f"/webhooks/{make(program('bob'), room_id=cast.board, events=['token.created'])['id']}"
    bob_edits(app, cast)
    alice = program("alice")
    alice.post(f"/rooms/{cast.board}/tokens", {"role": "guest"})
    assert alice.get(path).json["data"]["paused_why"] == "rights"
    assert alice.patch(path, {"paused": False}).status_code == 409
    assert alice.patch(path, {"events": ["token.created"]}).json["data"]["status"] == "active"


def bob_edits(app: Flask, cast: Cast, *more: Permission) -> None:
    with app.app_context(), transaction():
        bob = cast.user("bob")
        member = session.scalars(sa.select(RoomMember).where(RoomMember.user_uuid == bob.uuid)).unique().one()
        member.permissions = [Permission.ROOM_VIEW, Permission.ROOM_EDIT, *more]


def test_a_delivery_that_was_dropped_says_why_as_the_document_knows(
    app: Flask, cast: Cast, program: NewProgram
) -> None:
    alice = program("alice")
    path = f"/webhooks/{make(alice, room_id=cast.board)['id']}"
    alice.post(f"/rooms/{cast.board}/tokens", {"role": "guest"})
    [waiting] = alice.get(f"{path}/deliveries").json["data"]
    assert waiting["trouble"] is None
    with app.app_context(), transaction():
        sent = session.scalars(sa.select(WebhookDelivery)).one()
        sent.end(DeliveryState.DROPPED, now())
    one = alice.get(f"{path}/deliveries/{waiting['id']}").json["data"]
    assert (one["state"], one["answered_at"], one["trouble"]) == ("dropped", None, str(WITHHELD))
    assert one["updated_at"] == one["ended_at"]
    document = json.loads(app.test_client().get("/api/v1/openapi.json").text)
    shape = document["components"]["schemas"]["WebhookDelivery"]
    assert one["trouble"] in shape["properties"]["trouble"]["examples"]
    with app.app_context(), transaction():
        sent = session.scalars(sa.select(WebhookDelivery)).one()
        sent.state, sent.answered_at, sent.answer_status = DeliveryState.FAILED, sent.ended_at, 503
    assert alice.get(f"{path}/deliveries/{waiting['id']}").json["data"]["trouble"] is None
