"""Searching rooms by name: each word typed must begin a word of the name. Equal on both databases, with an index.

`Room.name_words` holds the name's words as `search_terms` splits them. Over it PostgreSQL has a GIN index and
SQLite a full-text table with triggers; migration 0002 creates both.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY

from portal.db import session
from portal.rooms.models import Room
from portal.rooms.search_terms import search_terms

LONGEST_SEARCH = 100  # characters that count
MOST_WORDS = 10


def matches(text: str) -> sa.ColumnElement[bool]:
    """The SQL condition that each word of `text` begins a word of the room's name.

    An empty text matches every room; a text without any word, such as "?!", matches none.
    """
    wanted = index_query(text)
    if not wanted:
        return sa.false() if text.strip() else sa.true()
    return found_by(sa.literal(wanted, sa.String))


def index_query(text: str) -> str:
    """What asks the database's index for the words of `text`, in its own language; "" for a text without any word."""
    words = search_terms(text[:LONGEST_SEARCH])[:MOST_WORDS]
    if _on_postgresql():
        return " & ".join(f"'{word}':*" for word in words)
    return " AND ".join(f'"{word}" *' for word in words)


def found_by(query: sa.BindParameter[str]) -> sa.ColumnElement[bool]:
    """The SQL condition that the index finds the room by an `index_query`, which is not empty."""
    if _on_postgresql():
        return _vector().bool_op("@@")(sa.cast(query, TSQUERY))
    return Room.uuid.in_(_found_by_sqlite(query))


def _on_postgresql() -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _vector() -> sa.ColumnElement[Any]:
    """The expression over which the GIN index was created. PostgreSQL uses the index only for exactly this one."""
    return sa.func.array_to_tsvector(sa.func.string_to_array(Room.name_words, sa.literal_column("' '")))


def _found_by_sqlite(wanted: sa.BindParameter[str]) -> sa.Select[*tuple[Any, ...]]:
    numbers = sa.table("room_numbers", sa.column("number"), sa.column("room_uuid", sa.Uuid()))
    names = sa.table("room_names", sa.column("rowid"))
    return (
        sa.select(numbers.c.room_uuid)
        .join_from(names, numbers, numbers.c.number == names.c.rowid)
        .where(sa.literal_column("room_names").op("MATCH")(wanted))
    )
