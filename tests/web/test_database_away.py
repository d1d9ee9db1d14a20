"""A database that is locked or gone: a page that says so, `readyz` says it too, and nothing has to be restarted."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from structlog.testing import capture_logs

from portal import db, engine, revisions
from portal.app import create_app
from portal.edge import transaction
from portal.rooms.models import Role
from portal.web import health
from tests import servers
from tests.cast import Cast, Client
from tests.conftest import BOTH, settings_for
from tests.servers import Portal, wait_for

POSTGRES = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Somebody else writes, and does not end."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


@contextmanager
def shut(address: str) -> Iterator[Callable[[], None]]:
    """The server lets nobody into this database, and sends away those who are in. Opened again at the end, or by the value."""
    url = sa.make_url(address)
    admin = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")

    def allow(word: str) -> None:
        with admin.connect() as connection:
            connection.execute(sa.text(f'ALTER DATABASE "{url.database}" WITH ALLOW_CONNECTIONS {word}'))
            connection.execute(
                sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
                {"name": url.database},
            )

    allow("false")
    yield lambda: allow("true")
    allow("true")
    admin.dispose()


def becomes(client: Client, status: int) -> None:
    """The answer of `readyz` is kept for a second."""
    wait_for(lambda: client.get("/readyz").status_code == status, what=f"readyz {status}")


def test_a_locked_database_is_a_page_that_says_so_and_recovers(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "WRITER_TIMEOUT", 0.05)
    guest = cast.follow(Role.GUEST)
    proof = {"csrf_token": guest.token(cast.board_path)}
    with locked(tmp_path / "foyer.db"):
        refused = guest.post(cast.board_path, data={**proof, "name": "Gus"})
        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "5"
        assert "Back in a moment" in refused.text
        becomes(guest, 503)
        assert guest.get("/readyz").json == {"status": "unavailable", "cause": "database"}
        assert guest.get("/livez").status_code == 200
        assert guest.get(cast.board_path).status_code == 200  # who only reads need not wait for a writer
    assert guest.post(cast.board_path, data={**proof, "name": "Gus"}).status_code == 303
    becomes(guest, 200)


@POSTGRES
def test_a_database_that_is_away_is_a_page_that_says_so_and_recovers(cast: Cast, database: str) -> None:
    alice = cast.sign_in("alice")
    with shut(database):
        for path in ("/manage/rooms", cast.board_path, "/sign-in"):
            assert alice.get(path).status_code == 503, path
        becomes(alice, 503)
        assert alice.get("/livez").status_code == 200
    becomes(alice, 200)
    assert "Board meeting" in alice.get("/manage/rooms").text


@POSTGRES
def test_nobody_meets_a_connection_that_died_while_nobody_used_it(
    cast: Cast, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server was started anew meanwhile, say: the pool still holds connections to the one before."""
    monkeypatch.setattr(engine, "TRUSTED_SECONDS", 0)
    alice = cast.sign_in("alice")
    with shut(database):
        pass
    assert alice.get("/manage/rooms").status_code == 200


@BOTH
def test_a_commit_that_fails_is_the_same_page_and_nothing_is_said_to_be_done(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = cast.sign_in("alice")
    proof = alice.token("/me")

    class Failing:
        def __getattr__(self, name: str) -> object:
            return getattr(db.session, name)

        def commit(self) -> None:
            raise sa.exc.OperationalError("COMMIT", None, Exception("disk is full"))

    with monkeypatch.context() as failing:
        failing.setattr(transaction, "session", Failing())
        answer = alice.post("/me", data={"csrf_token": proof, "name": "Alice Other", "timezone": "UTC"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["Content-Security-Policy"]
    page = alice.get("/me").text
    assert "Saved." not in page
    assert "Alice Moreau" in page


@BOTH
def test_a_database_without_our_tables_is_not_ready_and_no_page_says_later(app: Flask, cast: Cast) -> None:
    alice = cast.sign_in("alice")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with app.app_context():
        revisions.downgrade("base")
    becomes(alice, 503)
    assert alice.get("/readyz").json == {"status": "unavailable", "cause": "migrations"}
    with capture_logs() as lines:
        answer = alice.get("/manage/rooms")
    assert answer.status_code == 500
    error_id = next(line["error_id"] for line in lines if line["event"] == "unexpected error")
    assert f"Error number {error_id}" in answer.text


@BOTH
def test_an_older_database_is_not_ready(app: Flask) -> None:
    with app.app_context(), db.transaction():
        db.session.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))
    assert app.test_client().get("/readyz").json == {"status": "unavailable", "cause": "migrations"}


def test_asking_often_whether_it_is_ready_takes_the_writer_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def nothing() -> str:
        asked.append("")
        return ""

    monkeypatch.setattr(health, "KEPT_SECONDS", 60)
    monkeypatch.setattr(health, "missing", nothing)
    client = app.test_client()
    assert {client.get("/readyz").status_code for _ in range(20)} == {200}
    assert len(asked) == 1


@POSTGRES
def test_a_log_line_about_a_statement_holds_none_of_its_values(app: Flask) -> None:
    with app.app_context(), pytest.raises(sa.exc.ProgrammingError) as raised:
        db.session.execute(sa.text("SELECT :email FROM nowhere"), {"email": "secret@demo.example"})
    assert "secret@demo.example" not in str(raised.value)


def test_the_server_starts_while_the_database_is_away_and_works_once_it_is_there(
    postgres_server: str, tmp_path: Path
) -> None:
    address = servers.new_database(postgres_server)
    portal = Portal(tmp_path / "data", environment={"DATABASE_URL": address})
    portal.run("migrate")
    ghost = _ghost(create_app(settings_for(address, tmp_path)))
    with shut(address) as open_again:
        portal.start(ready=False)
        try:
            wait_for(lambda: portal.status("/livez") == 200, seconds=40, what="the start")
            assert portal.status("/readyz") == 503
            open_again()
            wait_for(portal.ready, what="readiness")
            wait_for(lambda: _is_away(address, ghost), seconds=40, what="the sweeper's work")
        finally:
            portal.stop()


def _ghost(app: Flask) -> str:
    """Somebody whom a crash left in a room: the id of the participation."""
    from portal import demo
    from portal.status.arrivals import enter_session
    from tests.status.entrances import read_entrance

    with app.app_context():
        demo.furnish()
        with db.transaction():
            room = Cast(app).room()
            ghost = enter_session(here=read_entrance(room, "gone"), name="Ghost", role=Role.GUEST, device="gone").id
        db.db.engine.dispose()
    return ghost


def _is_away(address: str, participation_id: str) -> bool:
    """Whether the sweep has noticed that no heartbeat comes. It takes `ALIVE_SECONDS`, and ends nothing yet."""
    engine = sa.create_engine(address)
    with engine.connect() as connection:
        away_since = connection.execute(
            sa.text("SELECT away_since FROM participations WHERE id = :id"), {"id": participation_id}
        ).scalar()
    engine.dispose()
    return away_since is not None
