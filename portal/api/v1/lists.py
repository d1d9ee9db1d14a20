"""A list as the query language asked for it: one page of rows, and the `meta` that goes with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import sqlalchemy as sa
from flask import current_app, request

from portal.api.v1.language import EVERYTHING, FARTHEST_PAGE, Query, cursor_of
from portal.db import session, so_many
from portal.errors import Invalid, Message
from portal.permissions.visibility import Page

DEEP = 1_000
"""So many rows are read sooner once than in each arm."""
Uuids = sa.Select[UUID] | sa.CompoundSelect[UUID]
Rows = sa.Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Arms:
    """A list that `visibility` reads by arms: what of them a page needs, all of it at once, and the rows of these."""

    needed: Callable[[Page], Uuids]
    everything: sa.Select[UUID]
    rows: Callable[[Uuids], Rows]


def rows_of(asked: Query, source: Rows | Arms, *options: Any) -> tuple[list[Any], dict[str, Any]]:
    """The rows of this page, and `meta.pagination`. `options` say what is loaded with them."""
    return _by_cursor(asked, source, options) if asked.by_cursor else _by_page(asked, source, options)


def _cut(asked: Query, source: Rows | Arms, limit: int, *after: sa.ColumnElement[bool]) -> tuple[Rows, sa.Select[int]]:
    """The rows that are asked for, so many of them that the page is among the first `limit`; and how many there are."""
    conditions = (*asked.conditions, *after)
    if not isinstance(source, Arms):
        return _ordered(asked, source.where(*conditions)).limit(so_many(limit)), _count(source.where(*conditions))
    column = asked.listing.columns[asked.order]

    def narrowed(query: sa.Select[UUID]) -> sa.Select[UUID]:
        return (query if column.through is None else query.join(column.through)).where(*conditions)

    if asked.by_words or limit > DEEP:
        return _found(asked, source, narrowed(source.everything), limit)
    needed = source.needed(lambda arm: _ordered(asked, narrowed(arm)).limit(so_many(limit)))
    return _ordered(asked, source.rows(needed)), _count(source.everything.where(*conditions))


def _found(asked: Query, source: Arms, query: sa.Select[UUID], limit: int) -> tuple[Rows, sa.Select[int]]:
    """The same for what no arm can cut short: all that is found is read, and then put in order.

    An index of words knows no order, and PostgreSQL, which takes any word for a frequent one, would walk the rooms in
    theirs to meet it.
    """
    place = asked.listing.columns[asked.order].expression.label("place")
    found = query.add_columns(place).cte("found").prefix_with("MATERIALIZED")
    first = sa.select(found.c.uuid).order_by(*_order(asked, found.c.place, found.c.uuid)).limit(so_many(limit))
    return _ordered(asked, source.rows(first)), sa.select(sa.func.count()).select_from(found)


def _ordered(asked: Query, select: sa.Select[Any]) -> sa.Select[Any]:
    return select.order_by(*_order(asked, asked.listing.columns[asked.order].expression, asked.listing.tie))


def _order(asked: Query, column: Any, tie: Any) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    order = column.desc() if asked.descending else column.asc()
    if asked.listing.columns[asked.order].nullable:  # else saying so would keep indexes from being read backwards
        order = order.nulls_last()
    return order, tie.desc() if asked.descending else tie.asc()


def _count(select: sa.Select[Any]) -> sa.Select[int]:
    counted = select.with_only_columns(sa.func.count(), maintain_column_froms=True)
    return counted.order_by(None).correlate(None)


def _by_page(asked: Query, source: Rows | Arms, options: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    limit = asked.limit or EVERYTHING
    found, total_of = _cut(asked, source, asked.page * limit)
    extra = [total_of.scalar_subquery().label("_total"), *(_place(asked) if asked.page == FARTHEST_PAGE else ())]
    found = found.add_columns(*extra).options(*options)
    found = found.limit(so_many(limit)).offset(so_many((asked.page - 1) * limit))
    rows = list(session.execute(found).unique())
    total = rows[0]._total if rows else 0
    if not rows and asked.page > 1:  # beyond the end, where no row says how many there are
        total = session.scalar(total_of) or 0
    if asked.limit == 0 and total > EVERYTHING:
        raise Invalid(limit=Message("These are more than %(most)d rows: go by pages.", most=EVERYTHING))
    pages = max(1, -(-total // limit))
    following = _link(page=asked.page + 1) if asked.page < pages else None
    if following and asked.page == FARTHEST_PAGE:
        following = _link(cursor=_cursor_after(asked, rows[-1]), page=None)
    pagination = {
        "total": total,
        "count": len(rows),
        "per_page": limit,
        "current_page": asked.page,
        "total_pages": pages,
        "links": {
            "previous": _link(page=asked.page - 1) if asked.page > 1 else None,
            "next": following,
        },
    }
    return rows, pagination


def _by_cursor(asked: Query, source: Rows | Arms, options: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    found, _ = _cut(asked, source, asked.limit + 1, *_after(asked))
    found = found.add_columns(*_place(asked)).options(*options)
    rows = list(session.execute(found.limit(so_many(asked.limit + 1))).unique())
    more = len(rows) > asked.limit
    rows = rows[: asked.limit]
    following = _cursor_after(asked, rows[-1]) if more else None
    pagination = {
        "count": len(rows),
        "per_page": asked.limit,
        "cursor": {"next": following},
        "links": {"previous": None, "next": _link(cursor=following) if following else None},
    }
    return rows, pagination


def _place(asked: Query) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    """What a cursor after a row is made of."""
    return asked.listing.columns[asked.order].expression.label("_order"), asked.listing.tie.label("_tie")


def _cursor_after(asked: Query, row: Any) -> str:
    return cursor_of(asked, row._order, row._tie)


def _after(asked: Query) -> list[sa.ColumnElement[bool]]:
    """The rows that come after the cursor's; those without a value come last, whatever the direction."""
    if asked.cursor is None:
        return []
    column, (value, uuid) = asked.listing.columns[asked.order], asked.cursor
    here: Any = asked.listing.tie
    there: Any = sa.literal(uuid, sa.Uuid())
    if value is not None:
        here = sa.tuple_(column.expression, here)
        there = sa.tuple_(sa.literal(value, column.expression.type), there)
    further = here < there if asked.descending else here > there
    if not column.nullable:
        return [further]
    none = column.expression.is_(None)
    return [sa.and_(none, further) if value is None else sa.or_(further, none)]


def _link(**changed: Any) -> str:
    names = {name: value for name, value in {**request.args.to_dict(), **changed}.items() if value is not None}
    return f"{current_app.config['BASE_URL']}{request.path}?{urlencode(names)}"
