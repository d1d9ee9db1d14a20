"""Searching rows by words: each word typed must begin one of the words of a row. Equal on both databases, by an index.

A column holds the words of each row as `search_terms` splits them. Over it PostgreSQL has a GIN index, and SQLite a
full-text table with triggers, numbered by a table of its own, because VACUUM may change the numbers of rows.
A migration creates both.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import InstrumentedAttribute

from portal.db import session
from portal.search_terms import search_terms

LONGEST_SEARCH = 100  # characters that count
MOST_WORDS = 10


@dataclass(frozen=True)
class WordIndex:
    """The index over the words of one table's rows. `noun` begins the names of SQLite's tables: `room_names`."""

    noun: str
    uuid: InstrumentedAttribute[Any]
    words: InstrumentedAttribute[str]

    def matches(self, text: str) -> sa.ColumnElement[bool]:
        """The SQL condition that each word of `text` begins a word of the row.

        An empty text matches every row; a text without any word, such as "?!", matches none.
        """
        wanted = index_query(text)
        if not wanted:
            return sa.false() if text.strip() else sa.true()
        return self.found_by(sa.literal(wanted, sa.String))

    def found_by(self, query: sa.BindParameter[str]) -> sa.ColumnElement[bool]:
        """The SQL condition that the index finds the row by an `index_query`, which is not empty."""
        if _on_postgresql():
            return self._vector().bool_op("@@")(sa.cast(query, TSQUERY))
        return self.uuid.in_(self._found_by_sqlite(query))

    def _vector(self) -> sa.ColumnElement[Any]:
        """The expression over which the GIN index was created. PostgreSQL uses the index only for exactly this one."""
        return sa.func.array_to_tsvector(sa.func.string_to_array(self.words, sa.literal_column("' '")))

    def _found_by_sqlite(self, wanted: sa.BindParameter[str]) -> sa.Select[*tuple[Any, ...]]:
        row_uuid = f"{self.noun}_uuid"
        numbers = sa.table(f"{self.noun}_numbers", sa.column("number"), sa.column(row_uuid, sa.Uuid()))
        names = sa.table(f"{self.noun}_names", sa.column("rowid"))
        return (
            sa.select(numbers.c[row_uuid])
            .join_from(names, numbers, numbers.c.number == names.c.rowid)
            .where(sa.literal_column(f"{self.noun}_names").op("MATCH")(wanted))
        )


def index_query(text: str) -> str:
    """What asks the database's index for the words of `text`, in its own language; "" for a text without any word."""
    words = search_terms(text[:LONGEST_SEARCH])[:MOST_WORDS]
    if _on_postgresql():
        return " & ".join(f"'{word}':*" for word in words)
    return " AND ".join(f'"{word}" *' for word in words)


def _on_postgresql() -> bool:
    return session.get_bind().dialect.name == "postgresql"
