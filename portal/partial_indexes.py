"""Indexes over some of a table's rows, with the condition said once for both databases."""

import sqlalchemy as sa


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> sa.Index:
    """An index over the rows for which the SQL condition `where` is true. A query has to say it, to be answered by it.

    SQLAlchemy has an argument for each database, and ignores that of the other.
    """
    condition = sa.text(where)
    return sa.Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
