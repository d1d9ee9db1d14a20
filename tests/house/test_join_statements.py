"""How many statements the hot paths around a door take, on both databases. A count is not a time."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.admission.codes import create_code
from portal.db import db, transaction
from portal.people.actor import actor_of
from portal.rooms.models import Role
from portal.status.runs import end_session
from tests.cast import CODE, Cast, csrf_of
from tests.conftest import BOTH

pytestmark = BOTH


@pytest.fixture
def statements(app: Flask) -> Iterator[Callable[[Callable[[], Any]], int]]:
    made: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        made.append(statement)

    with app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", note)

    def count(act: Callable[[], Any]) -> int:
        made.clear()
        act()
        return len(made)

    yield count
    sa.event.remove(engine, "before_cursor_execute", note)


Count = Callable[[Callable[[], Any]], int]


def knock(cast: Cast, count: Count, path: str, client: Any, **fields: str) -> int:
    form = {"csrf_token": csrf_of(client.get(path).text), "name": "Gus", **fields}
    answers: list[Any] = []
    made = count(lambda: answers.append(client.post(path, data=form)))
    assert answers[0].status_code == 303, answers[0].text
    return made


def test_joining_takes_few_statements(cast: Cast, statements: Count) -> None:
    assert knock(cast, statements, cast.board_path, cast.follow(Role.ATTENDEE), code=CODE) <= 9  # the first one
    assert knock(cast, statements, cast.board_path, cast.follow(Role.ATTENDEE), code=CODE) <= 9
    guest = cast.follow(Role.GUEST)
    assert knock(cast, statements, cast.board_path, guest) <= 8
    assert knock(cast, statements, cast.board_path, guest) <= 8  # takes over its own place


def test_joining_a_public_room_takes_few_statements(cast: Cast, statements: Count) -> None:
    assert knock(cast, statements, cast.open_path, cast.browser()) <= 9
    assert knock(cast, statements, cast.open_path, cast.browser()) <= 9


def test_looking_at_the_join_page_takes_two(cast: Cast, statements: Count) -> None:
    guest = cast.follow(Role.ATTENDEE)
    assert statements(lambda: guest.get(cast.board_path)) <= 2


def test_members_enter_with_few_statements(cast: Cast, statements: Count) -> None:
    bob = cast.sign_in("bob")
    form = {"csrf_token": csrf_of(bob.get(f"/rooms/{cast.board}/-/entry").text)}
    assert statements(lambda: bob.post(f"/rooms/{cast.board}/-/entry", data=form)) <= 10


def test_a_sign_of_life_takes_one_and_leaving_six(cast: Cast, statements: Count) -> None:
    cast.join(Role.GUEST, name="Stays")
    guest = cast.join(Role.GUEST)
    base = f"/rooms/{cast.board}/-/conference"
    proof = csrf_of(guest.get(base).text)
    alive = {"connection": "tab"}
    assert statements(lambda: guest.post(f"{base}/presence", json=alive, headers={"X-CSRFToken": proof})) == 1
    assert statements(lambda: guest.post(f"{base}/departure", data={"csrf_token": proof})) <= 6


def test_closing_a_room_takes_as_many_for_few_as_for_many(app: Flask, cast: Cast, statements: Count) -> None:
    def close() -> None:
        with app.app_context(), transaction():
            end_session(cast.room())

    cast.join(Role.GUEST, name="Alone")
    few = statements(close)
    for number in range(6):
        cast.join(Role.GUEST, name=f"Guest {number}")
    assert statements(close) == few <= 9


def test_even_the_fullest_case_takes_ten(app: Flask, cast: Cast, statements: Count) -> None:
    """A public room that asks its guests for a code, the first visitor, on a device that was never here."""
    with app.app_context(), transaction():
        alice = actor_of(cast.user("alice"))
        create_code(room=cast.room(cast.open_house), role=Role.GUEST, by=alice, code="open-sesame")
    assert knock(cast, statements, cast.open_path, cast.browser(), code="open-sesame") <= 10
