"""What is swept away once an hour: each kind for itself, whatever becomes of the others."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.app import create_app
from portal.db import session, transaction
from portal.jobs import housekeeping
from portal.jobs.housekeeping import tidy_up
from portal.jobs.queue import make_queue
from portal.people.actor import actor_of
from portal.rooms.models import Room
from portal.rooms.operations import trash_room
from portal.rooms.purging import TRASH_DAYS
from tests.cast import Cast
from tests.conftest import BOTH, settings_for


def rooms(app: Flask) -> set[str]:
    with app.app_context():
        return set(session.scalars(sa.select(Room.id)))


@BOTH
def test_a_sweep_that_fails_undoes_only_its_own_work_and_keeps_no_other_from_being_done(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context(), transaction():
        trash_room(cast.room(), by=actor_of(cast.user("alice")))

    def breaks() -> NoReturn:
        session.execute(sa.delete(Room))
        raise ArithmeticError("this sweep breaks")

    swept = housekeeping.SWEEPS
    monkeypatch.setattr(housekeeping, "SWEEPS", (breaks, *swept, breaks))
    with time_machine.travel(datetime.now(UTC) + timedelta(days=TRASH_DAYS, minutes=1), tick=True), app.app_context():
        assert tidy_up() == 2
    assert rooms(app) == {cast.open_house}


def test_each_sweep_is_one_that_can_be_done_alone(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for sweep in housekeeping.SWEEPS:
        monkeypatch.setattr(housekeeping, "SWEEPS", (sweep,))
        with app.app_context():
            assert tidy_up() == 0, sweep.__name__
    assert rooms(app) == {cast.board, cast.open_house}


def test_what_takes_many_transactions_is_done_outside_one_and_its_failure_is_told(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside: list[bool] = []

    def steps() -> NoReturn:
        inside.append(session().in_transaction())
        raise ArithmeticError("these steps break")

    monkeypatch.setattr(housekeeping, "IN_STEPS", (steps,))
    with app.app_context():
        assert tidy_up() == 1
    assert inside == [False]


def test_the_queue_tidies_up(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(settings_for(database, tmp_path))
    swept: list[bool] = []

    def sweep() -> None:
        session.execute(sa.delete(Room))
        swept.append(True)

    monkeypatch.setattr(housekeeping, "SWEEPS", (sweep,))
    queue = make_queue(app, app.config["SETTINGS"])
    [task] = [made for made in queue._registry.periodic_tasks if made.name == "tidy_up"]
    queue.execute(task)
    queue.storage.close()
    assert (swept, rooms(app)) == ([True], set())
