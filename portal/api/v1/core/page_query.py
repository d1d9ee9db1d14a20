"""Building the SELECT that reads one page of a list.

Building it takes longer than executing it, so statements that many requests have in common are cached. What differs
from one request to the next is bound when the statement is executed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.api.v1.core.query_params import EVERYTHING, FARTHEST_PAGE, Listing, ListQuery, order_name
from portal.db import literal_limit, session
from portal.keyset import Keys, follows, found_first, keyset, parameters
from portal.permissions.visibility import Narrowing

DEEP_PAGE = 1_000
"""How many rows deep a page must be for reading all visible rows once to be faster than reading each relation's."""

POSITION = ("_order", "_tie")
"""The columns with a row's position, from which the cursor of the next page is made."""

Uuids = sa.Select[UUID] | sa.CompoundSelect[UUID]
Rows = sa.Select[*tuple[Any, ...]]


@dataclass(frozen=True, eq=False)
class VisibleRows:
    """A list of which the reader sees the rows of several relations, such as rooms he owns and rooms he is a member of.

    `needed` selects the uuids of one page, given a function that narrows, orders and limits the SELECT of each
    relation; `everything` selects the uuids of all visible rows; `rows` selects columns of the rooms with these uuids.
    """

    needed: Callable[[Narrowing], Uuids]
    everything: sa.Select[UUID]
    rows: Callable[[Uuids], Rows]


@dataclass(frozen=True)
class PageSpec:
    """The part of a `ListQuery` that decides how the statement looks: conditions, order, and which page.

    `page` is 0 if the page is found by a cursor. `after` is None if that names no position; else it says for each key
    of the order whether it has a value there.
    """

    listing: Listing
    order: str
    descending: bool
    limit: int
    page: int
    after: tuple[bool, ...] | None
    by_words: bool
    searched: tuple[str, ...]
    dialect: str
    conditions: tuple[sa.ColumnElement[bool], ...] = field(compare=False)
    """What `searched` says, in this dialect."""

    @property
    def keys(self) -> Keys:
        """The keys by which the rows are ordered: the column that was asked for, then the one that decides."""
        return self.listing.orders[order_name(self.order, self.descending)]

    @property
    def depth(self) -> int:
        """How many rows have to be read: up to the end of the page; by cursor one page, and one row more.

        The additional row tells whether there is a next page.
        """
        return self.page * self.limit or self.limit + 1


def page_statements(
    asked: ListQuery, source: Rows | VisibleRows, options: tuple[Any, ...]
) -> tuple[Rows, sa.Select[int]]:
    """The statement that reads the page, and the one that counts the whole list. Bind the position of the cursor.

    Rows of a page by number have the column `_total`; rows after which a cursor may continue have `_order` and `_tie`.
    `options` are loader options of the rows.
    """
    spec = PageSpec(
        asked.listing,
        asked.order,
        asked.descending,
        asked.limit or EVERYTHING,
        0 if asked.by_cursor else asked.page,
        None if asked.after is None else tuple(value is not None for value in asked.after),
        asked.by_words,
        asked.searched,
        session.get_bind().dialect.name,
        asked.conditions,
    )
    return (_build_cached if isinstance(source, VisibleRows) else _build)(spec, source, options)


def _build(spec: PageSpec, source: Rows | VisibleRows, options: tuple[Any, ...]) -> tuple[Rows, sa.Select[int]]:
    rows, total = _page_rows(spec, source)
    if spec.page:
        rows = rows.add_columns(total.scalar_subquery().label("_total")).offset(
            literal_limit((spec.page - 1) * spec.limit)
        )
    if spec.page in {0, FARTHEST_PAGE}:
        rows = rows.add_columns(*(key.column.label(name) for key, name in zip(spec.keys, POSITION, strict=True)))
    return rows.options(*options).limit(literal_limit(spec.limit if spec.page else spec.depth)), total


_build_cached = lru_cache(maxsize=256)(_build)


def _page_rows(spec: PageSpec, source: Rows | VisibleRows) -> tuple[Rows, sa.Select[int]]:
    """The ordered SELECT of the rows, of which the page is one part, and the SELECT that counts them all."""
    conditions = spec.conditions
    if spec.after is not None:
        conditions = (*conditions, follows(spec.keys, parameters(spec.keys, spec.after)))
    if not isinstance(source, VisibleRows):
        return keyset(source.where(*conditions), spec.keys), _count(source.where(*conditions))
    through = spec.listing.columns[spec.order].through

    def narrowed(query: sa.Select[UUID]) -> sa.Select[UUID]:
        return (query if through is None else query.join(through)).where(*conditions)

    if spec.by_words or spec.depth > DEEP_PAGE:
        return _rows_found_first(spec, source, narrowed(source.everything))
    needed = source.needed(lambda one: keyset(narrowed(one), spec.keys).limit(literal_limit(spec.depth)))
    return keyset(source.rows(needed), spec.keys), _count(source.everything.where(*conditions))


def _rows_found_first(spec: PageSpec, source: VisibleRows, query: sa.Select[UUID]) -> tuple[Rows, sa.Select[int]]:
    """The rows and their number for a search by words or a deep page: find all rows first, then order them."""
    found, keys = found_first(query, spec.keys)
    first = keyset(sa.select(found.c.uuid), keys).limit(literal_limit(spec.depth))
    return keyset(source.rows(first), spec.keys), sa.select(sa.func.count()).select_from(found)


def _count(select: sa.Select[Any]) -> sa.Select[int]:
    counted = select.with_only_columns(sa.func.count(), maintain_column_froms=True)
    return counted.order_by(None).correlate(None)
