"""Deleted rooms: who finds them, for how long, and how they come back."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.clock import now
from portal.db import session, transaction
from portal.people.actor import actor_of
from portal.people.staff import StaffPermission
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.rooms.purging import TRASH_DAYS
from portal.web.manage import trash
from portal.web.manage.trash import page_of_trash
from tests.cast import Cast
from tests.conftest import BOTH
from tests.web.test_room_list import more_rooms

TRASH = "/manage/rooms/trash"


@pytest.fixture
def _deleted(cast: Cast, app: Flask) -> None:
    """The board room was deleted yesterday."""
    with app.app_context(), transaction():
        cast.room().trashed_at = now() - timedelta(days=1)


def seen(cast: Cast, name: str, **asked: str) -> list[str]:
    return [room.room_name for room in page_of_trash(actor_of(cast.user(name)), **asked).rooms]


@pytest.mark.usefixtures("_deleted")
def test_a_room_comes_back_long_after_the_notice_is_gone(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    assert f'href="{TRASH}"' in alice.get("/manage/rooms").text
    page = alice.get(TRASH).text
    assert "Board meeting" in page
    assert "Deleted <time" in page
    back = f"/manage/rooms/{cast.board}/restoration"
    assert f'action="{back}"' in page
    answer = alice.post(back, data={"csrf_token": alice.token(TRASH)})
    assert "“Board meeting” is back." in alice.get(answer.location).text
    assert "Board meeting" not in alice.get(TRASH).text
    assert "Nothing here" in alice.get(TRASH).text


@BOTH
def test_only_who_may_delete_a_room_finds_it_deleted(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        cast.room().trashed_at = now()
        session.flush()
        assert [seen(cast, name) for name in ("alice", "admin", "bob", "charlie")] == [
            ["Board meeting"],
            ["Board meeting"],
            [],
            [],
        ]
        member = session.scalars(sa.select(RoomMember)).one()
        member.permissions = [Permission.ROOM_VIEW.value, Permission.ROOM_DELETE.value]
        session.flush()
        assert seen(cast, "bob") == ["Board meeting"]
        member.until = now() - timedelta(hours=1)
        session.flush()
        assert seen(cast, "bob") == []


@pytest.mark.parametrize(
    ("staff", "found"),
    [
        ({StaffPermission.ROOMS_READ}, False),
        ({StaffPermission.ROOMS_DELETE}, True),  # Bob may see the room as a member
        ({StaffPermission.ROOMS_READ, StaffPermission.ROOMS_DELETE}, True),
    ],
)
def test_staff_finds_what_the_door_would_let_it_bring_back(
    cast: Cast, app: Flask, staff: set[StaffPermission], found: bool
) -> None:
    with app.app_context(), transaction():
        cast.room().trashed_at = now()
        session.flush()
        bob = actor_of(cast.user("bob"))
        object.__setattr__(bob, "staff", frozenset(staff))
        assert bool(page_of_trash(bob).rooms) is found


def test_what_was_kept_long_enough_is_not_shown_even_before_the_sweep(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        cast.room().trashed_at = now() - timedelta(days=TRASH_DAYS, minutes=1)
        session.flush()
        assert seen(cast, "alice") == []


@BOTH
def test_the_last_deleted_comes_first_and_pages_hold_each_room_once(
    cast: Cast, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trash, "PAGE", 2)
    with app.app_context(), transaction():
        more_rooms(cast, [f"Class {number}" for number in range(5)])
        at = now()
        for number in range(5):
            room = session.scalars(sa.select(type(cast.room())).filter_by(room_name=f"Class {number}")).one()
            room.trashed_at = at - timedelta(minutes=number // 2)  # two and two at the same moment
        session.flush()
        found: list[str] = []
        after, pages = "", 0
        while after or not pages:
            page = page_of_trash(actor_of(cast.user("alice")), after=after)
            found, after, pages = found + [room.room_name for room in page.rooms], page.next, pages + 1
        assert pages == 3
        assert [sorted(found[:2]), sorted(found[2:4]), found[4:]] == [
            ["Class 0", "Class 1"],
            ["Class 2", "Class 3"],
            ["Class 4"],
        ]
        assert seen(cast, "alice", search="class 3") == ["Class 3"]
        assert seen(cast, "alice", search="board") == []


def test_nobody_is_asked_to_sign_in_first(cast: Cast) -> None:
    assert cast.browser().get(TRASH).location.startswith("/sign-in?next=")
