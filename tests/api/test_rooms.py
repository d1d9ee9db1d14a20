from typing import Any

from flask import Flask

from portal.scopes import Scope
from tests.api.conftest import NewProgram
from tests.cast import Cast


def test_a_room_has_the_attributes_of_the_source(cast: Cast, program: NewProgram) -> None:
    room = program("alice").get(f"/rooms/{cast.board}").json["data"]
    assert list(room)[:4] == ["object", "id", "uuid", "ulid"]
    assert {
        "object", "id", "uuid", "ulid", "customer_id", "account_id", "subscription_id", "room_name", "status",
        "is_public", "room_type", "slug", "url", "room_features", "room_settings", "room_metadata",
    } <= set(room)  # fmt: skip
    assert room["object"] == "Room"
    assert room["room_name"] == "Board meeting"
    assert (room["status"], room["is_public"], room["room_type"]) == ("active", False, "meet")
    assert room["url"].endswith(f"/rooms/{cast.board}/board-meeting")
    assert room["created_at"].endswith("Z")
    assert len(room["created_at"]) == len("2026-11-25T19:17:45.123456Z")


def test_a_room_is_found_by_each_spelling_of_its_identity(cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    room = alice.get(f"/rooms/{cast.board}").json["data"]
    for spelling in (room["id"], room["uuid"], room["ulid"]):
        assert alice.get(f"/rooms/{spelling}").json["data"]["id"] == cast.board


def test_a_room_is_created_changed_and_deleted(program: NewProgram) -> None:
    alice = program("alice")
    made = alice.post("/rooms", {"room_name": "Made by a program", "room_settings": {"description": "Hi"}})
    assert made.status_code == 201, made.text
    path = made.headers["Location"].removeprefix("http://127.0.0.1:8000")
    assert alice.get(path).json["data"] == made.json["data"]
    changed = alice.patch(path, {"room_name": "Renamed", "room_metadata": {"a": {"b": 1}}})
    assert changed.status_code == 200, changed.text
    assert changed.json["data"]["slug"] == "renamed"
    assert changed.json["data"]["room_settings"] == {"description": "Hi"}
    assert changed.json["data"]["room_metadata"] == {"a": {"b": 1}}
    assert alice.delete(path).status_code == 204
    assert alice.get(path).status_code == 404
    assert alice.delete(path).status_code == 404


def test_what_follows_from_the_account_may_be_said_in_any_spelling(cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    customer = alice.get(f"/rooms/{cast.board}?include=customer").json["data"]["customer"]["data"]
    for spelling in (customer["id"], customer["uuid"], customer["uuid"].upper(), customer["ulid"].lower()):
        made = alice.post("/rooms", {"room_name": "R", "customer_id": spelling})
        assert made.status_code == 201, spelling
        hook = {"room_id": made.json["data"]["id"], "url": "https://hooks.example/room", "events": ["room.ended"]}
        assert alice.post("/webhooks", {**hook, "customer_id": spelling}).status_code == 201


def test_what_is_wrong_is_said_by_field(program: NewProgram) -> None:
    alice = program("alice")
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "room_name"),
        ({"room_name": ""}, "room_name"),
        ({"room_name": "x" * 201}, "room_name"),
        ({"room_name": "a\x00b"}, "room_name"),
        ({"room_name": "a\u202eb"}, "room_name"),
        ({"room_name": "\ud800"}, "room_name"),
        ({"room_name": 5}, "room_name"),
        ({"room_name": "R", "status": "closed"}, "status"),
        ({"room_name": "R", "is_public": "true"}, "is_public"),
        ({"room_name": "R", "id": "u6Yh3DpQ2x"}, "id"),
        ({"room_name": "R", "surprise": 1}, "surprise"),
        ({"room_name": "R", "room_type": "live"}, "room_type"),
        ({"room_name": "R", "account_id": "1111111111"}, "account_id"),
        ({"room_name": "R", "customer_id": "1111111111"}, "customer_id"),
        ({"room_name": "R", "room_features": {"max_wizards": 1}}, "room_features.max_wizards"),
        ({"room_name": "R", "room_settings": {"colour": "red"}}, "room_settings.colour"),
        ({"room_name": "R", "room_metadata": {"a": {"b": {"c": 1}}}}, "room_metadata"),
    ]
    for body, field in cases:
        answer = alice.post("/rooms", body)
        assert answer.status_code == 422, (body, answer.text)
        assert answer.json["message"] == "The given data was invalid."
        assert field in answer.json["errors"], (body, answer.json)


def test_nobody_sees_rooms_of_others(cast: Cast, program: NewProgram) -> None:
    names = {
        name: {room["room_name"] for room in program(name).get("/rooms").json["data"]} for name in ("alice", "bob")
    }
    assert names == {"alice": {"Board meeting", "Open house"}, "bob": {"Board meeting"}}
    charlie = program("charlie")
    assert charlie.get("/rooms").json["meta"]["pagination"]["total"] == 0
    assert charlie.get(f"/rooms/{cast.board}").status_code == 404
    assert charlie.patch(f"/rooms/{cast.board}", {"room_name": "Mine"}).status_code == 404
    bob = program("bob")
    assert bob.get(f"/rooms/{cast.board}").status_code == 200
    assert bob.patch(f"/rooms/{cast.board}", {"room_name": "Mine"}).status_code == 403
    assert bob.get("/rooms?search=Open").json["data"] == []


def test_staff_sees_all_rooms_only_with_the_scope(program: NewProgram) -> None:
    assert program("admin").get("/rooms").json["meta"]["pagination"]["total"] == 2
    assert program("admin", Scope.ROOMS_READ).get("/rooms").json["meta"]["pagination"]["total"] == 0


def test_a_scope_narrows_and_says_so(cast: Cast, program: NewProgram) -> None:
    reader = program("alice", Scope.ROOMS_READ)
    room = reader.get(f"/rooms/{cast.board}")
    assert room.json["data"]["actions"] == ["recordings:view", "room:view"]
    refused = reader.post("/rooms", {"room_name": "R"})
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]
    assert reader.get(f"/rooms/{cast.board}?include=tokens").status_code == 403
    assert program("alice", Scope.STATUS_READ).get(f"/rooms/{cast.board}/status").status_code == 200


def test_only_a_bearer_token_opens_the_api(app: Flask, cast: Cast, program: NewProgram) -> None:
    alice = cast.sign_in("alice")
    assert alice.get("/api/v1/rooms").status_code == 401
    answer = app.test_client().get("/api/v1/rooms", headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.is_json
    token = program("alice").token
    page = app.test_client().get("/manage/rooms", headers={"Authorization": f"Bearer {token}"})
    assert page.status_code == 303
    assert "/sign-in" in page.location
