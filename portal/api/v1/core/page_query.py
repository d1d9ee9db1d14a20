"""Building the SELECT that reads one page of a list.

Building it takes longer than executing it, so statements that many requests have in common are cached. What differs
from one request to the next is bound when the statement is executed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa

from portal.api.v1.core.query_params import EVERYTHING, FARTHEST_PAGE, Listing, ListQuery
from portal.db import literal_limit
from portal.permissions.visibility import Narrowing

DEEP_PAGE = 1_000
"""How many rows deep a page must be for reading all visible rows once to be faster than reading each relation's."""

Uuids = sa.Select[UUID] | sa.CompoundSelect[UUID]
Rows = sa.Select[*tuple[Any, ...]]


@dataclass(frozen=True, eq=False)
class VisibleRows:
    """A list of which the reader sees the rows of several relations, such as rooms he owns and rooms he is a member of.

    `needed` selects the uuids of one page, given a function that narrows, orders and limits the SELECT of each
    relation; `everything` selects the uuids of all visible rows; `rows` selects the rows of these uuids.
    """

    needed: Callable[[Narrowing], Uuids]
    everything: sa.Select[UUID]
    rows: Callable[[Uuids], Rows]


@dataclass(frozen=True)
class PageSpec:
    """The part of a `ListQuery` that decides how the statement looks: conditions, order, and which page.

    `page` is 0 if the page is found by a cursor. `after` tells what the cursor holds: "" no position, "value" a
    position by value, "none" a position among the rows without a value, which come last.
    """

    listing: Listing
    order: str
    descending: bool
    limit: int
    page: int
    after: Literal["", "value", "none"]
    conditions: tuple[sa.ColumnElement[bool], ...]
    by_words: bool

    @property
    def depth(self) -> int:
        """How many rows have to be read: up to the end of the page; by cursor one page, and one row more.

        The additional row tells whether there is a next page.
        """
        return self.page * self.limit or self.limit + 1


def page_statements(
    asked: ListQuery, source: Rows | VisibleRows, options: tuple[Any, ...]
) -> tuple[Rows, sa.Select[int]]:
    """The statement that reads the page, and the one that counts the whole list. Execute both with `cursor_params`.

    Rows of a page by number have the column `_total`; rows after which a cursor may continue have `_order` and `_tie`.
    `options` are loader options of the rows.
    """
    spec = PageSpec(
        asked.listing,
        asked.order,
        asked.descending,
        asked.limit or EVERYTHING,
        0 if asked.by_cursor else asked.page,
        "" if asked.cursor is None else "value" if asked.cursor[0] is not None else "none",
        asked.conditions,
        asked.by_words,
    )
    return (
        _build(spec, source, options)
        if spec.conditions or not isinstance(source, VisibleRows)
        else _build_cached(spec, source, options)
    )


def cursor_params(asked: ListQuery) -> dict[str, Any]:
    """The values to bind for the cursor of the query."""
    return {} if asked.cursor is None else dict(zip(("after_place", "after_tie"), asked.cursor, strict=True))


def _build(spec: PageSpec, source: Rows | VisibleRows, options: tuple[Any, ...]) -> tuple[Rows, sa.Select[int]]:
    rows, total = _page_rows(spec, source)
    if spec.page:
        rows = rows.add_columns(total.scalar_subquery().label("_total")).offset(
            literal_limit((spec.page - 1) * spec.limit)
        )
    if spec.page in {0, FARTHEST_PAGE}:
        rows = rows.add_columns(_order_column(spec).label("_order"), spec.listing.tie.label("_tie"))
    return rows.options(*options).limit(literal_limit(spec.limit if spec.page else spec.depth)), total


_build_cached = lru_cache(maxsize=64)(_build)


def _page_rows(spec: PageSpec, source: Rows | VisibleRows) -> tuple[Rows, sa.Select[int]]:
    """The ordered SELECT of the rows, of which the page is one part, and the SELECT that counts them all."""
    conditions = (*spec.conditions, *_after(spec))
    if not isinstance(source, VisibleRows):
        return _ordered(spec, source.where(*conditions)), _count(source.where(*conditions))
    through = spec.listing.columns[spec.order].through

    def narrowed(query: sa.Select[UUID]) -> sa.Select[UUID]:
        return (query if through is None else query.join(through)).where(*conditions)

    if spec.by_words or spec.depth > DEEP_PAGE:
        return _materialized_rows(spec, source, narrowed(source.everything))
    needed = source.needed(lambda relation: _ordered(spec, narrowed(relation)).limit(literal_limit(spec.depth)))
    return _ordered(spec, source.rows(needed)), _count(source.everything.where(*conditions))


def _materialized_rows(spec: PageSpec, source: VisibleRows, query: sa.Select[UUID]) -> tuple[Rows, sa.Select[int]]:
    """The rows and their number for a search by words or a deep page: find all rows first, then order them.

    The index of words has no order. Without MATERIALIZED PostgreSQL, which assumes any word to be frequent, would walk
    through all rooms in their order instead of using it.
    """
    found = query.add_columns(_order_column(spec).label("sort_value")).cte("found").prefix_with("MATERIALIZED")
    first = (
        sa.select(found.c.uuid)
        .order_by(*_order(spec, found.c.sort_value, found.c.uuid))
        .limit(literal_limit(spec.depth))
    )
    return _ordered(spec, source.rows(first)), sa.select(sa.func.count()).select_from(found)


def _ordered(spec: PageSpec, select: sa.Select[Any]) -> sa.Select[Any]:
    return select.order_by(*_order(spec, _order_column(spec), spec.listing.tie))


def _order(spec: PageSpec, value: Any, tie: Any) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    order = value.desc() if spec.descending else value.asc()
    if spec.listing.columns[spec.order].nullable:  # for others it would keep indexes from being read backwards
        order = order.nulls_last()
    return order, tie.desc() if spec.descending else tie.asc()


def _count(select: sa.Select[Any]) -> sa.Select[int]:
    counted = select.with_only_columns(sa.func.count(), maintain_column_froms=True)
    return counted.order_by(None).correlate(None)


def _order_column(spec: PageSpec) -> Any:
    """The column by which the rows are ordered."""
    return spec.listing.columns[spec.order].expression


def _after(spec: PageSpec) -> list[sa.ColumnElement[bool]]:
    """The condition for rows that follow the cursor's position. Rows without a value come last in both directions."""
    if not spec.after:
        return []
    here: Any = spec.listing.tie
    there: Any = sa.bindparam("after_tie", type_=sa.Uuid())
    if spec.after == "value":
        here = sa.tuple_(_order_column(spec), here)
        there = sa.tuple_(sa.bindparam("after_place", type_=_order_column(spec).type), there)
    further = here < there if spec.descending else here > there
    if not spec.listing.columns[spec.order].nullable:
        return [further]
    none = _order_column(spec).is_(None)
    return [sa.and_(none, further) if spec.after == "none" else sa.or_(further, none)]
