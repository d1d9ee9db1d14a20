"""Turns: a few at a time, in the order of coming; who gives up or waits for a service keeps nobody waiting."""

import re
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from portal import turns
from portal.db import db, session
from portal.errors import Unavailable
from portal.rooms.models import Role
from portal.turns import Turnstile, turn, turn_of_others
from portal.web.join import pages
from tests.cast import Cast
from tests.servers import wait_for

STATIC = Path(__file__).parents[1] / "static"


LONG = 30.0


@pytest.fixture
def turnstile() -> Turnstile:
    """One at a time."""
    return Turnstile(1)


def _waiting(turnstile: Turnstile) -> int:
    return len(turnstile._waiting)


_enter = Turnstile.enter


def _hurried(turnstile: Turnstile, patience: float | None, *, first: bool = False) -> None:
    _enter(turnstile, 0.01, first=first)


def _in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_they_come_in_the_order_in_which_they_queued(turnstile: Turnstile) -> None:
    came: list[int] = []

    def come(number: int) -> None:
        with turn(turnstile, LONG):
            came.append(number)

    with turn(turnstile, LONG):
        threads = []
        for number in range(5):
            threads.append(_in_thread(lambda number=number: come(number)))  # type: ignore[misc]
            wait_for(lambda: _waiting(turnstile) == len(threads), what="the queue")
        assert came == []
    for thread in threads:
        thread.join(10)
    assert came == [0, 1, 2, 3, 4]


def test_no_more_than_most_are_in_at_once() -> None:
    turnstile = Turnstile(2)
    with turn(turnstile, LONG), turn(turnstile, LONG):
        third = _in_thread(lambda: ExitStack().enter_context(turn(turnstile, LONG)))
        wait_for(lambda: _waiting(turnstile) == 1, what="the third to wait")
        assert third.is_alive()
    third.join(10)
    assert not third.is_alive()


def test_who_waits_too_long_is_told_to_try_again_and_leaves_the_queue(turnstile: Turnstile) -> None:
    with turn(turnstile, LONG), pytest.raises(Unavailable), turn(turnstile, 0.01):
        raise AssertionError("two are in at once")
    assert _waiting(turnstile) == 0
    with turn(turnstile, LONG):
        pass


def test_an_error_ends_the_turn(turnstile: Turnstile) -> None:
    with pytest.raises(RuntimeError), turn(turnstile, LONG):
        raise RuntimeError
    with turn(turnstile, LONG):
        assert _waiting(turnstile) == 0


def test_others_have_their_turn_while_a_service_is_asked(turnstile: Turnstile) -> None:
    came = threading.Event()

    def come() -> None:
        with turn(turnstile, LONG):
            came.set()

    with turn(turnstile, LONG):
        thread = _in_thread(come)
        wait_for(lambda: _waiting(turnstile) == 1, what="the other to wait")
        with turn_of_others():
            assert came.wait(10)
            thread.join(10)
        another = _in_thread(lambda: ExitStack().enter_context(turn(turnstile, LONG)))
        wait_for(lambda: _waiting(turnstile) == 1, what="another to wait, because the turn has begun again")
    another.join(10)
    assert not another.is_alive()


def test_who_has_asked_a_service_goes_on_before_those_who_have_had_no_turn(turnstile: Turnstile) -> None:
    order: list[str] = []

    def come(name: str) -> None:
        with turn(turnstile, LONG):
            order.append(name)

    asks, back = threading.Event(), threading.Event()

    def ask() -> None:
        with turn(turnstile, LONG):
            with turn_of_others():
                asks.set()
                assert back.wait(10)
            order.append("asked")

    asking = _in_thread(ask)
    assert asks.wait(10)
    with turn(turnstile, LONG):
        newcomer = _in_thread(lambda: come("newcomer"))
        wait_for(lambda: _waiting(turnstile) == 1, what="the newcomer to wait")
        back.set()
        wait_for(lambda: _waiting(turnstile) == 2, what="both to wait")
    for thread in (asking, newcomer):
        thread.join(10)
    assert order == ["asked", "newcomer"]


def test_nothing_is_waited_for_longer_than_its_script_waits() -> None:
    script = (STATIC / "providers/mesh/portal.js").read_text()
    timeout, quiet = (
        int(re.search(rf"const {name} = ([\d_]+);", script)[1].replace("_", "")) / 1000  # type: ignore[index]
        for name in ("TIMEOUT", "QUIET")
    )
    assert timeout > turns.SCRIPT_PATIENCE
    assert quiet > turns.STREAM_PATIENCE


def test_a_service_that_fails_leaves_the_turn_to_others(turnstile: Turnstile) -> None:
    with pytest.raises(RuntimeError), turn(turnstile, LONG), turn_of_others():
        raise RuntimeError
    with turn(turnstile, LONG):
        assert _waiting(turnstile) == 0


@pytest.mark.parametrize(
    ("endpoint", "turnstile"),
    [
        *(
            (endpoint, turns.JOINS)
            for endpoint in ("join.join", "join_tickets.enter", "member_entrance.create", "returning.create")
        ),
        ("status.live", turns.DASHBOARDS),
        ("signals.stream", turns.PLAYERS),
    ],
)
def test_every_way_in_and_every_stream_waits_for_its_turn(app: Flask, endpoint: str, turnstile: Turnstile) -> None:
    assert getattr(app.view_functions[endpoint], "turnstile", None) is turnstile


def test_while_all_turns_are_taken_pages_are_answered_and_who_joins_is_told_to_try_again(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = cast.follow(Role.GUEST)
    with ExitStack() as taken, monkeypatch.context() as hurried:
        for _ in range(turns.JOINS._free):
            taken.enter_context(turn(turns.JOINS, LONG))
        hurried.setattr("portal.turns.Turnstile.enter", _hurried)
        assert guest.get(cast.board_path).status_code == 200
        assert guest.send(cast.board_path, name="Gus").status_code == 503
    free = turns.JOINS._free
    assert guest.send(cast.board_path, name="Gus").status_code == 303
    assert turns.JOINS._free == free


def test_an_open_stream_has_given_its_turn_back(cast: Cast) -> None:
    free = turns.DASHBOARDS._free
    heard = iter(cast.sign_in("alice").get("/manage/live", buffered=False).response)
    assert next(heard)
    assert turns.DASHBOARDS._free == free


def test_who_needs_no_turn_waits_for_none(turnstile: Turnstile) -> None:
    with turn(turnstile, LONG), ExitStack():
        done = threading.Event()

        def ask() -> None:
            with turn_of_others():
                done.set()

        _in_thread(ask).join(10)
        assert done.is_set()


def test_others_have_one_turn_however_often_it_is_given_to_them() -> None:
    turnstile = Turnstile(2)
    with turn(turnstile, LONG), turn_of_others(), turn_of_others():
        assert turnstile._free == 2
    assert turnstile._free == 2


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_request_that_ends_while_its_connection_dies_gives_its_turn_back(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest, free = cast.follow(Role.GUEST), turns.JOINS._free
    csrf = guest.token(cast.board_path)

    def end(**_arguments: object) -> None:
        own = session.scalar(sa.text("SELECT pg_backend_pid()"))
        with db.engine.connect() as other:
            other.execute(sa.text("SELECT pg_terminate_backend(:own, 5000)"), {"own": own})
        raise SystemExit

    monkeypatch.setattr(pages, "arrive", end)
    with pytest.raises((SystemExit, sa.exc.OperationalError)):
        guest.post(cast.board_path, data={"csrf_token": csrf, "name": "Gus"})
    assert turns.JOINS._free == free
