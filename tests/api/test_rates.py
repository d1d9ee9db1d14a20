"""How often somebody may ask: whose requests are counted together, and how that is counted in one process."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import time_machine
from flask import Flask
from limits.storage import RedisStorage

from portal.app import create_app
from portal.credentials.secrets import ACCESS
from portal.db import db
from portal.edge import redis_rates
from portal.edge.rate_storage import SWEEP, InProcessStorage
from portal.edge.redis_rates import OneTripStorage
from tests.api.conftest import NewProgram, Program
from tests.cast import Cast
from tests.conftest import settings_for
from tests.servers import free_port
from tests.statements import statements


def left(program: Program) -> int:
    """How many requests the one that asks has left."""
    return int(program.get("/features").headers["X-RateLimit-Remaining"])


def test_made_up_tokens_are_counted_together_by_network(app: Flask, program: NewProgram) -> None:
    alice, made_up = program("alice"), [Program(app, ACCESS.new()) for _ in range(4)]
    first = left(made_up[0])
    assert [left(one) for one in made_up[1:]] == [first - 1, first - 2, first - 3]
    assert left(Program(app, "")) == first - 4
    assert left(alice) == first  # who has a good one is not held up by what others in his network make up


def test_large_pieces_of_files_are_counted_unless_a_program_sends_them(app: Flask, program: NewProgram) -> None:
    def left_after_piece(sender: Program, answered: int) -> int:
        before = left(sender)
        sent = {"Authorization": f"Bearer {sender.token}"}
        piece = app.test_client().patch("/api/v1/uploads/2222222222", data=bytes(65_536), headers=sent)
        assert piece.status_code == answered
        return before - left(sender)

    assert left_after_piece(program("alice"), 404) == 1
    assert left_after_piece(Program(app, ACCESS.new()), 401) == 2


def test_the_addresses_of_one_ipv6_network_are_counted_together(app: Flask) -> None:
    client = app.test_client()
    remaining = [
        int(client.get("/api/v1/features", environ_overrides={"REMOTE_ADDR": address}).headers["X-RateLimit-Remaining"])
        for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")
    ]
    assert remaining == [remaining[2], remaining[2] - 1, remaining[2]]


def test_a_token_that_no_longer_counts_is_counted_as_none(app: Flask, program: NewProgram) -> None:
    alice, nobody = program("alice"), Program(app, "")
    assert alice.delete("/logout").status_code == 204
    assert left(alice) == left(nobody) + 1


def test_who_asks_is_looked_up_once_whether_known_or_not(app: Flask, program: NewProgram) -> None:
    alice = program("alice")
    alice.get("/features")
    with app.app_context():
        engine = db.engine
    for somebody in (alice, Program(app, ACCESS.new())):
        with statements(engine) as seen:
            somebody.get("/features")
        assert len([line for line in seen if "access_tokens" in line]) == 1


def test_when_to_come_again_is_told_to_whoever_has_to_wait_and_to_nobody_else(
    app: Flask, cast: Cast, program: NewProgram
) -> None:
    alice, path = program("alice"), f"/rooms/{cast.board}"
    tag = alice.get(path).headers["ETag"]
    answers = [
        alice.get("/rooms"),
        alice.get(path, If_None_Match=tag),
        alice.post(f"{path}/tokens", {"role": "guest"}),
        alice.post("/rooms", {}),
        alice.get("/rooms/1111111111"),
        alice.delete(path),
        program("bob").patch(path, {}),
        Program(app, ACCESS.new()).get("/rooms"),
    ]
    assert [answer.status_code for answer in answers] == [200, 304, 201, 422, 404, 204, 404, 401]
    for answer in answers:
        assert "Retry-After" not in answer.headers
        assert answer.headers.getlist("X-RateLimit-Limit") == ["60"]
        assert len(answer.headers.getlist("X-RateLimit-Remaining")) == 1


def test_whoever_came_too_often_is_told_when_there_is_room_again(app: Flask, program: NewProgram) -> None:
    with time_machine.travel(datetime(2027, 1, 31, tzinfo=UTC), tick=False) as clock:
        alice = program("alice")
        for _ in range(left(alice)):
            alice.get("/features")
        clock.shift(timedelta(seconds=20))
        refused = alice.get("/features")
        assert (refused.status_code, refused.headers["X-RateLimit-Remaining"]) == (429, "0")
        seconds = int(refused.headers["Retry-After"])
        assert 40 <= seconds <= 41
        clock.shift(timedelta(seconds=seconds))
        assert alice.get("/features").status_code == 200


@pytest.fixture(params=["in this process", "in Redis"])
def windows(request: pytest.FixtureRequest) -> InProcessStorage | OneTripStorage:
    if request.param == "in this process":
        return InProcessStorage()
    kept = OneTripStorage(f"{redis_rates.SCHEME}+{request.getfixturevalue('valkey_server')}")
    kept.reset()
    return kept


def test_a_window_moves_with_the_time(windows: InProcessStorage | OneTripStorage) -> None:
    with time_machine.travel(datetime(2027, 1, 31, tzinfo=UTC), tick=False) as clock:
        begun = datetime.now(UTC).timestamp()
        assert [windows.acquire_entry("a", 2, 60) for _ in range(2)] == [True, True]
        clock.shift(timedelta(seconds=30))
        assert not windows.acquire_entry("a", 2, 60)
        assert windows.acquire_entry("b", 2, 60)
        assert windows.get_moving_window("a", 2, 60) == (begun, 2)
        clock.shift(timedelta(seconds=31))
        assert windows.get_moving_window("a", 2, 60)[1] == 0
        assert windows.acquire_entry("a", 2, 60)
        assert not windows.acquire_entry("a", 2, 60, amount=2)


def test_redis_is_asked_once_for_a_request(app: Flask, valkey_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    windows = OneTripStorage(f"{redis_rates.SCHEME}+{valkey_server}")
    windows.reset()
    windows.acquire_entry("a", 3, 60)  # which also makes the script known
    sent: list[object] = []
    send = redis.connection.AbstractConnection.send_packed_command

    def count(self: Any, command: object, **more: object) -> None:
        sent.append(command)
        send(self, command, **more)

    monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", count)
    seen = []
    for _ in range(3):
        with app.app_context():
            seen.append((windows.acquire_entry("a", 3, 60), windows.get_moving_window("a", 3, 60)[1]))
    assert seen == [(True, 2), (True, 3), (False, 3)]
    assert len(sent) == 3
    library = RedisStorage(valkey_server)
    assert library.get_moving_window("a", 3, 60)[1] == 3
    assert 0 < library.get_connection().ttl(library.prefixed_key("a")) <= 60


def test_a_program_is_told_to_come_again_while_redis_is_away(database: str, tmp_path: Path) -> None:
    app = create_app(settings_for(database, tmp_path, redis_url=f"redis://127.0.0.1:{free_port()}/0"))
    answer = Program(app, "").get("/features")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_windows_in_which_nothing_happens_any_more_are_forgotten() -> None:
    windows = InProcessStorage()
    with time_machine.travel(datetime(2027, 1, 31, tzinfo=UTC), tick=False) as clock:
        for number in range(100):
            windows.acquire_entry(str(number), 2, 60)
        clock.shift(timedelta(seconds=60 + SWEEP))
        windows.acquire_entry("now", 2, 60)
        assert windows.reset() == 1


def test_counting_starts_no_thread(program: NewProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a timer of the library's run, which would not survive that the portal forks its processes."""
    alice = program("alice")
    started: list[threading.Thread] = []
    monkeypatch.setattr(threading.Thread, "start", started.append)
    assert left(alice) == left(alice) + 1
    assert InProcessStorage().acquire_entry("a", 1, 60)
    assert started == []
