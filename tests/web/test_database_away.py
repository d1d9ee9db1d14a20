"""A database that is locked or gone: a page that says so, `readyz` says it too, and nothing has to be restarted."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from portal import db
from portal.rooms.models import Role
from tests.cast import Cast

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
def shut(address: str) -> Iterator[None]:
    """The server lets nobody into this database, and sends away those who are in."""
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
    yield
    allow("true")
    admin.dispose()


def test_a_locked_database_is_a_page_that_says_so_and_recovers(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "WRITER_PATIENCE", 0.05)
    guest = cast.follow(Role.GUEST)
    proof = {"csrf_token": guest.token(cast.board_path)}
    with locked(tmp_path / "foyer.db"):
        refused = guest.post(cast.board_path, data={**proof, "name": "Gus"})
        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "5"
        assert "Back in a moment" in refused.text
        assert guest.get("/readyz").status_code == 503
        assert guest.get("/livez").status_code == 200
        assert guest.get(cast.board_path).status_code == 200  # who only reads need not wait for a writer
    assert guest.post(cast.board_path, data={**proof, "name": "Gus"}).status_code == 303
    assert guest.get("/readyz").status_code == 200


@POSTGRES
def test_a_database_that_is_away_is_a_page_that_says_so_and_recovers(cast: Cast, database: str) -> None:
    alice = cast.sign_in("alice")
    with shut(database):
        for path in ("/manage/rooms", cast.board_path, "/sign-in"):
            assert alice.get(path).status_code == 503, path
        assert alice.get("/readyz").status_code == 503
        assert alice.get("/livez").status_code == 200
    assert alice.get("/readyz").status_code == 200
    assert "Board meeting" in alice.get("/manage/rooms").text


def test_a_database_without_tables_is_not_ready(app: Flask) -> None:
    with app.app_context(), db.transaction():
        db.session.execute(sa.text("DROP TABLE alembic_version"))
    assert app.test_client().get("/readyz").status_code == 503
