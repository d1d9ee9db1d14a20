"""What owners do: rooms, people, settings, and what happens with nonsense."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.accounts.models import AccountStatus
from portal.clock import now
from portal.db import session, transaction
from portal.permissions.members import RoomMember
from portal.rooms.models import Role, Room, RoomStatusWord
from portal.subscriptions.models import SubscriptionStatus
from portal.videos.models import RoomVideo
from tests.cast import Cast, Client
from tests.video_room import new_video_room


@pytest.fixture
def alice(cast: Cast) -> Client:
    return cast.sign_in("alice")


@pytest.fixture
def board(cast: Cast) -> str:
    return f"/manage/rooms/{cast.board}"


def test_the_list_shows_who_may_see_which_rooms(cast: Cast) -> None:
    seen = {
        who: re.findall(r'class="room-name"[^>]*>([^<]+)<', cast.sign_in(who).get("/manage/rooms").text)
        for who in ("alice", "bob", "charlie", "admin")
    }
    assert seen == {
        "alice": ["Board meeting", "Open house"],
        "bob": ["Board meeting"],
        "charlie": [],
        "admin": ["Board meeting", "Open house"],
    }


def test_an_owner_reads_on_the_rooms_page_why_nobody_can_enter(cast: Cast, alice: Client, board: str) -> None:
    assert "Nobody can enter" not in alice.get(board).text
    changes: list[tuple[Callable[[Room], None], str]] = [
        (lambda room: setattr(room, "status", RoomStatusWord.INACTIVE), "the room is inactive"),
        (lambda room: setattr(room.account, "status", AccountStatus.INACTIVE), "its account is inactive"),
        (lambda room: setattr(room.subscription, "status", SubscriptionStatus.SUSPENDED), "its subscription has ended"),
    ]
    for change, words in changes:
        with cast.app.app_context(), transaction():
            change(cast.room())
        assert f"Nobody can enter: {words}" in alice.get(board).text


def test_who_may_create_rooms_is_offered_to(cast: Cast) -> None:
    offered = {
        who: "New room" in cast.sign_in(who).get("/manage/rooms").text for who in ("alice", "bob", "charlie", "admin")
    }
    assert offered == {"alice": True, "bob": False, "charlie": True, "admin": True}
    assert cast.sign_in("bob").get("/manage/rooms/new").status_code == 403


def test_a_room_needs_a_name_and_nothing_else(cast: Cast, alice: Client) -> None:
    made = alice.send("/manage/rooms/new", room_name="  Réunion   du 3 mai ")
    assert made.status_code == 303
    page = alice.get(made.location).text
    assert "Réunion du 3 mai" in page
    assert "Private" in page
    with cast.app.app_context():
        room = cast.room(made.location.rsplit("/", 1)[1])
        assert room.slug == "reunion-du-3-mai"
        assert room.room_type == "meet"
        assert room.owner_uuid == cast.user("alice").uuid


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\x00b", "in\u202evoice", "\n"])
def test_a_name_that_cannot_be_one_is_refused_beside_the_field(alice: Client, name: str) -> None:
    answer = alice.send("/manage/rooms/new", room_name=name)
    assert answer.status_code == 422
    assert 'id="error-room_name"' in answer.text


def test_staff_choose_the_account(cast: Cast) -> None:
    admin = cast.sign_in("admin")
    form = admin.get("/manage/rooms/new").text
    globex = re.search(r'value="(\w{10})">Globex', form)
    assert globex
    assert admin.send("/manage/rooms/new", room_name="X", account=globex[1]).status_code == 303
    assert "X" in cast.sign_in("charlie").get("/manage/rooms").text
    assert admin.send("/manage/rooms/new", room_name="X", account="1111111111").status_code == 422


def test_nobody_creates_rooms_in_an_account_of_others(cast: Cast) -> None:
    form = cast.sign_in("charlie").get("/manage/rooms/new").text
    globex = re.search(r'name="account" value="(\w{10})"', form)
    assert globex
    assert cast.sign_in("alice").send("/manage/rooms/new", room_name="X", account=globex[1]).status_code == 422


def test_the_plan_says_how_many_rooms(alice: Client) -> None:
    answers = [alice.send("/manage/rooms/new", room_name=f"Room {n}").status_code for n in range(9)]
    assert answers == [303] * 8 + [409]
    assert "All 10 rooms of this plan are in use" in alice.send("/manage/rooms/new", room_name="One more").text


def test_settings_change_what_they_say(cast: Cast, alice: Client, board: str) -> None:
    fields = {
        "room_name": "Supervisory board",
        "slug": "board-meeting",
        "description": "Line one\r\nLine two",
        "is_public": "y",
        "active": "y",
        "max_participants": "5",
    }
    assert alice.send(f"{board}/settings", **fields).status_code == 303
    page = alice.get(board).text
    assert "Supervisory board" in page
    assert "Public" in page
    assert "Lowered for this room" in page
    with cast.app.app_context():
        room = cast.room()
        assert room.slug == "supervisory-board"  # it followed the name before, and still does
        assert room.room_settings == {"description": "Line one\nLine two"}
        assert room.room_features == {"max_participants": 5}
        assert not room.room_metadata


@pytest.mark.parametrize(
    ("field", "value"),
    [("slug", "No Slug!"), ("slug", "../../etc"), ("max_participants", "0"), ("max_participants", "many"), ("max_participants", "-1"), ("max_participants", "99999999999"), ("description", "x" * 2001), ("description", "a\x00b"), ("room_name", "")],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused_beside_the_field(
    alice: Client, board: str, field: str, value: str
) -> None:
    fields = {"room_name": "Kept name", "slug": "kept", "active": "y"} | {field: value}
    answer = alice.send(f"{board}/settings", **fields)
    assert answer.status_code == 422
    assert f'id="error-{field}"' in answer.text
    if field != "room_name":
        assert "Kept name" in answer.text
    assert "Board meeting" in alice.get(board).text


def test_a_deleted_room_is_gone_and_comes_back(cast: Cast, alice: Client, board: str) -> None:
    assert alice.send(f"{board}/deletion").status_code == 303
    page = alice.get("/manage/rooms")
    assert "was deleted" in page.text
    assert "Undo" in page.text
    assert alice.get(board).status_code == 404
    assert cast.browser().get(cast.links[Role.GUEST]).status_code == 404
    assert alice.post(f"{board}/restoration", data={"csrf_token": alice.token("/me")}).status_code == 303
    assert alice.get(board).status_code == 200
    assert cast.browser().get(cast.links[Role.GUEST]).status_code == 303


def test_restoring_checks_the_plan_again(alice: Client, board: str) -> None:
    alice.send(f"{board}/deletion")
    for number in range(9):
        alice.send("/manage/rooms/new", room_name=f"Room {number}")
    alice.post(f"{board}/restoration", data={"csrf_token": alice.token("/me")})
    assert "All 10 rooms of this plan are in use" in alice.get("/manage/rooms").text
    assert alice.get(board).status_code == 404


def test_restoring_a_room_of_videos_checks_the_storage_again(cast: Cast, alice: Client) -> None:
    with cast.app.app_context(), transaction():
        room, other = new_video_room(max_storage=1), new_video_room(name="More films")
        session.add_all(RoomVideo(room=one, name="Film", size=600_000_000) for one in (room, other))
        first, second = (f"/manage/rooms/{one.id}" for one in (room, other))
        other.account_uuid, other.subscription_uuid = room.account_uuid, room.subscription_uuid
        other.trashed_at = now()
    alice.post(f"{second}/restoration", data={"csrf_token": alice.token("/me")})
    assert "With its videos 1.2 GB of 1 GB would be used." in alice.get("/manage/rooms").text
    assert alice.get(second).status_code == 404
    alice.send(f"{first}/deletion")
    alice.post(f"{second}/restoration", data={"csrf_token": alice.token("/me")})
    assert alice.get(second).status_code == 200


def test_people_are_added_changed_and_removed(cast: Cast, alice: Client, board: str) -> None:
    added = alice.send(
        f"{board}/people/new", email="Charlie@demo.example", permissions=["tokens:manage", "members:manage"]
    )
    assert added.status_code == 303
    charlie = cast.sign_in("charlie")
    assert charlie.get(f"{board}/links").status_code == 200
    assert charlie.get(f"{board}/codes").status_code == 403
    again = alice.send(f"{board}/people/new", email="charlie@demo.example")
    assert "is a member already" in again.text
    with cast.app.app_context():
        member_id = session.scalars(
            sa.select(RoomMember.id).where(RoomMember.user_uuid == cast.user("charlie").uuid)
        ).one()
        bob_id = session.scalars(sa.select(RoomMember.id).where(RoomMember.user_uuid == cast.user("bob").uuid)).one()
    assert charlie.send(f"{board}/people/{bob_id}/edit", permissions=["tokens:view", "status:view"]).status_code == 303
    refused = charlie.send(f"{board}/people/{bob_id}/edit", permissions=["codes:manage"])
    assert refused.status_code == 403
    assert "you do not have it yourself" in refused.text
    own = charlie.send(f"{board}/people/{member_id}/edit", permissions=["room:edit"])
    assert own.status_code == 403
    assert charlie.get(f"{board}/settings").status_code == 403
    assert alice.post(f"{board}/people/{member_id}/removal", data={"csrf_token": alice.token("/me")}).status_code == 303
    assert charlie.get(board).status_code == 404


def test_rights_that_the_granter_lacks_survive_his_edit(cast: Cast, alice: Client, board: str) -> None:
    alice.send(f"{board}/people/new", email="charlie@demo.example", permissions=["members:manage", "status:view"])
    with cast.app.app_context():
        bob_id = session.scalars(sa.select(RoomMember.id).where(RoomMember.user_uuid == cast.user("bob").uuid)).one()
    alice.send(f"{board}/people/{bob_id}/edit", permissions=["codes:manage"])
    cast.sign_in("charlie").send(f"{board}/people/{bob_id}/edit", permissions=["status:view"])
    with cast.app.app_context():
        held = session.scalars(sa.select(RoomMember).where(RoomMember.id == bob_id)).one().permissions
    assert set(held) == {"room:view", "status:view", "codes:manage"}


@pytest.mark.parametrize(
    ("email", "words"),
    [
        ("nobody@demo.example", "Nobody with this address"),
        ("alice@demo.example", "owns this room"),
        ("", "Fill this in"),
        ("x" * 300, ""),
    ],
)
def test_people_who_cannot_be_added_are_said_beside_the_field(
    alice: Client, board: str, email: str, words: str
) -> None:
    answer = alice.send(f"{board}/people/new", email=email)
    assert answer.status_code == 422
    assert 'id="error-email"' in answer.text
    assert words in answer.text


def test_an_unknown_permission_is_refused(alice: Client, board: str) -> None:
    assert alice.send(f"{board}/people/new", email="charlie@demo.example", permissions=["root"]).status_code == 422


def test_the_list_pages_by_name_and_is_searched_by_beginnings_of_words(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        model = cast.room()
        for number in range(60):
            session.add(
                Room(
                    customer_uuid=model.customer_uuid,
                    account_uuid=model.account_uuid,
                    subscription_uuid=model.subscription_uuid,
                    owner_uuid=model.owner_uuid,
                    room_name=f"Zeta {number:02}",
                    sort_name=f"zeta {number:02}",
                    room_type=model.room_type,
                    slug="zeta",
                )
            )
    alice = cast.sign_in("alice")
    seen: list[str] = []
    address = "/manage/rooms"
    for _ in range(4):
        page = alice.get(address).text
        seen += re.findall(r'class="room-name"[^>]*>([^<]+)<', page)
        following = re.search(r'href="(/manage/rooms\?after=[^"]+)"', page)
        if not following:
            break
        address = following[1].replace("&amp;", "&")
    assert seen == ["Board meeting", "Open house", *[f"Zeta {n:02}" for n in range(60)]]
    found = re.findall(r'class="room-name"[^>]*>([^<]+)<', alice.get("/manage/rooms?search=MEET+boa").text)
    assert found == ["Board meeting"]
    assert "No room matches “%”" in alice.get("/manage/rooms?search=%25").text
    assert alice.get("/manage/rooms?after=nonsense").status_code == 200


def test_a_page_of_the_list_takes_few_statements_however_many_rooms(cast: Cast, app: Flask) -> None:
    alice = cast.sign_in("alice")
    few = _statements(app, lambda: alice.get("/manage/rooms"))
    for number in range(8):
        alice.send("/manage/rooms/new", room_name=f"Room {number}")
    many = _statements(app, lambda: alice.get("/manage/rooms"))
    assert len(many) == len(few) <= 4, many


def _statements(app: Flask, act: Callable[[], object]) -> list[str]:
    from portal.db import db

    made: list[str] = []
    with app.app_context():
        engine = db.engine

    def count(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        made.append(statement)

    sa.event.listen(engine, "before_cursor_execute", count)
    try:
        act()
    finally:
        sa.event.remove(engine, "before_cursor_execute", count)
    return made
