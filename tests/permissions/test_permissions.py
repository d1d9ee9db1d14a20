"""Rights on rooms: the whole list, what it implies, what staff has, and what the form offers."""

import re

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.clock import now
from portal.db import session, transaction
from portal.people.actor import actor_of
from portal.people.models import PlatformRole
from portal.people.staff import StaffPermission
from portal.permissions.members import RoomMember
from portal.permissions.permission import IMPLIED, Permission
from portal.permissions.rules import rights
from tests.cast import Cast


def test_the_list_is_the_whole_one_of_the_domain() -> None:
    assert [permission.value for permission in Permission] == [
        "room:view", "room:edit", "room:delete", "room:moderate", "status:view", "tokens:view", "tokens:manage",
        "codes:view", "codes:manage", "members:view", "members:manage", "media:manage", "recordings:view",
        "recordings:manage", "reports:view",
    ]  # fmt: skip
    assert all(permission.label for permission in Permission)


@pytest.mark.parametrize(("held", "implied"), IMPLIED.items())
def test_whoever_manages_something_sees_it(held: Permission, implied: Permission) -> None:
    member = RoomMember(permissions=[held.value], until=None)
    assert member.granted(now()) == {held, implied}


@pytest.mark.usefixtures("in_app")
@pytest.mark.parametrize(
    ("staff", "given"),
    [
        (StaffPermission.ROOMS_READ, {"room:view", "status:view", "members:view", "reports:view"}),
        (StaffPermission.ROOMS_UPDATE, {word.value for word in Permission} - {"room:delete"}),
        (StaffPermission.ROOMS_DELETE, {"room:delete"}),
        (StaffPermission.ROOMS_CREATE, set()),
    ],
)
def test_what_staff_may_do_in_every_room(cast: Cast, staff: StaffPermission, given: set[str]) -> None:
    charlie = cast.user("charlie")
    charlie.platform_roles = [PlatformRole(name="Helpers", builtin=False, permissions=[staff.value])]
    assert rights(actor_of(charlie), cast.room(), now()) == given


def test_the_form_offers_no_right_that_opens_nothing_yet(cast: Cast) -> None:
    form = cast.sign_in("alice").get(f"/manage/rooms/{cast.board}/people/new").text
    offered = set(re.findall(r'name="permissions" value="([^"]+)"', form))
    assert offered == {p.value for p in Permission} - {"room:view"}
    assert "reports:view" in offered


def test_who_may_see_sessions_finds_them_and_nothing_else(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        session.scalars(sa.select(RoomMember)).one().permissions = ["room:view", "reports:view"]
    bob = cast.sign_in("bob")
    room = f"/manage/rooms/{cast.board}"
    assert bob.get(f"{room}/sessions").status_code == 200
    assert bob.get(f"{room}/ending").status_code == 403
    assert bob.get(f"{room}/status").status_code == 403
    assert f'href="{room}/sessions"' in bob.get(room).text
