"""Users, administrators, roles and permissions over the API: what is answered, and what is refused by which field."""

from typing import Any

import pytest
import sqlalchemy as sa

from portal.api.v1.core import responses
from portal.audit.models import AuditEvent
from portal.db import lock, session, transaction
from portal.people.models import User, user_platform_roles
from portal.people.operations import create_user, make_admin
from portal.people.staff import StaffPermission
from portal.scopes import Scope
from tests.api.conftest import NewProgram, Program
from tests.cast import Cast
from tests.conftest import BOTH

SALES = ["staff:customers:read", "staff:customers:create"]


@pytest.fixture
def ada(program: NewProgram) -> Program:
    return program("admin")


def new_role(ada: Program, name: str = "sales-team", **more: object) -> str:
    made = ada.post("/roles", {"name": name, "permissions_ids": SALES, **more})
    assert made.status_code == 201, made.text
    return str(made.json["data"]["id"])


def held_by(ada: Program, role: str) -> list[str]:
    answer = ada.get(f"/roles/{role}?include=permissions").json["data"]
    return [one["id"] for one in answer["permissions"]["data"]]


def test_a_role_from_making_to_deleting_it(ada: Program) -> None:
    made = ada.post("/roles", {"name": "sales-team", "description": "They sell.", "permissions_ids": SALES})
    assert made.status_code == 201
    role = made.json["data"]
    assert made.headers["Location"].endswith(f"/api/v1/roles/{role['id']}")
    assert (role["object"], role["display_name"], role["builtin"]) == ("Role", "Sales team", False)
    assert held_by(ada, role["id"]) == ["dashboard:access", *SALES]
    changed = ada.patch(f"/roles/{role['uuid']}", {"display_name": "Sellers"}, If_Match=made.headers["ETag"])
    assert (changed.status_code, changed.json["data"]["display_name"]) == (200, "Sellers")
    assert ada.patch(f"/roles/{role['id']}", {"description": ""}, If_Match=made.headers["ETag"]).status_code == 412
    assert ada.patch(f"/roles/{role['id']}", {"name": "other"}).json["errors"] == {"name": ["This is read-only."]}
    assert [ada.delete(f"/roles/{role['ulid']}").status_code for _ in range(2)] == [204, 404]


def test_what_a_role_cannot_be_is_said_by_field(ada: Program) -> None:
    new_role(ada)
    for body, field in (
        ({"name": "Sales Team"}, "name"),
        ({"name": "sales-team"}, "name"),
        ({"name": "blind", "permissions_ids": ["staff:rooms:update"]}, "permissions_ids"),
        ({"name": "odd", "permissions_ids": ["staff:everything"]}, "permissions_ids"),
    ):
        answer = ada.post("/roles", body)
        assert (answer.status_code, list(answer.json["errors"])) == (422, [field]), answer.text


def test_the_built_in_role_holds_everything_and_stays(ada: Program) -> None:
    admin = next(role["id"] for role in ada.get("/roles").json["data"] if role["builtin"])
    assert held_by(ada, admin) == list(StaffPermission)
    assert ada.patch(f"/roles/{admin}", {"display_name": "Boss"}).status_code == 409
    assert ada.delete(f"/roles/{admin}").status_code == 409
    detached = ada.post("/permissions/detach", {"role_id": admin, "permissions_ids": SALES})
    assert detached.status_code == 409


def test_permissions_are_attached_detached_and_synced(ada: Program) -> None:
    role = new_role(ada)
    for verb, ids, then in (
        ("attach", ["staff:audit:read"], [*SALES, "staff:audit:read"]),
        ("detach", ["staff:audit:read", "dashboard:access"], SALES),
        ("sync", ["staff:rooms:read"], ["staff:rooms:read"]),
    ):
        answer = ada.post(f"/permissions/{verb}", {"role_id": role, "permissions_ids": ids})
        assert answer.status_code == 200, answer.text
        assert held_by(ada, role) == ["dashboard:access", *then]
    refused = ada.post("/permissions/detach", {"role_id": new_role(ada, "second"), "permissions_ids": SALES[:1]})
    assert list(refused.json["errors"]) == ["permissions_ids"]
    unknown = ada.post("/permissions/sync", {"role_id": "1111111111", "permissions_ids": []})
    assert list(unknown.json["errors"]) == ["role_id"]


def test_the_catalogue_says_what_each_permission_needs(ada: Program) -> None:
    found = {one["id"]: one for one in ada.get("/permissions").json["data"]}
    assert list(found) == list(StaffPermission)
    assert found["staff:rooms:update"]["needs"] == "staff:rooms:read"
    assert found["dashboard:access"]["needs"] is None


def test_roles_are_assigned_revoked_and_synced(ada: Program, cast: Cast) -> None:
    first, second = new_role(ada), new_role(ada, "support")
    with cast.app.app_context():
        bob = cast.user("bob").id

    def roles(verb: str, *ids: str) -> list[str]:
        answer = ada.post(f"/roles/{verb}?include=roles", {"user_id": bob, "roles_ids": ids})
        assert answer.status_code == 200, answer.text
        return [role["id"] for role in answer.json["data"]["roles"]["data"]]

    assert roles("assign", first) == [first]
    assert roles("assign", second) == [first, second]
    assert roles("revoke", first) == [second]
    assert roles("sync", first) == [first]
    assert ada.delete(f"/roles/{first}").status_code == 409
    wrong = ada.post("/roles/assign", {"user_id": bob, "roles_ids": [first, "1111111111"]})
    assert (wrong.status_code, list(wrong.json["errors"])) == (422, ["roles_ids"])
    nobody = ada.post("/roles/assign", {"user_id": "1111111111", "roles_ids": [first]})
    assert (nobody.status_code, list(nobody.json["errors"])) == (422, ["user_id"])


@BOTH
def test_roles_count_as_a_change_of_who_holds_them_and_are_read_anew_by_who_waited(
    ada: Program, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = new_role(ada), new_role(ada, "support")
    with cast.app.app_context():
        bob = cast.user("bob").id
    assert ada.post("/roles/assign", {"user_id": bob, "roles_ids": [first]}).status_code == 200
    before = ada.get(f"/admins/{bob}").headers["ETag"]
    assert ada.post("/roles/assign", {"user_id": bob, "roles_ids": [second]}).status_code == 200
    assert ada.patch(f"/admins/{bob}", {"roles_ids": [first]}, If_Match=before).status_code == 412

    def wait_for_another(thing: User, **options: bool) -> None:
        session.execute(sa.delete(user_platform_roles).where(user_platform_roles.c.user_uuid == thing.uuid))
        lock(thing, **options)

    monkeypatch.setattr(responses, "lock", wait_for_another)
    answer = ada.patch(f"/admins/{bob}?include=roles", {"roles_ids": [second]}, If_Match="*")
    assert answer.status_code == 200, answer.text
    assert [role["id"] for role in answer.json["data"]["roles"]["data"]] == [second]


def test_a_user_is_made_with_a_link_that_is_told_once(ada: Program) -> None:
    made = ada.post("/users", {"email": "Eve@X.example", "name": "Eve", "timezone": "Europe/Berlin"})
    assert made.status_code == 201
    eve = made.json["data"]
    assert "/set-password?token=" in eve["password_link"]
    shown = ada.get(f"/users/{eve['id']}").json["data"]
    assert "password_link" not in shown
    assert (shown["email"], shown["status"], shown["password_set"]) == ("eve@x.example", "active", False)
    taken = ada.post("/users", {"email": "eve@x.example", "name": "Eve"})
    assert (taken.status_code, list(taken.json["errors"])) == (422, ["email"])


def test_programs_store_metadata_with_users_and_administrators(ada: Program, cast: Cast) -> None:
    made = ada.post("/users", {"email": "eve@x.example", "name": "Eve", "metadata": {"crm": 7}}).json["data"]
    assert made["metadata"] == {"crm": 7}
    own = f"/admins/{ada.get('/admins').json['data'][0]['id']}"
    assert ada.get(own).json["data"]["metadata"] == {}
    assert ada.patch(own, {"metadata": {"desk": {"floor": 2}}}).json["data"]["metadata"] == {"desk": {"floor": 2}}
    nested = ada.patch(f"/users/{made['id']}", {"metadata": {"crm": {"id": [1]}}})
    assert (nested.status_code, list(nested.json["errors"])) == (422, ["metadata"])
    with cast.app.app_context():
        changed = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "user.changed")).all()
    assert [event.details["user_metadata_after"] for event in changed] == [{"crm": 7}, {"desk": {"floor": 2}}]
    assert ada.delete(f"/users/{made['id']}").status_code == 204


def test_a_user_is_switched_off_and_on_and_deleted(ada: Program, program: NewProgram, cast: Cast) -> None:
    bob = program("bob")
    with cast.app.app_context():
        address = f"/users/{cast.user('bob').id}"
    changed = ada.patch(address, {"status": "inactive", "name": "Robert"}).json["data"]
    assert (changed["status"], changed["name"]) == ("inactive", "Robert")
    assert bob.get("/rooms").status_code == 401
    assert ada.patch(address, {"status": "active"}).json["data"]["status"] == "active"
    assert bob.get("/rooms").status_code == 200
    assert [ada.delete(address).status_code for _ in range(2)] == [204, 404]
    assert bob.get("/rooms").status_code == 401
    assert not any("Robert" in str(user) for user in ada.get("/users").json["data"])


def test_administrators_are_users_with_roles(ada: Program, cast: Cast) -> None:
    role, own = new_role(ada), ada.get("/admins").json["data"][0]
    made = ada.post("/admins", {"email": "bob@demo.example", "name": "Somebody", "roles_ids": [role]})
    assert made.status_code == 201
    bob = made.json["data"]
    assert (bob["object"], bob["name"], bob["roles_ids"]) == ("Admin", "Bob Fischer", [role])
    assert "password_link" not in bob  # he has a password
    assert len(ada.get("/admins").json["data"]) == 2
    assert ada.delete(f"/admins/{bob['id']}").status_code == 204
    assert ada.get(f"/admins/{bob['id']}").status_code == 404
    assert ada.get(f"/users/{bob['id']}").status_code == 200
    for refused in (ada.delete(f"/admins/{own['id']}"), ada.patch(f"/admins/{own['id']}", {"status": "inactive"})):
        assert refused.status_code == 403  # his own
    assert ada.post("/admins", {"email": "x@x.example", "name": "X", "roles_ids": []}).status_code == 422


def test_whoever_only_makes_people_gets_no_link_of_somebody_who_was_there(
    ada: Program, program: NewProgram, cast: Cast
) -> None:
    role = new_role(ada, "hires", permissions_ids=["staff:users:read", "staff:users:create"])
    with cast.app.app_context(), transaction():
        bob = cast.user("bob").id
        create_user(email="owner@x.example", name="Owner")
        make_admin(create_user(email="boss@x.example", name="Boss"))
    assert ada.post("/roles/assign", {"user_id": bob, "roles_ids": [role]}).status_code == 200
    hires = program("bob", Scope.PEOPLE_READ, Scope.PEOPLE_WRITE, Scope.ADMIN)

    def hired(name: str) -> Any:  # a response whose `json` is there
        return hires.post("/admins", {"email": f"{name}@x.example", "name": name, "roles_ids": [role]})

    assert hired("boss").status_code == 403
    assert "password_link" not in hired("owner").json["data"]
    assert "password_link" in hired("new").json["data"]


def test_nobody_takes_over_the_sign_in_of_somebody_who_may_do_more(
    ada: Program, program: NewProgram, cast: Cast
) -> None:
    clerk = new_role(ada, "clerks", permissions_ids=["staff:users:read", "staff:users:update"])
    with cast.app.app_context(), transaction():
        bob, admin = cast.user("bob").id, cast.user("admin").id
        session.flush()
    assert ada.post("/roles/assign", {"user_id": bob, "roles_ids": [clerk]}).status_code == 200
    weak = program("bob", *{"people.read", "people.write", "admin"})
    assert weak.patch(f"/users/{admin}", {"email": "mine@x.example"}).status_code == 403
    assert weak.post("/roles/revoke", {"user_id": admin, "roles_ids": [clerk]}).status_code == 200  # changes nothing
