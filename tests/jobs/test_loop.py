"""The sweeper: never ends, forgets nobody, ends what ran too long, and keeps the age of what is live young."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from structlog.testing import capture_logs

from portal import channels as channels_module
from portal.app import create_app
from portal.channels import InProcess, OverRedis, channels
from portal.clock import now
from portal.db import db, on_commit, session, transaction
from portal.errors import ChannelsAway
from portal.jobs import loop
from portal.rooms.models import Role
from portal.status import maintenance
from portal.status.models import Participation, RoomSession, RoomStatus
from portal.status.presence import AWAY_TIME
from tests.cast import Cast, Client
from tests.conftest import BOTH, settings_for
from tests.servers import free_port


@pytest.fixture
def over_valkey(database: str, tmp_path: object, valkey_server: str) -> Iterator[Cast]:
    """The demo world with channels over a real Valkey."""
    app = create_app(settings_for(database, tmp_path, redis_url=valkey_server))  # type: ignore[arg-type]
    app.test_client_class = Client
    made = channels()
    assert isinstance(made, OverRedis)
    made._redis.flushall()
    yield Cast(app)
    with app.app_context():
        db.engine.dispose()
    channels_module.use("")


def test_a_turn_that_fails_ends_nothing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stop(BaseException):
        pass

    turns: list[int] = []

    def failing(_app: Flask, turn: int) -> None:
        turns.append(turn)
        if turn == 3:
            raise Stop
        raise (ChannelsAway, KeyError, sa.exc.OperationalError("", None, Exception()))[turn]  # type: ignore[misc]

    monkeypatch.setattr(loop, "EVERY_SECONDS", 0)
    monkeypatch.setattr(loop, "one_turn", failing)
    with capture_logs() as lines, pytest.raises(Stop):
        loop.run(app)
    assert turns == [0, 1, 2, 3]
    assert [line["error"] for line in lines] == ["ChannelsAway", "KeyError", "OperationalError"]


def test_what_follows_a_commit_fails_alone(cast: Cast) -> None:
    done: list[str] = []

    def fail() -> None:
        raise ChannelsAway

    with cast.app.app_context(), capture_logs() as lines, transaction():
        session.execute(sa.text("SELECT 1"))
        on_commit(fail)
        on_commit(lambda: done.append("told"))
    assert done == ["told"]
    assert [line["error"] for line in lines] == ["ChannelsAway"]


def test_joining_while_redis_is_away_is_remembered_and_not_answered_with_an_error(cast: Cast) -> None:
    guest = cast.follow(Role.GUEST)
    alice = cast.sign_in("alice")
    channels_module.use(f"redis://127.0.0.1:{free_port()}/0")
    try:
        assert guest.send(cast.board_path, name="Gus").status_code == 303
        pause = f"/manage/rooms/{cast.board}/links/{cast.link_ids[Role.ATTENDEE]}/pause"
        assert alice.post(pause, data={"csrf_token": alice.token("/me")}).status_code == 303
        answer = guest.get("/readyz")
        assert answer.status_code == 503
        assert answer.json == {"status": "unavailable", "cause": "channels"}
    finally:
        channels_module.use("")
    with cast.app.app_context():
        assert [person.name for person in _inside()] == ["Gus"]
    loop.reconcile(cast.app)
    with cast.app.app_context():
        assert list(channels().presence(str(cast.room().uuid))) == [person.id for person in _inside()]


@BOTH
def test_whom_redis_has_forgotten_is_away_and_then_out(over_valkey: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    cast = over_valkey
    cast.join(Role.GUEST)
    made = channels()
    assert isinstance(made, OverRedis)
    made._redis.flushall()
    assert loop.sweep(cast.app) == 0
    monkeypatch.setattr(maintenance, "ALIVE_SECONDS", 0)
    loop.reconcile(cast.app)
    assert loop.sweep(cast.app) == 0
    with cast.app.app_context():
        assert [person.away_since is not None for person in _inside()] == [True]
        made.set_present(str(cast.room().uuid), _inside()[0].id, {}, 0)
    with time_machine.travel(now() + AWAY_TIME):
        assert loop.sweep(cast.app) == 1
    with cast.app.app_context():
        assert _inside() == []


def test_another_process_that_starts_closes_nobody_who_is_on_his_way_in(over_valkey: Cast) -> None:
    cast = over_valkey
    cast.join(Role.GUEST, name="Gus")
    made = channels()
    assert isinstance(made, OverRedis)
    made._redis.flushall()  # committed, and not attended yet
    loop.start(cast.app)
    assert loop.sweep(cast.app) == 0
    with cast.app.app_context():
        assert [person.name for person in _inside()] == ["Gus"]


def test_the_only_process_keeps_at_its_start_the_places_of_whom_a_stop_left_in(cast: Cast) -> None:
    cast.join(Role.GUEST)
    channels_module.use("")
    loop.start(cast.app)
    assert loop.sweep(cast.app) == 0
    with cast.app.app_context():
        assert list(channels().presence(str(cast.room().uuid))) == [person.id for person in _inside()]


def test_a_sweep_that_fails_overwrites_nobody_who_came_back(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    cast.join(Role.GUEST)
    with cast.app.app_context():
        group, member = str(cast.room().uuid), _inside()[0].id
    channels().set_present(group, member, {}, 0)

    def come_back(_gone: object) -> int:
        channels().set_present(group, member, {"camera": True}, 9)
        raise sa.exc.OperationalError("", None, Exception("database is locked"))

    monkeypatch.setattr(loop, "handle_lapsed", come_back)
    with pytest.raises(sa.exc.OperationalError):
        loop.sweep(cast.app)
    assert channels().presence(group) == {member: {"camera": True}}


@BOTH
def test_a_live_room_with_signs_of_life_was_checked_just_now(cast: Cast) -> None:
    cast.join(Role.GUEST)
    long_ago = now() - timedelta(minutes=38)
    with cast.app.app_context():
        with transaction():
            session.execute(sa.update(RoomStatus).values(checked_at=long_ago))
        loop.look(cast.app)
        status = session.get_one(RoomStatus, cast.room().uuid)
        assert now() - status.checked_at < timedelta(seconds=10)
        version = status.version
        with transaction():
            session.execute(sa.update(RoomStatus).values(checked_at=long_ago))
        channels_module.use("")  # nobody shows signs of life
        loop.look(cast.app)
        status = session.get_one(RoomStatus, cast.room().uuid)
        assert (status.checked_at, status.version) == (long_ago, version)
        assert isinstance(channels(), InProcess)


@BOTH
def test_rooms_that_ran_their_time_are_closed_and_the_others_go_on(cast: Cast) -> None:
    cast.join(Role.GUEST)
    with cast.app.app_context(), transaction():
        cast.room().room_features = {"max_duration": 30}
    assert loop.close_overdue(cast.app) == 0
    with cast.app.app_context(), transaction():
        session.execute(sa.update(RoomSession).values(started_at=now() - timedelta(minutes=29)))
    assert loop.close_overdue(cast.app) == 0
    with cast.app.app_context(), transaction():
        session.execute(sa.update(RoomSession).values(started_at=now() - timedelta(minutes=30)))
    assert loop.close_overdue(cast.app) == 1
    assert loop.close_overdue(cast.app) == 0
    with cast.app.app_context():
        assert _inside() == []


def test_finding_overdue_rooms_takes_one_statement(cast: Cast) -> None:
    cast.join(Role.GUEST)
    guest = cast.browser()
    guest.send(cast.open_path, name="Gil")
    with cast.app.app_context():
        with transaction():
            session.execute(sa.update(RoomSession).values(started_at=now() - timedelta(minutes=5)))
        made: list[str] = []
        sa.event.listen(db.engine, "before_cursor_execute", lambda _c, _k, statement, *_: made.append(statement))
        assert maintenance.overdue_runs() == []
    assert len(made) == 1


def _inside() -> list[Participation]:
    return list(session.scalars(sa.select(Participation).where(Participation.left_at.is_(None))))
