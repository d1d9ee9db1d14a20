"""Each kind of person against every route of the admin's pages."""

import re

import pytest
from flask import Flask

from portal.edge.guard import STAMP
from portal.people.staff import StaffPermission
from tests.cast import Cast, Client
from tests.web.admin.staffing import with_role

NOTHING = "1111111111"
"""An id that no row has."""


def admin_routes(app: Flask) -> list[tuple[str, str, str]]:
    """(method, path, door) of each route below `/admin`. Ids in the paths are of nothing."""
    routes = []
    for rule in app.url_map.iter_rules():
        if rule.rule == "/admin" or rule.rule.startswith("/admin/"):
            path = re.sub(r"<[^>]+>", NOTHING, rule.rule)
            door = getattr(app.view_functions[rule.endpoint], STAMP, "")
            routes += [(method, path, door) for method in sorted((rule.methods or set()) & {"GET", "POST"})]
    return routes


def ask(client: Client, method: str, path: str) -> int:
    if method == "GET":
        return client.get(path).status_code
    return client.post(path, data={"csrf_token": client.token("/me")}).status_code


def test_every_page_of_staff_names_the_permission_that_it_needs(app: Flask) -> None:
    routes = admin_routes(app)
    assert len(routes) > 2
    assert [path for _, path, door in routes if door.removeprefix("staff ") not in set(StaffPermission)] == []


@pytest.mark.parametrize("name", ["alice", "bob", "charlie"])
def test_whoever_is_no_staff_cannot_find_any_of_them(cast: Cast, name: str) -> None:
    client = cast.sign_in(name)
    assert {ask(client, method, path) for method, path, _ in admin_routes(cast.app)} == {404}


def test_nobody_is_asked_to_sign_in(cast: Cast) -> None:
    client = cast.browser()
    for _, path, _ in (route for route in admin_routes(cast.app) if route[0] == "GET"):
        answer = client.get(path)
        assert (answer.status_code, answer.location.split("?")[0]) == (303, "/sign-in"), path


def test_staff_without_the_permission_are_told_which_is_missing(cast: Cast) -> None:
    bob = with_role(cast, "bob", StaffPermission.DASHBOARD_ACCESS, StaffPermission.ROOMS_READ)
    assert bob.get("/admin").status_code == 200
    opened = {"staff dashboard:access", "staff staff:rooms:read"}
    closed = [route for route in admin_routes(cast.app) if route[2] not in opened]
    assert {ask(bob, method, path) for method, path, _ in closed} == {403}
    assert "None of your roles holds the permission “People: read”" in bob.get("/admin/staff").text


def test_a_role_without_the_admin_pages_opens_none_of_them(cast: Cast) -> None:
    bob = with_role(cast, "bob", StaffPermission.USERS_READ)
    assert {ask(bob, method, path) for method, path, _ in admin_routes(cast.app)} == {403}
    assert "Admin pages: open" in bob.get("/admin/staff").text


def test_the_admin_finds_all_of_them_but_nothing_where_there_is_nothing(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    for method, path, _ in admin_routes(cast.app):
        if method == "GET":
            assert ask(ada, method, path) == (404 if NOTHING in path else 200), path


def test_the_navigation_leads_where_the_reader_may_go(cast: Cast) -> None:
    def entries(client: Client) -> list[str]:
        nav = re.search(r'<nav class="topnav.*?</nav>', client.get("/manage/rooms").text, re.DOTALL)
        assert nav
        return re.findall(r"<a [^>]*>([^<]*)</a>", nav[0])

    assert entries(cast.sign_in("alice")) == ["Rooms"]
    bob = with_role(cast, "bob", StaffPermission.DASHBOARD_ACCESS)
    assert entries(bob) == ["Home", "Rooms"]
    assert bob.get("/admin/rooms").status_code == 403
    assert entries(cast.sign_in("admin")) == [
        "Home", "Customers", "Packages", "Subscriptions", "Services", "Rooms", "Staff", "Audit",
    ]  # fmt: skip
    assert entries(with_role(cast, "charlie", StaffPermission.USERS_READ, role="blind")) == ["Rooms"]


def test_everybody_begins_where_there_is_something_to_do(cast: Cast) -> None:
    assert cast.sign_in("admin").get("/").location == "/admin"
    assert cast.sign_in("alice").get("/").location == "/manage/rooms"
    assert cast.browser().get("/").location == "/sign-in"
