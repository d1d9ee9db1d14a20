"""How many SQL statements the hot paths take: a count is not a time. The budgets stand in *quality*."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.accounts.models import Account
from portal.admission.models import AccessCode
from portal.clock import now
from portal.db import db, session, transaction
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.providers.base import LiveState
from portal.rooms.models import Role, Room
from portal.rooms.slugs import slug_of
from portal.status.models import RoomStatus
from portal.web.manage.room_list import cursor_after
from tests.cast import CODE, Cast, Client, csrf_of, new_recording
from tests.conftest import BOTH
from tests.statements import statements

pytestmark = BOTH
ROOMS = "/manage/rooms"


@pytest.fixture
def count(app: Flask) -> Callable[..., int]:
    """How many statements a request takes; a form is fetched before and not counted."""
    with app.app_context():
        engine = db.engine

    def counted(client: Client, path: str, page: str | None = None, status: int | None = None, **form: str) -> int:
        if page is not None:
            form["csrf_token"] = csrf_of(client.get(page, follow_redirects=True).text)
        with statements(engine) as seen:
            answer = client.post(path, data=form) if page is not None else client.get(path)
        assert answer.status_code == (status or (303 if page is not None else 200)), answer.text
        assert seen, "the path asks the database"
        return len(seen)

    return counted


def more_rooms(cast: Cast, number: int) -> None:
    """So many rooms more in Acme: every third was used, every tenth is live, and Bob is a member of each."""
    with cast.app.app_context(), transaction():
        account = (
            session.scalars(sa.select(Account).join(Account.owner).where(Account.owner_uuid == cast.user("alice").uuid))
            .unique()
            .one()
        )
        bob = cast.user("bob")
        for n in range(number):
            room = Room(
                customer_uuid=account.customer_uuid,
                account_uuid=account.uuid,
                subscription_uuid=account.subscription_uuid,
                owner_uuid=account.owner_uuid,
                room_name=f"Zeta {n:03}",
                slug=slug_of(f"Zeta {n:03}"),
                room_type="meet",
            )
            session.add(room)
            session.flush()
            session.add(RoomMember(room_uuid=room.uuid, user_uuid=bob.uuid, permissions=[Permission.ROOM_VIEW]))
            if n % 3 == 0:
                state = LiveState.LIVE if n % 10 == 0 else LiveState.IDLE
                session.add(RoomStatus(room_uuid=room.uuid, state=state, since=room.created_at, names=[], counts={}))


def test_the_join_page(cast: Cast, count: Callable[..., int]) -> None:
    assert count(cast.follow(Role.GUEST), cast.board_path) <= 2
    assert count(cast.follow(Role.ATTENDEE), cast.board_path) <= 2
    assert count(cast.browser(), cast.open_path) <= 2


def test_joining_by_a_link(cast: Cast, count: Callable[..., int]) -> None:
    cast.join(name="First")
    assert count(cast.follow(Role.GUEST), cast.board_path, cast.board_path, name="Gus") <= 9


def test_joining_again_on_the_same_device(cast: Cast, count: Callable[..., int]) -> None:
    guest = cast.join(name="Gus")
    assert count(guest, cast.board_path, cast.board_path, name="Gus") <= 9


def test_joining_a_public_room(cast: Cast, count: Callable[..., int]) -> None:
    cast.browser().send(cast.open_path, name="First")
    assert count(cast.browser(), cast.open_path, cast.open_path, name="Gus") <= 9


def test_joining_with_a_code_takes_one_statement_more_for_the_try_that_is_handed_back(
    cast: Cast, count: Callable[..., int]
) -> None:
    cast.join(name="First")
    assert count(cast.follow(Role.ATTENDEE), cast.board_path, cast.board_path, name="Gus", code=CODE) <= 10


def test_many_codes_are_compared_without_more_statements(cast: Cast, count: Callable[..., int]) -> None:
    with cast.app.app_context(), transaction():
        for n in range(20):
            session.add(AccessCode(room=cast.room(), role=Role.ATTENDEE, code=f"CODE-{n}", normal=f"code{n}"))
    cast.join(name="First")
    assert count(cast.follow(Role.ATTENDEE), cast.board_path, cast.board_path, name="Gus", code=CODE) <= 10


@pytest.mark.parametrize("who", ["alice", "bob", "charlie", "admin"])
@pytest.mark.parametrize("rooms", [1, 10, 100])
def test_a_list_of_rooms(cast: Cast, count: Callable[..., int], who: str, rooms: int) -> None:
    more_rooms(cast, rooms)
    client = cast.sign_in(who)
    with cast.app.app_context():
        after, account = cursor_after(("zeta 0", cast.room().uuid)), cast.room().account.id
    assert count(client, ROOMS) <= 3
    assert count(client, f"{ROOMS}?after={after}") <= 3
    assert count(client, f"{ROOMS}?search=zet+0") <= 3
    for words in ("status=inactive", "status=live&sort=newest", f"status=active&account={account}&search=zet"):
        assert count(client, f"{ROOMS}?{words}") <= 3


def test_deleted_rooms(cast: Cast, count: Callable[..., int]) -> None:
    more_rooms(cast, 10)
    with cast.app.app_context(), transaction():
        session.execute(sa.update(Room).values(trashed_at=now()))
    for who in ("alice", "bob", "admin"):
        assert count(cast.sign_in(who), f"{ROOMS}/trash?search=zet") <= 3


def test_the_states_of_a_list(cast: Cast, count: Callable[..., int]) -> None:
    assert count(cast.sign_in("alice"), f"{ROOMS}/status?rooms={cast.board}+{cast.open_house}") <= 3


def test_the_live_state_in_the_head_of_a_rooms_pages_takes_one_statement(cast: Cast, count: Callable[..., int]) -> None:
    """Next to the sign-in, the room with all rights to it, and what the page is about."""
    cast.join(name="Gus")
    alice, room = cast.sign_in("alice"), f"{ROOMS}/{cast.board}"
    assert count(alice, f"{room}/status/badge") <= 3
    for page in ("settings", "deletion", "links/new", "codes/new", "people/new", "webhooks/new"):
        assert count(alice, f"{room}/{page}") <= 3, page
    for page in ("codes", "people", "sessions"):
        assert count(alice, f"{room}/{page}") <= 4, page


def test_recordings_take_one_statement_where_there_are_any(cast: Cast, count: Callable[..., int]) -> None:
    alice, room = cast.sign_in("alice"), f"{ROOMS}/{cast.board}"
    before = count(alice, room)
    with cast.app.app_context(), transaction():
        new_recording(room=cast.room())
    assert count(alice, room) <= before + 1
    assert count(alice, f"{room}/recordings") <= 5


def test_what_owners_do_most(cast: Cast, count: Callable[..., int]) -> None:
    alice, room = cast.sign_in("alice"), f"{ROOMS}/{cast.board}"
    assert count(alice, f"{ROOMS}/new", f"{ROOMS}/new", room_name="New") <= 6
    assert count(alice, f"{room}/links/new", f"{room}/links/new", role="guest") <= 5
    assert (
        count(alice, f"{room}/settings", f"{room}/settings", room_name="Other", slug="board-meeting", active="y") <= 4
    )
    assert count(alice, f"{room}/status") <= 4
    assert count(alice, room) <= 6
    assert count(alice, f"{room}/share") <= 5
    assert count(alice, f"{room}/share", room, role="guest") <= 3
    alice.environ_base["HTTP_HX_REQUEST"] = "true"
    assert count(alice, f"{room}/share", room, status=200, role="guest") <= 4
