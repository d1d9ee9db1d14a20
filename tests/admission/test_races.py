"""What must hold when twenty people press at once, on both databases."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.accounts.models import Account
from portal.admission import entering
from portal.admission.entering import Declined, enter
from portal.admission.models import RoomToken
from portal.admission.queries import find_door
from portal.admission.secrets import same_code
from portal.admission.sharing import share_link
from portal.admission.tokens import pause_token, revoke_token
from portal.admission.visitor import Visitor
from portal.db import session, transaction
from portal.errors import Conflict, Invalid, Throttled
from portal.people.actor import actor_of
from portal.providers.base import LiveState
from portal.rooms.models import Role, Room
from portal.status.arrivals import Place
from portal.status.models import Ending, Participation, RoomSession, RoomStatus
from portal.status.operations import leave_session, present_participations
from tests.cast import Cast, new_room
from tests.conftest import BOTH

pytestmark = BOTH
RACERS = 20


def race(app: Flask, act: Callable[[int], Any]) -> list[Any]:
    """What each of twenty got, all starting at once, each in a transaction of its own."""
    results: list[Any] = [None] * RACERS
    start = threading.Barrier(RACERS)

    def run(number: int) -> None:
        with app.app_context():
            start.wait(10)
            try:
                with transaction():
                    results[number] = act(number)
            except (Invalid, Throttled, Declined, Conflict) as refused:
                results[number] = refused

    threads = [threading.Thread(target=run, args=(number,)) for number in range(RACERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert None not in results
    return results


def knock(room_id: str, token_id: str | None, number: int, code: str = "") -> Place:
    token_uuid = session.scalar(sa.select(RoomToken.uuid).where(RoomToken.id == token_id)) if token_id else None
    found = find_door(room_id, token_uuid)
    assert found is not None
    session.commit()
    visitor = Visitor(device=f"device {number}", token=found.token)
    return enter(room=found.room, visitor=visitor, name=f"Guest {number}", code=code, network="192.0.2.7")


def test_of_twenty_who_share_a_room_without_a_link_one_makes_it(app: Flask, cast: Cast) -> None:
    def share(_number: int) -> str:
        return share_link(cast.room(cast.open_house), Role.GUEST, by=actor_of(cast.user("alice"))).id

    assert len(set(race(app, share))) == 1


def test_of_twenty_wrong_codes_at_once_at_most_ten_are_compared(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []

    def watched(one: str, other: str) -> bool:
        compared.append(other)
        return same_code(one, other)

    monkeypatch.setattr(entering, "same_code", watched)
    results = race(app, lambda n: knock(cast.board, cast.link_ids[Role.ATTENDEE], n, code=f"wrong {n}"))
    assert 1 <= len(compared) <= 10
    assert sum(isinstance(one, Throttled) for one in results) == RACERS - len(compared)
    assert all(isinstance(one, (Invalid, Throttled)) for one in results)


def test_of_twenty_at_the_last_place_one_gets_in(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        cast.room().room_features = {"max_participants": 1}
    results = race(app, lambda n: knock(cast.board, cast.link_ids[Role.GUEST], n))
    assert sum(isinstance(one, Place) for one in results) == 1
    assert sum(isinstance(one, Declined) for one in results) == RACERS - 1
    with app.app_context():
        assert session.scalar(sa.select(sa.func.count()).select_from(Participation)) == 1
        assert session.scalar(sa.select(sa.func.count()).select_from(RoomSession)) == 1
        assert cast.token(Role.GUEST).use_count == 1


def test_of_twenty_for_the_last_use_of_a_link_one_gets_in(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        cast.token(Role.GUEST).max_uses = 1
    results = race(app, lambda n: knock(cast.board, cast.link_ids[Role.GUEST], n))
    assert sum(isinstance(one, Place) for one in results) == 1


def test_twenty_at_once_share_one_session_and_all_are_counted(app: Flask, cast: Cast) -> None:
    results = race(app, lambda n: knock(cast.board, cast.link_ids[Role.GUEST], n))
    assert all(isinstance(one, Place) for one in results)
    assert len({one.session_uuid for one in results}) == 1
    with app.app_context():
        assert cast.token(Role.GUEST).use_count == RACERS


def test_a_double_click_on_a_public_room_makes_one_token(app: Flask, cast: Cast) -> None:
    results = race(app, lambda _n: knock(cast.open_house, None, 0))
    assert all(isinstance(one, Place) for one in results)
    with app.app_context():
        made = session.scalars(sa.select(RoomToken).where(RoomToken.automatic)).all()
        assert len(made) == 1
        assert made[0].role is Role.GUEST


def test_of_twenty_new_rooms_only_as_many_are_made_as_the_plan_has_left(app: Flask, cast: Cast) -> None:
    def make(number: int) -> Room:
        alice = cast.user("alice")
        account = session.scalars(sa.select(Account).where(Account.owner_uuid == alice.uuid)).one()
        return new_room(account=account, room_name=f"Room {number}", by=actor_of(alice))

    results = race(app, make)
    assert sum(isinstance(one, Room) for one in results) == 8  # ten in the plan, two in the demo world
    assert sum(isinstance(one, Conflict) for one in results) == RACERS - 8


def test_links_are_revoked_and_paused_while_people_come_and_go_without_a_deadlock(app: Flask, cast: Cast) -> None:
    def act(number: int) -> object:
        if number % 4 == 0:
            return revoke_token(cast.token(Role.GUEST), by=actor_of(cast.user("alice")), remove_people=True) or "nobody"
        if number % 4 == 1:
            return pause_token(cast.token(Role.GUEST), by=actor_of(cast.user("alice")), remove_people=True) or "nobody"
        return knock(cast.board, cast.link_ids[Role.GUEST], number)

    results = race(app, act)
    assert all(isinstance(one, (int, str, Place, Declined)) for one in results)
    _snapshot_is_true(app, cast)


def test_the_snapshot_is_right_after_people_came_and_went_at_once(app: Flask, cast: Cast) -> None:
    inside = race(app, lambda n: knock(cast.board, cast.link_ids[Role.GUEST], n))
    uuids = [one.uuid for one in inside]

    def act(number: int) -> object:
        if number % 2:
            return leave_session(session.get_one(Participation, uuids[number]), ending=Ending.LEFT)
        return knock(cast.board, cast.link_ids[Role.GUEST], 100 + number) if number % 4 else "stays"

    race(app, act)
    _snapshot_is_true(app, cast)


def test_a_snapshot_that_was_loaded_before_the_lock_is_read_again(app: Flask, cast: Cast) -> None:
    """What a transaction saw at the door may be old by the time it holds the room (PostgreSQL)."""
    with app.app_context(), transaction():
        first = knock(cast.board, cast.link_ids[Role.GUEST], 1)
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        return _snapshot_is_true(app, cast)  # one writer at a time: nobody comes between

    def come() -> None:
        with app.app_context(), transaction():
            knock(cast.board, cast.link_ids[Role.GUEST], 2)

    with app.app_context(), transaction():
        assert find_door(cast.board) is not None
        stay = session.get_one(Participation, first.uuid)
        thread = threading.Thread(target=come)
        thread.start()
        thread.join(30)
        leave_session(stay, ending=Ending.LEFT)
    return _snapshot_is_true(app, cast)


def _snapshot_is_true(app: Flask, cast: Cast) -> None:
    with app.app_context():
        status = session.get(RoomStatus, cast.room().uuid) or RoomStatus(count=0, names=[], state=LiveState.IDLE)
        people = present_participations(cast.room())
        assert status.count == len(people)
        assert sorted(status.names) == sorted(person.name for person in people)[:20]
        assert (status.state is LiveState.LIVE) is bool(people)
