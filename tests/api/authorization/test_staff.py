"""Who may do what with users, administrators, roles and permissions: staff only, and everybody else finds nothing."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from portal.app import create_app
from portal.db import db, transaction
from portal.edge.guard import STAMP
from portal.edge.staff_guard import STAFF
from portal.people.models import PlatformRole
from portal.people.staff import StaffPermission
from portal.scopes import Scope
from tests.api.authorization.conftest import World
from tests.api.authorization.table import Line, check, each, table
from tests.api.conftest import NewProgram
from tests.cast import Cast, Client
from tests.conftest import settings_for

USERS = table(
    """
    needs  method  address                        nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    -      GET     /users                           401    200   404     403   404   404   404     404     403
    -      POST    /users                           401    201   404     403   404   404   404     404     403
    -      GET     /users/{person}                  401    200   404     403   404   404   404     404     403
    -      PATCH   /users/{person}                  401    200   404     403   404   404   404     404     403
    -      DELETE  /users/{person}                  401    204   404     403   404   404   404     404     403
    -      DELETE  /users/{owner}                   401    409   404     403   404   404   404     404     403
    -      GET     /users/1111111111                401    404   404     403   404   404   404     404     403

    -      GET     /admins                          401    200   404     403   404   404   404     404     403
    -      POST    /admins                          401    201   404     403   404   404   404     404     403
    -      GET     /admins/{clerk}                  401    200   404     403   404   404   404     404     403
    -      GET     /admins/{person}                 401    404   404     403   404   404   404     404     403
    -      PATCH   /admins/{clerk}                  401    200   404     403   404   404   404     404     403
    -      DELETE  /admins/{clerk}                  401    204   404     403   404   404   404     404     403
    """,
    {
        "POST /users": {"email": "new-{role}@demo.example", "name": "New"},
        "PATCH /users/{person}": {"name": "Renamed"},
        "POST /admins": {"email": "new-{role}@demo.example", "name": "New", "roles_ids": ["{role}"]},
        "PATCH /admins/{clerk}": {"status": "inactive"},
    },
)
ROLES = table(
    """
    needs  method  address                        nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    -      GET     /roles                           401    200   404     403   404   404   404     404     403
    -      POST    /roles                           401    201   404     403   404   404   404     404     403
    -      GET     /roles/{role}                    401    200   404     403   404   404   404     404     403
    -      PATCH   /roles/{role}                    401    200   404     403   404   404   404     404     403
    -      DELETE  /roles/{role}                    401    204   404     403   404   404   404     404     403
    -      DELETE  /roles/{held_role}               401    409   404     403   404   404   404     404     403
    -      POST    /roles/assign                    401    200   404     403   404   404   404     404     403
    -      POST    /roles/revoke                    401    200   404     403   404   404   404     404     403
    -      POST    /roles/sync                      401    200   404     403   404   404   404     404     403
    -      GET     /permissions                     401    200   404     403   404   404   404     404     403
    -      POST    /permissions/attach              401    200   404     403   404   404   404     404     403
    -      POST    /permissions/detach              401    200   404     403   404   404   404     404     403
    -      POST    /permissions/sync                401    200   404     403   404   404   404     404     403
    """,
    {
        "POST /roles": {"name": "new-team", "permissions_ids": ["staff:rooms:read"]},
        "POST /roles/assign": {"user_id": "{person}", "roles_ids": ["{role}"]},
        "POST /roles/revoke": {"user_id": "{clerk}", "roles_ids": ["{held_role}"]},
        "POST /roles/sync": {"user_id": "{person}", "roles_ids": ["{role}"]},
        "POST /permissions/attach": {"role_id": "{role}", "permissions_ids": ["staff:rooms:read"]},
        "POST /permissions/detach": {"role_id": "{role}", "permissions_ids": ["staff:rooms:read"]},
        "POST /permissions/sync": {"role_id": "{role}", "permissions_ids": ["staff:rooms:read"]},
    },
)


@pytest.fixture
def app(database: str, tmp_path: Path) -> Iterator[Flask]:
    """A portal that answers one program as often as it takes to try every operation."""
    app = create_app(settings_for(database, tmp_path, api_rate="10000 per minute"))
    app.test_client_class = Client
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@each(USERS)
def test_users(world: World, line: Line) -> None:
    check(world, line)


@each(ROLES)
def test_roles(world: World, line: Line) -> None:
    check(world, line)


@pytest.mark.parametrize("missing", [StaffPermission.DASHBOARD_ACCESS, None])
def test_staff_without_the_permission_is_told_which_is_missing(
    app: Flask, cast: Cast, program: NewProgram, missing: StaffPermission | None
) -> None:
    """Bob may read rooms, or everything but open the admin's pages: each operation of staff is closed to him."""
    held = {*StaffPermission} - {missing} if missing else {StaffPermission.DASHBOARD_ACCESS, StaffPermission.ROOMS_READ}
    with app.app_context(), transaction():
        cast.user("bob").platform_roles = [PlatformRole(name="helpers", permissions=sorted(held))]
    bob, tried = program("bob", *Scope), 0
    for rule in app.url_map.iter_rules():
        door = getattr(app.view_functions[rule.endpoint], STAMP)
        if rule.rule.startswith("/api/") and door.startswith(STAFF) and door != f"{STAFF}{StaffPermission.ROOMS_READ}":
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                answer = bob.call(method, re.sub(r"<[^>]+>", "1111111111", rule.rule))
                needed = missing or StaffPermission(door.removeprefix(STAFF))
                assert answer.status_code == 403, f"{method} {rule.rule}: {answer.text}"
                assert f"“{needed.label}”" in answer.json["message"], f"{method} {rule.rule}"
                tried += 1
    assert tried > 20
