"""What psycopg is made to do less, and that results still have the columns and the times that they should."""

from datetime import UTC

import pytest
import sqlalchemy as sa
from flask import Flask
from psycopg import _queries

from portal.admission.queries import find_door
from portal.db import db, session
from portal.people.models import User
from tests.cast import Cast

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


def test_the_placeholders_of_a_long_statement_are_looked_for_once(app: Flask, cast: Cast) -> None:
    with app.app_context():
        find_door(cast.board)
        before = _queries._query2pg.cache_info()
        find_door(cast.board)
        after = _queries._query2pg.cache_info()
    assert (after.hits - before.hits, after.misses - before.misses) == (1, 0)


def test_a_result_knows_the_names_of_its_columns_and_a_command_has_none(app: Flask) -> None:
    with app.app_context():
        assert list(session.execute(sa.text("SELECT 1 AS one, 'é' AS \"zwei ö\"")).keys()) == ["one", "zwei ö"]
        assert not session.connection().execute(sa.text("SET jit = off")).returns_rows


def test_times_are_in_utc_wherever_the_server_is(app: Flask, cast: Cast) -> None:
    with app.app_context():
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            name = connection.engine.url.database
            connection.execute(sa.text(f"ALTER DATABASE \"{name}\" SET timezone = 'Asia/Tokyo'"))
        db.engine.dispose()
        assert session.scalars(sa.select(User.created_at)).first().tzinfo is UTC  # type: ignore[union-attr]
