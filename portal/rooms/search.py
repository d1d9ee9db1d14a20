"""Finding rooms by the beginnings of the words in their names, by an index, alike on both databases.

`Room.name_words` holds the words as `portal.rooms.search_terms` cuts them. Over it PostgreSQL has a GIN index and
SQLite a full-text table, kept by triggers; both were made by migration 0002.
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
    """Whether the name of a `Room` has, for each word of `text`, a word beginning like it.

    A text without any word, such as "?!", is what all names match if it is empty, and none if it is not.
    """
    words = search_terms(text[:LONGEST_SEARCH])[:MOST_WORDS]
    if not words:
        return sa.false() if text.strip() else sa.true()
    if session.get_bind().dialect.name == "postgresql":
        wanted = sa.cast(sa.literal(" & ".join(f"'{word}':*" for word in words), sa.String), TSQUERY)
        return _vector().bool_op("@@")(wanted)
    return Room.uuid.in_(_found_by_sqlite(" AND ".join(f'"{word}" *' for word in words)))


def _vector() -> sa.ColumnElement[Any]:
    """Exactly the expression that the index has."""
    return sa.func.array_to_tsvector(sa.func.string_to_array(Room.name_words, sa.literal_column("' '")))


def _found_by_sqlite(wanted: str) -> sa.Select[*tuple[Any, ...]]:
    numbers = sa.table("room_numbers", sa.column("number"), sa.column("room_uuid", sa.Uuid()))
    names = sa.table("room_names", sa.column("rowid"))
    return (
        sa.select(numbers.c.room_uuid)
        .join_from(names, numbers, numbers.c.number == names.c.rowid)
        .where(sa.literal_column("room_names").op("MATCH")(wanted))
    )
