"""Turns: a few at a time, in the order of coming; who gives up or waits for a service keeps nobody waiting."""

import threading
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from flask import Flask

from portal import turns
from portal.errors import Unavailable
from portal.rooms.models import Role
from portal.turns import Turnstile, turn, turn_of_others
from tests.cast import Cast
from tests.servers import wait_for


@pytest.fixture
def turnstile(monkeypatch: pytest.MonkeyPatch) -> Turnstile:
    """One at a time."""
    one = Turnstile(1)
    monkeypatch.setattr(turns, "_turnstile", one)
    return one


def _waiting(turnstile: Turnstile) -> int:
    return len(turnstile._waiting)


def _in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_they_come_in_the_order_in_which_they_queued(turnstile: Turnstile) -> None:
    came: list[int] = []

    def come(number: int) -> None:
        with turn():
            came.append(number)

    with turn():
        threads = []
        for number in range(5):
            threads.append(_in_thread(lambda number=number: come(number)))  # type: ignore[misc]
            wait_for(lambda: _waiting(turnstile) == len(threads), what="the queue")
        assert came == []
    for thread in threads:
        thread.join(10)
    assert came == [0, 1, 2, 3, 4]


def test_no_more_than_most_are_in_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    turnstile = Turnstile(2)
    monkeypatch.setattr(turns, "_turnstile", turnstile)
    with turn(), turn():
        third = _in_thread(lambda: ExitStack().enter_context(turn()))
        wait_for(lambda: _waiting(turnstile) == 1, what="the third to wait")
        assert third.is_alive()
    third.join(10)
    assert not third.is_alive()


def test_who_waits_too_long_is_told_to_try_again_and_leaves_the_queue(
    turnstile: Turnstile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.01)
    with turn(), pytest.raises(Unavailable), turn():
        raise AssertionError("two are in at once")
    assert _waiting(turnstile) == 0
    with turn():
        pass


def test_an_error_ends_the_turn(turnstile: Turnstile) -> None:
    with pytest.raises(RuntimeError), turn():
        raise RuntimeError
    with turn():
        assert _waiting(turnstile) == 0


def test_others_have_their_turn_while_a_service_is_asked(turnstile: Turnstile) -> None:
    came = threading.Event()

    def come() -> None:
        with turn():
            came.set()

    with turn():
        thread = _in_thread(come)
        wait_for(lambda: _waiting(turnstile) == 1, what="the other to wait")
        with turn_of_others():
            assert came.wait(10)
            thread.join(10)
        another = _in_thread(lambda: ExitStack().enter_context(turn()))
        wait_for(lambda: _waiting(turnstile) == 1, what="another to wait, because the turn has begun again")
    another.join(10)
    assert not another.is_alive()


def test_a_service_that_fails_leaves_the_turn_to_others(turnstile: Turnstile) -> None:
    with pytest.raises(RuntimeError), turn(), turn_of_others():
        raise RuntimeError
    with turn():
        assert _waiting(turnstile) == 0


@pytest.mark.parametrize("endpoint", ["join.join", "join_tickets.enter", "member_entrance.create", "returning.create"])
def test_every_way_in_waits_for_its_turn(app: Flask, endpoint: str) -> None:
    assert getattr(app.view_functions[endpoint], "in_turn", False)


def test_while_all_turns_are_taken_pages_are_answered_and_who_joins_is_told_to_try_again(
    cast: Cast, turnstile: Turnstile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.01)
    guest = cast.follow(Role.GUEST)
    with turn():
        assert guest.get(cast.board_path).status_code == 200
        refused = guest.send(cast.board_path, name="Gus")
    assert refused.status_code == 503
    assert guest.send(cast.board_path, name="Gus").status_code == 303
    assert guest.send(cast.board_path, name="Gus").status_code == 303  # the turn of the first has ended


def test_who_needs_no_turn_waits_for_none(turnstile: Turnstile) -> None:
    with turn(), ExitStack():
        done = threading.Event()

        def ask() -> None:
            with turn_of_others():
                done.set()

        _in_thread(ask).join(10)
        assert done.is_set()
