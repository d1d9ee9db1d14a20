"""The statement that reads one page of a list.

Making it takes longer than the database does, so those that many ask for alike are kept: what differs from
one request to the next is bound when it is run.
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
"""So many rows are read sooner once than in each arm."""

Uuids = sa.Select[UUID] | sa.CompoundSelect[UUID]
Rows = sa.Select[*tuple[Any, ...]]


@dataclass(frozen=True, eq=False)
class VisibleRows:
    """A list that `visibility` reads by arms: what of them a page needs, all of it at once, and the rows of these."""

    needed: Callable[[Narrowing], Uuids]
    everything: sa.Select[UUID]
    rows: Callable[[Uuids], Rows]


@dataclass(frozen=True)
class PageSpec:
    """What of a query the statement is made from: which rows, in which order, and which part of them.

    `page` is 0 where a cursor leads, `after` what it says of the place: nothing, a value, or that there is none.
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
        """How many rows there are up to the end of the page, and one more to see whether others follow a cursor's."""
        return self.page * self.limit or self.limit + 1


def page_statements(
    asked: ListQuery, source: Rows | VisibleRows, options: tuple[Any, ...]
) -> tuple[Rows, sa.Select[int]]:
    """One that reads the page, and one that counts the whole list, to be run with `visitor_params`.

    The rows of a page by number have `_total`; those after which a cursor may lead on have `_order` and `_tie`.
    """
    cut = PageSpec(
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
        _build(cut, source, options)
        if cut.conditions or not isinstance(source, VisibleRows)
        else _build_cached(cut, source, options)
    )


def cursor_params(asked: ListQuery) -> dict[str, Any]:
    """The values that the statement needs for the cursor."""
    return {} if asked.cursor is None else dict(zip(("after_place", "after_tie"), asked.cursor, strict=True))


def _build(cut: PageSpec, source: Rows | VisibleRows, options: tuple[Any, ...]) -> tuple[Rows, sa.Select[int]]:
    rows, total = _page_rows(cut, source)
    if cut.page:
        rows = rows.add_columns(total.scalar_subquery().label("_total")).offset(
            literal_limit((cut.page - 1) * cut.limit)
        )
    if cut.page in {0, FARTHEST_PAGE}:
        rows = rows.add_columns(_order_column(cut).label("_order"), cut.listing.tie.label("_tie"))
    return rows.options(*options).limit(literal_limit(cut.limit if cut.page else cut.depth)), total


_build_cached = lru_cache(maxsize=64)(_build)


def _page_rows(cut: PageSpec, source: Rows | VisibleRows) -> tuple[Rows, sa.Select[int]]:
    """The rows that are asked for, so many of them that the page is among the first; and how many there are."""
    conditions = (*cut.conditions, *_after(cut))
    if not isinstance(source, VisibleRows):
        return _ordered(cut, source.where(*conditions)), _count(source.where(*conditions))
    through = cut.listing.columns[cut.order].through

    def narrowed(query: sa.Select[UUID]) -> sa.Select[UUID]:
        return (query if through is None else query.join(through)).where(*conditions)

    if cut.by_words or cut.depth > DEEP_PAGE:
        return _materialized_rows(cut, source, narrowed(source.everything))
    needed = source.needed(lambda arm: _ordered(cut, narrowed(arm)).limit(literal_limit(cut.depth)))
    return _ordered(cut, source.rows(needed)), _count(source.everything.where(*conditions))


def _materialized_rows(cut: PageSpec, source: VisibleRows, query: sa.Select[UUID]) -> tuple[Rows, sa.Select[int]]:
    """The same for what no arm can cut short: all that is found is read, and then put in order.

    An index of words knows no order, and PostgreSQL, which takes any word for a frequent one, would walk the rooms in
    theirs to meet it.
    """
    found = query.add_columns(_order_column(cut).label("place")).cte("found").prefix_with("MATERIALIZED")
    first = sa.select(found.c.uuid).order_by(*_order(cut, found.c.place, found.c.uuid)).limit(literal_limit(cut.depth))
    return _ordered(cut, source.rows(first)), sa.select(sa.func.count()).select_from(found)


def _ordered(cut: PageSpec, select: sa.Select[Any]) -> sa.Select[Any]:
    return select.order_by(*_order(cut, _order_column(cut), cut.listing.tie))


def _order(cut: PageSpec, place: Any, tie: Any) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    order = place.desc() if cut.descending else place.asc()
    if cut.listing.columns[cut.order].nullable:  # else saying so would keep indexes from being read backwards
        order = order.nulls_last()
    return order, tie.desc() if cut.descending else tie.asc()


def _count(select: sa.Select[Any]) -> sa.Select[int]:
    counted = select.with_only_columns(sa.func.count(), maintain_column_froms=True)
    return counted.order_by(None).correlate(None)


def _order_column(cut: PageSpec) -> Any:
    """What the rows are ordered by."""
    return cut.listing.columns[cut.order].expression


def _after(cut: PageSpec) -> list[sa.ColumnElement[bool]]:
    """The rows that come after the cursor's; those without a value come last, whatever the direction."""
    if not cut.after:
        return []
    here: Any = cut.listing.tie
    there: Any = sa.bindparam("after_tie", type_=sa.Uuid())
    if cut.after == "value":
        here = sa.tuple_(_order_column(cut), here)
        there = sa.tuple_(sa.bindparam("after_place", type_=_order_column(cut).type), there)
    further = here < there if cut.descending else here > there
    if not cut.listing.columns[cut.order].nullable:
        return [further]
    none = _order_column(cut).is_(None)
    return [sa.and_(none, further) if cut.after == "none" else sa.or_(further, none)]
