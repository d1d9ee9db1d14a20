"""The list of rooms: what is live comes first, for whom that is no secret; everything else by name."""

from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.clock import now
from portal.db import db, session, transaction
from portal.identifiers import new_id, new_uuid
from portal.people.actor import actor_of
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.providers.base import LiveState
from portal.rooms.models import Room
from portal.status.models import RoomStatus, Source
from portal.web.manage import room_list
from portal.web.manage.room_filter import RoomFilter
from portal.web.manage.room_list import RoomPage, page_of_rooms
from portal.web.manage.room_rows import Row
from tests.cast import Cast
from tests.conftest import BOTH
from tests.statements import statements


def more_rooms(cast: Cast, names: list[str], *, live: bool = False) -> None:
    like = cast.room()
    for name in names:
        uuid = new_uuid()
        room = Room(uuid=uuid, id=new_id(), room_name=name, slug=f"room-{uuid.hex[-8:]}", room_type=like.room_type)
        room.customer, room.account, room.subscription, room.owner = (
            like.customer,
            like.account,
            like.subscription,
            like.owner,
        )
        session.add(room)
        if live:
            session.add(status_of(room))
    session.flush()


def status_of(room: Room) -> RoomStatus:
    at = now()
    return RoomStatus(
        room=room, state=LiveState.LIVE, since=at, checked_at=at, source=Source.ENGINE, count=1, counts={}, names=[]
    )


def page(cast: Cast, name: str, after: str = "") -> RoomPage:
    return page_of_rooms(actor_of(cast.user(name)), after=after)


def names(rows: Sequence[Row]) -> list[str]:
    return [row.room_name for row in rows]


@BOTH
def test_live_rooms_come_first_and_each_room_once(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        more_rooms(cast, ["Aula", "Zoo"])
        session.add(status_of(cast.room()))
        session.flush()
        seen = page(cast, "alice")
    assert (names(seen.live), names(seen.others)) == (["Board meeting"], ["Aula", "Open house", "Zoo"])


@BOTH
def test_who_may_not_see_the_status_learns_nothing_by_the_order(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        more_rooms(cast, ["Aula", "Zoo"])
        for room in session.scalars(sa.select(Room).where(Room.room_name.in_(["Aula", "Zoo"]))):
            session.add(RoomMember(room=room, user=cast.user("bob"), permissions=[Permission.ROOM_VIEW.value]))
        session.add(status_of(session.scalars(sa.select(Room).where(Room.room_name == "Zoo")).one()))
        session.flush()
        seen = page(cast, "bob")
    assert (names(seen.live), names(seen.others)) == ([], ["Aula", "Board meeting", "Zoo"])


@BOTH
def test_more_live_rooms_than_are_shown_as_such_stand_among_the_others(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_list, "MOST_LIVE", 3)
    monkeypatch.setattr(room_list, "PAGE", 2)
    room_list._page.cache_clear()
    with app.app_context(), transaction():
        more_rooms(cast, [f"Class {number}" for number in range(5)], live=True)
        first = page(cast, "alice")
        found, after = names(first.others), first.next
        while after:
            following = page(cast, "alice", after)
            assert following.live == ()
            found, after = found + names(following.others), following.next
    room_list._page.cache_clear()
    assert len(first.live) == 3
    assert sorted(names(first.live) + found) == sorted(
        [*(f"Class {number}" for number in range(5)), "Board meeting", "Open house"]
    )
    assert found == sorted(found)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_plan_of_a_list_is_made_once_and_not_for_each_reader(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        for _ in range(10):  # the driver prepares what came five times
            page(cast, "alice")
            page(cast, "bob")
        made = sa.text("SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE :like")
        plans = session.execute(made, {"like": "WITH live%"}).all()
        assert len(plans) == 2
        assert all(generic > 0 and custom == 0 for generic, custom in plans)


@BOTH
def test_a_search_finds_each_room_once_by_its_words_and_walks_through_no_rooms(app: Flask, cast: Cast) -> None:
    """Alice sees the board room as owner of the room, of its account and of its customer."""
    alice = cast.sign_in("alice")
    with app.app_context():
        engine = db.engine
    with statements(engine) as seen:
        page = alice.get("/manage/rooms?search=board").text
    assert page.count('class="room-name"') == 1
    (listing,) = (statement for statement in seen if "found AS" in statement)
    found = listing.partition("found AS")[2]
    assert "OFFSET 0" in found
    how = "@@" if engine.dialect.name == "postgresql" else "MATCH"
    assert listing.count(how) == 2, "once among the live rooms, and once among all others"


@BOTH
def test_another_search_is_another_value_of_the_same_statement(app: Flask, cast: Cast) -> None:
    room_list._page.cache_clear()
    with app.app_context():
        alice = actor_of(cast.user("alice"))
        found = [
            names(page_of_rooms(alice, asked=RoomFilter(search=text)).others) for text in ("boa mee", "open", "?!", "x")
        ]
    assert found == [["Board meeting"], ["Open house"], [], []]
    assert room_list._page.cache_info().misses == 1
