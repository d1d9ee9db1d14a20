"""How psycopg, the driver of PostgreSQL, is made to do less for each statement. It is loaded with this module."""

from typing import Any

import psycopg
from psycopg import _queries

_queries.MAX_CACHED_STATEMENT_LENGTH = 16_384
"""So long may a statement be whose placeholders psycopg remembers. It would look for them anew each time in the longest
of the portal's statements, which are few and built once."""


class PlainCursor(psycopg.Cursor[Any]):
    """A cursor that describes columns by name and type only, which is all that SQLAlchemy asks of each result.

    psycopg looks up sizes and precisions, too, which takes as long as reading a row of fifty columns.
    """

    @property
    def description(self) -> list[Any] | None:
        """Name and type of each column of the result; None if there is none."""
        result = self.pgresult
        if result is None or not result.nfields:
            return None
        names = ((result.fname(place) or b"").decode() for place in range(result.nfields))
        return [(name, result.ftype(place), None, None, None, None, None) for place, name in enumerate(names)]
