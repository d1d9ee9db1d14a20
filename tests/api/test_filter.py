"""`filter` counts for every answer with a thing in it, and where there is none, nothing can be asked for."""

from typing import Any

import pytest
from flask import Flask

from tests.api.conftest import NewProgram, Program
from tests.api.test_openapi import document
from tests.cast import Cast

ROOM = "/api/v1/rooms/{room_id}"
HOOK = "/api/v1/webhooks/{webhook_id}"
HOOKED = {"url": "https://hooks.example/room", "events": ["room.ended"]}
TABLE: dict[str, tuple[str, Any]] = {  # operation → a field to ask for, and the body
    "get /api/v1/accounts": ("account_name", None),
    "get /api/v1/accounts/{account_id}": ("account_name", None),
    "get /api/v1/features": ("code", None),
    "get /api/v1/rooms": ("slug", None),
    "post /api/v1/rooms": ("slug", {"room_name": "Meeting"}),
    f"get {ROOM}": ("slug", None),
    f"patch {ROOM}": ("slug", {"room_name": "Other"}),
    f"get {ROOM}/access-check": ("result", None),
    f"get {ROOM}/access-codes": ("role", None),
    f"post {ROOM}/access-codes": ("role", {"role": "attendee"}),
    f"get {ROOM}/access-codes/{{code_id}}": ("role", None),
    f"patch {ROOM}/access-codes/{{code_id}}": ("role", {"label": "Press"}),
    f"post {ROOM}/end": ("state", None),
    f"post {ROOM}/join": ("entry_url", {"name": "Alice"}),
    f"get {ROOM}/sessions": ("most", None),
    f"get {ROOM}/sessions/{{session_id}}": ("most", None),
    f"post {ROOM}/start": ("state", None),
    f"get {ROOM}/status": ("state", None),
    f"get {ROOM}/tokens": ("role", None),
    f"post {ROOM}/tokens": ("role", {"role": "guest"}),
    f"get {ROOM}/tokens/{{token_id}}": ("role", None),
    f"patch {ROOM}/tokens/{{token_id}}": ("role", {"label": "Press"}),
    f"post {ROOM}/tokens/{{token_id}}/rotate": ("url", {}),
    f"get {ROOM}/users": ("email", None),
    f"post {ROOM}/users": ("email", {"email": "charlie@demo.example"}),
    f"get {ROOM}/users/{{user_id}}": ("email", None),
    f"patch {ROOM}/users/{{user_id}}": ("email", {"permissions": ["room:view"]}),
    "get /api/v1/subscriptions": ("features", None),
    "get /api/v1/subscriptions/{subscription_id}": ("features", None),
    "get /api/v1/webhooks": ("url", None),
    "post /api/v1/webhooks": ("secret", {**HOOKED, "room_id": "{room_id}"}),
    f"get {HOOK}": ("url", None),
    f"patch {HOOK}": ("url", {"description": "Ends"}),
    f"get {HOOK}/deliveries": ("event", None),
    f"get {HOOK}/deliveries/{{delivery_id}}": ("event", None),
    f"post {HOOK}/deliveries/{{delivery_id}}/retry": ("event", None),
    f"post {HOOK}/rotate-secret": ("secret", None),
    f"post {HOOK}/test": ("event", None),
}
KNOWN_BY_ID = {"AccessDecision": {"object"}}


def places(alice: Program, cast: Cast, operation: str) -> dict[str, str]:
    """What stands in the addresses: one thing of each kind that the operation names."""

    def made(path: str, body: Any = None) -> str:
        answer = alice.post(path, body)
        assert answer.status_code in {200, 201}, answer.text
        return str(answer.json["data"]["id"])

    def first(path: str) -> str:
        return str(alice.get(path).json["data"][0]["id"])

    room = f"/rooms/{cast.board}"
    found = {"room_id": cast.board}
    if "token" in operation:
        found["token_id"] = made(f"{room}/tokens", {"role": "attendee"})
    if "code" in operation:
        found["code_id"] = made(f"{room}/access-codes", {"role": "moderator"})
    if "user" in operation:
        found["user_id"] = next(one["id"] for one in alice.get(f"{room}/users").json["data"] if not one["owner"])
    if "session" in operation:
        made(f"{room}/start")
        found["session_id"] = first(f"{room}/sessions")
    if "account" in operation:
        found["account_id"] = first("/accounts")
    if "subscription" in operation:
        found["subscription_id"] = first("/subscriptions")
    if "webhook" in operation:
        found["webhook_id"] = made("/webhooks", {**HOOKED, "room_id": cast.board})
        found["delivery_id"] = made(f"/webhooks/{found['webhook_id']}/test")
    return found


def test_the_table_has_every_operation_that_answers_with_a_thing(app: Flask) -> None:
    operations = {
        f"{method} {path}": {parameter["name"] for parameter in about["parameters"]}
        for path, methods in document(app)["paths"].items()
        for method, about in methods.items()
    }
    assert {name for name, parameters in operations.items() if "filter" in parameters} == set(TABLE)
    assert all(name.startswith("delete ") for name in set(operations) - set(TABLE))


@pytest.mark.parametrize("operation", TABLE)
def test_a_filter_leaves_what_was_asked_for(cast: Cast, program: NewProgram, operation: str) -> None:
    alice, (method, _, path), (field, body) = program("alice"), operation.partition(" "), TABLE[operation]
    named = places(alice, cast, operation)
    if body and "room_id" in body:
        body = {**body, "room_id": cast.board}
    answer = alice.call(method.upper(), f"{path.format(**named)}?filter={field}", body)
    assert answer.status_code in {200, 201}, answer.text
    things = answer.json["data"] if isinstance(answer.json["data"], list) else [answer.json["data"]]
    assert things
    for thing in things:
        assert set(thing) == {*KNOWN_BY_ID.get(thing["object"], {"object", "id"}), field}


@pytest.mark.parametrize("operation", [name for name in TABLE if not name.startswith("get ")])
def test_what_asks_for_no_field_that_there_is_changes_nothing(cast: Cast, program: NewProgram, operation: str) -> None:
    alice, (method, _, path), (_, body) = program("alice"), operation.partition(" "), TABLE[operation]
    named = places(alice, cast, operation)
    before = alice.get("/rooms?include=tokens,access_codes,users,room_status&orderBy=id").json["data"]
    answer = alice.call(method.upper(), f"{path.format(**named)}?filter=colour", body)
    assert answer.status_code == 422, answer.text
    assert list(answer.json["errors"]) == ["filter"]
    assert alice.get("/rooms?include=tokens,access_codes,users,room_status&orderBy=id").json["data"] == before


@pytest.mark.parametrize("path", [f"{ROOM}/tokens/{{token_id}}", ROOM, HOOK, "/api/v1/logout"])
def test_of_what_answers_with_nothing_nothing_can_be_asked(cast: Cast, program: NewProgram, path: str) -> None:
    alice = program("alice")
    address = path.format(**places(alice, cast, path))
    answer = alice.delete(f"{address}?filter=id")
    assert answer.status_code == 422, answer.text
    assert list(answer.json["errors"]) == ["filter"]
    assert alice.delete(address).status_code == 204
