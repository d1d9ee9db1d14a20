"""Pages by keyset: together they are the whole list in its order, each row once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from operator import itemgetter
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.clock import now
from portal.column_types import UTCDateTime, enum_type
from portal.db import session, transaction
from portal.edge import cursors
from portal.identifiers import new_uuid
from portal.keyset import Key, Keys, Position, backwards, bound_values, keyset, parameters, split
from portal.rooms.models import Role
from tests.conftest import BOTH

THINGS = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("uuid", sa.Uuid(), primary_key=True),
    sa.Column("number", sa.Integer(), nullable=False),
    sa.Column("place", sa.Integer()),
    sa.Column("moment", UTCDateTime()),
    sa.Column("role", enum_type(Role)),
    sa.Column("flag", sa.Boolean(), nullable=False),
)
TIE = Key(THINGS.c.uuid)
COLUMNS = [
    Key(THINGS.c.number),
    Key(THINGS.c.place, nullable=True),
    Key(THINGS.c.moment, nullable=True),
    Key(THINGS.c.role, nullable=True),
    Key(THINGS.c.flag),
]
START = now()
WORDS = sorted(Role, key=lambda role: role.value)

Thing = tuple[UUID, int, int | None, datetime | None, Role | None, bool]


@st.composite
def things(draw: st.DrawFn) -> Thing:
    """Few values, so that many rows have the same."""
    moment = draw(st.none() | st.integers(0, 2))
    return (
        new_uuid(),
        draw(st.integers(0, 2)),
        draw(st.none() | st.integers(-1, 1)),
        None if moment is None else START + timedelta(microseconds=moment),
        draw(st.none() | st.sampled_from(WORDS)),
        draw(st.booleans()),
    )


@st.composite
def orders(draw: st.DrawFn) -> Keys:
    chosen = draw(st.lists(st.sampled_from(COLUMNS), max_size=3, unique=True))
    return [replace(key, descending=draw(st.booleans())) for key in [*chosen, TIE]]


def in_order(rows: list[Thing], keys: Keys) -> list[Thing]:
    """The rows as Python sorts them: by the last key first, rows without a value at the end."""
    names = [column.name for column in THINGS.columns]
    for key in reversed(keys):
        at = names.index(key.column.name)
        filled, empty = [row for row in rows if row[at] is not None], [row for row in rows if row[at] is None]
        rows = sorted(filled, key=itemgetter(at), reverse=key.descending) + empty
    return rows


@pytest.fixture
def table(app: Flask) -> Iterator[None]:
    with app.app_context():
        with transaction():
            THINGS.create(session.connection())
        yield


def pages(keys: Keys, size: int, *, kept_statement: bool) -> list[Thing]:
    """All rows, page by page, each page found by the cursor that the one before it ended with."""
    found: list[Thing] = []
    after: Position | None = None
    while True:
        place: Position | None = after
        if after is not None and kept_statement:
            place = parameters(keys, [value is not None for value in after])
        query = keyset(sa.select(THINGS), keys, place).limit(size + 1)
        rows, last = split(session.execute(query, bound_values(after or ())).all(), size)
        found += [tuple(row) for row in rows]
        if last is None:
            return found
        cursor = cursors.encode([getattr(last, key.column.name) for key in keys], of="things", order="this")
        after = cursors.position_in(cursor, of="things", keys=keys, order="this")
        assert after is not None


@BOTH
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(things(), max_size=12), keys=orders(), size=st.integers(1, 5), kept=st.booleans())
def test_the_pages_together_are_the_sorted_list(
    table: None, rows: list[Thing], keys: Keys, size: int, kept: bool
) -> None:
    with transaction():
        session.execute(sa.delete(THINGS))
        if rows:
            session.execute(sa.insert(THINGS), [dict(zip(THINGS.columns.keys(), row, strict=True)) for row in rows])
        found = pages(keys, size, kept_statement=kept)
        from_the_end = pages(backwards(keys), size, kept_statement=kept)
    assert found == in_order(rows, keys)
    assert from_the_end == found[::-1]


def test_one_direction_is_one_comparison_of_rows_which_an_index_answers() -> None:
    number, moment = Key(THINGS.c.number), Key(THINGS.c.moment, nullable=True)
    for after, keys in (((1, new_uuid()), [number, TIE]), ((START, new_uuid()), [moment, TIE])):
        assert f"({keys[0].column}, things.uuid) > (" in str(keyset(sa.select(THINGS), keys, after))


def test_a_cursor_is_believed_for_its_list_and_order_only(in_app: None) -> None:
    newest, by_number = [replace(COLUMNS[2], descending=True), TIE], [COLUMNS[0], TIE]
    position = [START, new_uuid()]
    cursor = cursors.encode(position, of="things", order="newest")
    assert cursors.decode(cursor, of="things", orders={"newest": newest, "number": by_number}) == ("newest", position)
    assert cursors.position_in(cursor, of="things", keys=newest, order="newest") == position
    for text, of, order in product(
        (cursor, cursor[:-1], "", "nonsense"), ("things", "rooms"), ("newest", "number", "")
    ):
        if (text, of, order) != (cursor, "things", "newest"):
            assert cursors.position_in(text, of=of, keys=newest, order=order) is None
    for wrong in ([None, position[1]], [5, position[1]], ["soon", position[1]], position[:1], [*position, 1]):
        forged = cursors.encode(wrong, of="things", order="newest")
        not_null = [replace(newest[0], nullable=False), TIE]
        assert cursors.position_in(forged, of="things", keys=not_null, order="newest") is None
