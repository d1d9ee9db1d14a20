"""Conditions that a row is found by any of several relations, each a SELECT with an index of its own.

One OR over columns of several tables would make it read every row of them: with 100,000 customers, half a second for
the few accounts of one owner.
"""

from typing import Any

import sqlalchemy as sa


def in_one_of(column: Any, *selects: sa.Select[Any]) -> sa.ColumnElement[bool]:
    """The condition that `column` is in one of these SELECTs of one column."""
    condition: sa.ColumnElement[bool] = column.in_(sa.union(*(one.correlate(None) for one in selects)))
    return condition
