"""`filter` counts for every answer with a thing in it, and where there is none, nothing can be asked for."""

from typing import Any

import pytest
from flask import Flask

from portal.db import transaction
from portal.people.actor import actor_of
from portal.videos.caption_files import read_captions
from portal.videos.captions import set_captions
from portal.videos.models import VideoState
from portal.videos.preparation import queue_preparation
from tests.api.authorization.table import filled
from tests.api.conftest import NewProgram, Program
from tests.api.test_openapi import document
from tests.cast import Cast, new_recording
from tests.presentations import take_presentations
from tests.video_room import new_ready_video, new_video_room

CAPTIONS = {"language": "de", "text": "WEBVTT\n\n00:01.000 --> 00:02.000\nHallo\n"}
ROOM = "/api/v1/rooms/{room_id}"
HOOK = "/api/v1/webhooks/{webhook_id}"
PACKAGE = "/api/v1/service-packages/{package_id}"
CUSTOMER = "/api/v1/customers/{customer_id}"
ADDRESS = {"address_type": "BillingAddress", "city": "Berlin", "address_line1": "Am Ufer 1"}
TELEPHONE = {"telephone_type": "mobile", "number": "+49 30 901820"}
DOCUMENT = {"type": "other", "value": "1"}
SOLD = "/api/v1/subscriptions/{subscription_id}"
PROVIDER = "/api/v1/service-providers/{provider_id}"
HOOKED = {"url": "https://hooks.example/room", "events": ["room.ended"]}
SOMEBODY = {"email": "new@demo.example", "name": "New"}
HOLDER = {"user_id": "{user_id}", "roles_ids": ["{role_id}"]}
PERMITTED = {"role_id": "{role_id}", "permissions_ids": ["staff:rooms:update", "staff:rooms:read"]}
BUILT_IN = {"provider_name": "Conferences", "provider_type": "mesh", "service_type": "meet"}
PACKAGED = {
    "name": "Meet Plus", "service_type": "meet", "currency": "EUR", "periodicity": 1, "periodicity_type": "month",
}  # fmt: skip
UPLOAD = object()
"""A form with a file, instead of JSON."""
TABLE: dict[str, tuple[str, Any]] = {  # operation → a field to ask for, and the body
    "get /api/v1/accounts": ("account_name", None),
    "post /api/v1/accounts": ("account_name", {"subscription_id": "{subscription_id}", "account_name": "Events"}),
    "get /api/v1/accounts/{account_id}": ("account_name", None),
    "patch /api/v1/accounts/{account_id}": ("account_name", {"account_name": "Events"}),
    "get /api/v1/accounts/{account_id}/users": ("email", None),
    "post /api/v1/accounts/{account_id}/users": ("email", {"email": "bob@demo.example"}),
    "patch /api/v1/accounts/{account_id}/users/{user_id}": ("email", {"permissions": ["usage:view"]}),
    "get /api/v1/audit-events": ("action", None),
    "get /api/v1/admins": ("email", None),
    "post /api/v1/admins": ("email", {**SOMEBODY, "roles_ids": ["{role_id}"]}),
    "get /api/v1/admins/{admin_id}": ("email", None),
    "patch /api/v1/admins/{admin_id}": ("email", {"name": "Renamed"}),
    "get /api/v1/customers": ("email", None),
    "post /api/v1/customers": ("email", {"company_name": "Initech", "email": "peter@initech.example"}),
    "get /api/v1/customers/{customer_id}": ("email", None),
    "patch /api/v1/customers/{customer_id}": ("email", {"country": "DE"}),
    "get /api/v1/customers/{customer_id}/users": ("email", None),
    "post /api/v1/customers/{customer_id}/users": ("email", {"email": "bob@demo.example"}),
    "patch /api/v1/customers/{customer_id}/users/{user_id}": ("email", {"permissions": ["usage:view"]}),
    f"get {CUSTOMER}/addresses": ("city", None),
    f"post {CUSTOMER}/addresses": ("city", ADDRESS),
    f"get {CUSTOMER}/addresses/{{address_id}}": ("city", None),
    f"patch {CUSTOMER}/addresses/{{address_id}}": ("city", {"city": "Kiel"}),
    f"get {CUSTOMER}/telephones": ("number", None),
    f"post {CUSTOMER}/telephones": ("number", TELEPHONE),
    f"get {CUSTOMER}/telephones/{{telephone_id}}": ("number", None),
    f"patch {CUSTOMER}/telephones/{{telephone_id}}": ("number", {"number": "+49 30 901821"}),
    f"get {CUSTOMER}/legal-documents": ("value", None),
    f"post {CUSTOMER}/legal-documents": ("value", DOCUMENT),
    f"get {CUSTOMER}/legal-documents/{{document_id}}": ("value", None),
    f"patch {CUSTOMER}/legal-documents/{{document_id}}": ("value", {"value": "2"}),
    "get /api/v1/features": ("code", None),
    "get /api/v1/permissions": ("display_name", None),
    "post /api/v1/permissions/attach": ("name", PERMITTED),
    "post /api/v1/permissions/detach": ("name", PERMITTED),
    "post /api/v1/permissions/sync": ("name", PERMITTED),
    "get /api/v1/roles": ("name", None),
    "post /api/v1/roles": ("name", {"name": "sales-team", "permissions_ids": ["staff:rooms:read"]}),
    "get /api/v1/roles/{role_id}": ("name", None),
    "patch /api/v1/roles/{role_id}": ("name", {"description": "Take customers on."}),
    "post /api/v1/roles/assign": ("email", HOLDER),
    "post /api/v1/roles/revoke": ("email", HOLDER),
    "post /api/v1/roles/sync": ("email", HOLDER),
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
    f"get {ROOM}/presentation": ("size", None),
    f"put {ROOM}/presentation": ("size", UPLOAD),
    f"get {ROOM}/recordings": ("formats", None),
    f"get {ROOM}/recordings/{{recording_id}}": ("formats", None),
    f"patch {ROOM}/recordings/{{recording_id}}": ("formats", {"name": "Annual meeting"}),
    f"get {ROOM}/videos": ("views", None),
    f"post {ROOM}/videos": ("views", {"name": "Film", "size": 10}),
    f"get {ROOM}/videos/{{video_id}}": ("views", None),
    f"patch {ROOM}/videos/{{video_id}}": ("views", {"name": "Other"}),
    f"post {ROOM}/videos/{{video_id}}/cancel": ("views", None),
    f"post {ROOM}/videos/{{video_id}}/retry": ("views", None),
    f"get {ROOM}/videos/{{video_id}}/captions": ("language", None),
    f"post {ROOM}/videos/{{video_id}}/captions": ("language", CAPTIONS),
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
    "get /api/v1/service-packages": ("currency", None),
    "post /api/v1/service-packages": ("currency", PACKAGED),
    f"get {PACKAGE}": ("currency", None),
    f"patch {PACKAGE}": ("currency", {"tier": 7}),
    f"get {PACKAGE}/features": ("value", None),
    f"post {PACKAGE}/features": ("value", {"service_feature_code": "max_rooms", "value": 10}),
    f"get {PACKAGE}/features/{{code}}": ("value", None),
    f"patch {PACKAGE}/features/{{code}}": ("value", {"value": 20}),
    f"get {PACKAGE}/providers": ("default", None),
    f"post {PACKAGE}/providers": ("default", {"service_provider_id": "{provider_id}"}),
    f"get {PACKAGE}/providers/{{one_id}}": ("default", None),
    f"patch {PACKAGE}/providers/{{one_id}}": ("default", {"default": True}),
    "get /api/v1/service-providers": ("provider_name", None),
    "post /api/v1/service-providers": ("provider_name", BUILT_IN),
    "post /api/v1/service-providers/test": ("tested", {"provider_type": "mesh", "properties": {}}),
    f"get {PROVIDER}": ("provider_name", None),
    f"patch {PROVIDER}": ("provider_name", {"draining": True}),
    f"get {PROVIDER}/health": ("down_since", None),
    f"post {PROVIDER}/test": ("tested", None),
    "get /api/v1/subscriptions": ("feature_values", None),
    "post /api/v1/subscriptions": ("tag", {"package_id": "{package_id}", "subscriber_id": "{customer_id}"}),
    f"get {SOLD}": ("feature_values", None),
    f"patch {SOLD}": ("price", {"tier": 7}),
    f"post {SOLD}/renew": ("status", {"renew": True}),
    f"post {SOLD}/cancel": ("status", {"cancel": True, "cancel_now": True}),
    f"get {SOLD}/usage": ("used", None),
    f"get {SOLD}/features": ("value", None),
    f"post {SOLD}/features": ("value", {"service_feature_code": "max_participants", "value": 10}),
    f"get {SOLD}/features/{{code}}": ("value", None),
    f"patch {SOLD}/features/{{code}}": ("value", {"value": 20}),
    f"post {SOLD}/features/sync": ("value", {"sync": True}),
    f"get {SOLD}/providers": ("default", None),
    f"post {SOLD}/providers": ("default", {"package_provider_id": "{spare_id}"}),
    f"get {SOLD}/providers/{{provider_id}}": ("default", None),
    f"patch {SOLD}/providers/{{provider_id}}": ("default", {"metadata": {"region": "eu"}}),
    "get /api/v1/users": ("email", None),
    "post /api/v1/users": ("email", SOMEBODY),
    "get /api/v1/users/{user_id}": ("email", None),
    "patch /api/v1/users/{user_id}": ("email", {"name": "Renamed"}),
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


STAFF = (
    "accounts", "admins", "audit-events", "customers", "permissions", "roles", "service-packages", "service-providers",
    "subscriptions", "users",
)  # fmt: skip
"""What the staff's program is tried on; on everything else that of an owner."""
LISTS = (
    "/accounts",
    "/admins?include=roles",
    "/customers",
    "/roles?include=permissions",
    "/service-packages?include=features,providers",
    "/service-providers",
    "/subscriptions?limit=100",
    "/users?include=roles",
)


def first(program: Program, path: str) -> str:
    return str(program.get(path).json["data"][0]["id"])


def made(program: Program, path: str, body: Any = None) -> str:
    answer = program.post(path, body)
    assert answer.status_code in {200, 201}, answer.text
    return str(answer.json["data"]["id"])


def caller(program: NewProgram, operation: str) -> Program:
    """Whose program calls the operation."""
    return program("admin" if operation.split("/")[3] in STAFF else "alice")


def film_places(cast: Cast, operation: str) -> dict[str, str]:
    """A room of videos, with a video on which this operation can be done."""
    with cast.app.app_context(), transaction():
        films = new_video_room()
        video = new_ready_video(cast.app, films)
        if "retry" in operation:
            video.state = VideoState.FAILED
        if "cancel" in operation:
            queue_preparation(video, by=None)
        captions = read_captions(CAPTIONS["text"].encode())
        set_captions(video=video, by=actor_of(films.owner), captions=captions, language="en")
        return {"room_id": films.id, "video_id": video.id}


def places(by: Program, cast: Cast, operation: str) -> dict[str, str]:
    """What stands in the addresses and bodies: one thing of each kind that the operation names."""
    if operation.split("/")[3] in STAFF:
        return platform_places(by, operation)
    room = f"/rooms/{cast.board}"
    found = {"room_id": cast.board}
    if "token" in operation:
        found["token_id"] = made(by, f"{room}/tokens", {"role": "attendee"})
    if "code" in operation:
        found["code_id"] = made(by, f"{room}/access-codes", {"role": "moderator"})
    if "user" in operation:
        found["user_id"] = next(one["id"] for one in by.get(f"{room}/users").json["data"] if not one["owner"])
    if "session" in operation:
        made(by, f"{room}/start")
        found["session_id"] = first(by, f"{room}/sessions")
    if "videos" in operation:
        found |= film_places(cast, operation)
    if "recording" in operation:
        with cast.app.app_context(), transaction():
            found["recording_id"] = new_recording(room=cast.room()).id
    if "presentation" in operation:
        take_presentations(cast)
        assert by.upload(f"{room}/presentation").status_code == 200
    if "webhook" in operation:
        found["webhook_id"] = made(by, "/webhooks", {**HOOKED, "room_id": cast.board})
        found["delivery_id"] = made(by, f"/webhooks/{found['webhook_id']}/test")
    return found


def platform_places(ada: Program, operation: str) -> dict[str, str]:
    """The same for what the staff's program is tried on."""
    role = made(ada, "/roles", {"name": "clerks"})
    clerk = {"email": "clerk@demo.example", "name": "Clerk", "roles_ids": [role]}
    found = {"role_id": role, "admin_id": made(ada, "/admins", clerk)}
    found["user_id"] = found["admin_id"]
    for noun in ("account", "customer", "subscription"):
        found[f"{noun}_id"] = first(ada, f"/{noun}s")
        if operation.endswith(f"/{{{noun}_id}}/users/{{user_id}}"):
            made(ada, f"/{noun}s/{found[f'{noun}_id']}/users", {"email": "clerk@demo.example"})
    for noun, name, body in (
        ("addresses", "address_id", ADDRESS),
        ("telephones", "telephone_id", TELEPHONE),
        ("legal-documents", "document_id", DOCUMENT),
    ):
        if f"/{noun}" in operation:
            found[name] = made(ada, f"/customers/{found['customer_id']}/{noun}", body)
    if "service" in operation or "/subscriptions" in operation:
        used = first(ada, "/service-providers")
        found["package_id"] = made(ada, "/service-packages", {**PACKAGED, "service_provider_id": used})
        found["provider_id"] = made(ada, "/service-providers", BUILT_IN)
        package = f"/service-packages/{found['package_id']}"
        found["code"] = made(ada, f"{package}/features", {"service_feature_code": "max_duration", "value": 60})
        found["one_id"] = first(ada, f"{package}/providers")
    if "/subscriptions" in operation:
        made(ada, f"{package}/features", {"service_feature_code": "max_rooms", "value": 2})
        sale = {"package_id": found["package_id"], "subscriber_id": found["customer_id"]}
        found["subscription_id"] = made(ada, "/subscriptions", sale)
        found["spare_id"] = made(ada, f"{package}/providers", {"service_provider_id": found["provider_id"]})
        found["provider_id"] = first(ada, f"/subscriptions/{found['subscription_id']}/providers")
    return found


def sent(by: Program, method: str, address: str, body: Any, named: dict[str, str]) -> Any:
    """The answer to this operation."""
    if body is UPLOAD:
        return by.upload(address)
    return by.call(method.upper(), address, filled(body, named))


def stored(program: NewProgram) -> list[Any]:
    """What the operations could have changed, as it is read."""
    rooms = program("alice").get("/rooms?include=tokens,access_codes,users,room_status&orderBy=id")
    ada = program("admin")
    return [rooms.json["data"], *(ada.get(path).json["data"] for path in LISTS)]


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
    by, (method, _, path), (field, body) = caller(program, operation), operation.partition(" "), TABLE[operation]
    named = places(by, cast, operation)
    answer = sent(by, method, f"{path.format(**named)}?filter={field}", body, named)
    assert answer.status_code in {200, 201}, answer.text
    things = answer.json["data"] if isinstance(answer.json["data"], list) else [answer.json["data"]]
    assert things
    for thing in things:
        assert set(thing) == {*KNOWN_BY_ID.get(thing["object"], {"object", "id"}), field}


@pytest.mark.parametrize("operation", [name for name in TABLE if not name.startswith("get ")])
def test_what_asks_for_no_field_that_there_is_changes_nothing(cast: Cast, program: NewProgram, operation: str) -> None:
    by, (method, _, path), (_, body) = caller(program, operation), operation.partition(" "), TABLE[operation]
    named = places(by, cast, operation)
    before = stored(program)
    answer = sent(by, method, f"{path.format(**named)}?filter=colour", body, named)
    assert answer.status_code == 422, answer.text
    assert list(answer.json["errors"]) == ["filter"]
    assert stored(program) == before


@pytest.mark.parametrize("path", [f"{ROOM}/tokens/{{token_id}}", ROOM, HOOK, "/api/v1/logout"])
def test_of_what_answers_with_nothing_nothing_can_be_asked(cast: Cast, program: NewProgram, path: str) -> None:
    alice = program("alice")
    address = path.format(**places(alice, cast, path))
    answer = alice.delete(f"{address}?filter=id")
    assert answer.status_code == 422, answer.text
    assert list(answer.json["errors"]) == ["filter"]
    assert alice.delete(address).status_code == 204
