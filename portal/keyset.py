"""Keyset paging: the order of a list, and the rows that follow the one at which a page ended.

Pages are found by the values of that row instead of by a number of rows to skip. So a page costs the same at any depth,
and what is created or deleted meanwhile neither repeats a row nor leaves one out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self, TypeVar
from uuid import UUID

import sqlalchemy as sa


@dataclass(frozen=True)
class Key:
    """A column by which a list is ordered. Rows that have no value there come last, in both directions.

    `nullable` has to be said: an order with NULLS LAST keeps an index from being read backwards. `nulls_first` is for
    reading an order from its end, as `backwards` does.
    """

    column: Any
    descending: bool = False
    nullable: bool = False
    nulls_first: bool = False


Keys = Sequence[Key]
"""An order. The last key decides between rows of equal values, so it is unique and not nullable."""
Position = Sequence[Any]
"""Where a page ended: the last row's value of each key, None for NULL."""

_Query = TypeVar("_Query", bound=sa.Select[*tuple[Any, ...]])
_Row = TypeVar("_Row")


def keyset(query: _Query, keys: Keys, after: Position | None = None) -> _Query:
    """`query` in the order of `keys`; with `after`, only its rows that follow this position.

    Values of `after` can be SQL expressions, such as those of `parameters`, but None always means NULL.
    """
    narrowed = query if after is None else query.where(follows(keys, after))
    return narrowed.order_by(*order_by(keys))


def backwards(keys: Keys) -> Keys:
    """The opposite order, which finds the page before a row."""
    return [
        replace(key, descending=not key.descending, nulls_first=key.nullable and not key.nulls_first) for key in keys
    ]


def found_first(query: sa.Select[UUID], keys: Keys, *, name: str = "found") -> tuple[sa.CTE, Keys]:
    """The rows of `query`, which are all found before any is ordered; and `keys` as columns of them.

    For conditions whose index has no order, such as that of words. PostgreSQL, which takes any word to be frequent,
    would walk through all rows in their order instead, and judge each. `OFFSET 0` keeps it from that; what a CTE that
    is used once costs as a copy of its rows is saved.
    """
    columns = {f"key_{number}": key.column for number, key in enumerate(keys)}
    found = query.add_columns(*(column.label(name) for name, column in columns.items()))
    fenced = found.offset(sa.literal_column("0")).cte(name)
    return fenced, _keys_of(fenced, keys)


class OrderedRows(Protocol):
    """Rows that an index finds in their order. See `rows_of_each`."""

    def where(self, *conditions: sa.ColumnElement[bool]) -> Self:
        """Those of them that fit these conditions, too."""

    def first(self, keys: Keys, after: Position | None, limit: sa.ColumnElement[int], *, name: str) -> sa.Select[Any]:
        """The first of them in this order: their uuids, and the values of the keys as `key_0`, `key_1`."""


Way = sa.Select[UUID] | OrderedRows
"""How rows are found: by a SELECT of their uuids, whose index has no order, or in their order."""


def first_found(
    ways: Sequence[Way], keys: Keys, after: Position | None, limit: sa.ColumnElement[int]
) -> sa.Select[UUID]:
    """The uuids of the first rows, in this order, that any of `ways` finds: all rows of one table.

    Each way brings along the values by which its rows are ordered, and no more than its first rows. So those that are
    found are looked at once, and only the few that can be on the page are put together.
    """
    pages = [_first_of(way, keys, after, limit, name=f"found_{at}") for at, way in enumerate(ways)]
    if len(pages) == 1:
        return sa.select(pages[0].c[0])
    together = sa.union(*(sa.select(page) for page in pages)).subquery()
    return sa.select(together.c[0]).order_by(*order_by(_keys_of(together, keys))).limit(limit)


def _first_of(way: Way, keys: Keys, after: Position | None, limit: sa.ColumnElement[int], *, name: str) -> sa.Subquery:
    if not isinstance(way, sa.Select):
        return way.first(keys, after, limit, name=name).subquery()
    found, its_keys = found_first(way, keys, name=name)
    return keyset(sa.select(found), its_keys, after).limit(limit).subquery()


def _keys_of(found: sa.FromClause, keys: Keys) -> Keys:
    return [replace(key, column=found.c[f"key_{number}"]) for number, key in enumerate(keys)]


def order_by(keys: Keys) -> Iterator[sa.ColumnElement[Any]]:
    """The elements of ORDER BY for these keys."""
    for key in keys:
        ordered = key.column.desc() if key.descending else key.column.asc()
        nulls = ordered.nulls_first if key.nulls_first else ordered.nulls_last
        yield nulls() if key.nullable else ordered


def follows(keys: Keys, after: Position) -> sa.ColumnElement[bool]:
    """The condition that a row comes after this position in the order of `keys`."""
    first, value = keys[0], after[0]
    if first.nullable and value is None:
        further = sa.and_(first.column.is_(None), follows(keys[1:], after[1:]))
        return sa.or_(further, first.column.is_not(None)) if first.nulls_first else further
    if len({key.descending for key in keys}) == 1 and not any(key.nullable for key in keys[1:]):
        further = _further(first.descending, _together(key.column for key in keys), _together(_bound(keys, after)))
    else:  # no comparison of rows orders one column upwards and another downwards
        here, there = first.column, next(_bound(keys, after))
        further = sa.or_(_further(first.descending, here, there), sa.and_(here == there, follows(keys[1:], after[1:])))
    return sa.or_(further, first.column.is_(None)) if first.nullable and not first.nulls_first else further


def parameters(keys: Keys, filled: Sequence[bool]) -> Position:
    """A position of parameters, for a statement that is kept for many positions. `bound_values` has their values.

    `filled` says for each key whether it has a value there, because NULL makes another statement.
    """
    return [
        sa.bindparam(f"after_{number}", type_=key.column.type) if has_value else None
        for number, (key, has_value) in enumerate(zip(keys, filled, strict=True))
    ]


def bound_values(after: Position) -> Mapping[str, Any]:
    """The values of `parameters` at this position, by name."""
    return {f"after_{number}": value for number, value in enumerate(after) if value is not None}


def split(rows: Sequence[_Row], size: int) -> tuple[list[_Row], _Row | None]:
    """The page in `rows`, which were read with one more than `size`; and its last row, or None if no page follows."""
    page = list(rows[:size])
    return page, page[-1] if len(rows) > size else None


def _further(descending: bool, here: Any, there: Any) -> sa.ColumnElement[bool]:
    further: sa.ColumnElement[bool] = here < there if descending else here > there
    return further


def _together(values: Iterator[Any]) -> Any:
    found = list(values)
    return found[0] if len(found) == 1 else sa.tuple_(*found)


def _bound(keys: Keys, after: Position) -> Iterator[Any]:
    for key, value in zip(keys, after, strict=True):
        yield value if isinstance(value, sa.ColumnElement) else sa.literal(value, key.column.type)
