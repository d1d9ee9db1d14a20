"""A list as the query language asked for it: one page of rows, and the `meta` that goes with it."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import current_app, request

from portal.api.v1.language import EVERYTHING, Query, cursor_of
from portal.db import session, so_many
from portal.errors import Invalid, Message
from portal.permissions.visibility import Page

Source = sa.Select[*tuple[Any, ...]] | Callable[[Page | None], sa.Select[*tuple[Any, ...]]]
"""What is listed. Where that has arms (see `visibility`), it is made for the page, each arm cut to what is needed."""


def rows_of(asked: Query, source: Source, *options: Any) -> tuple[list[Any], dict[str, Any]]:
    """The rows of this page, and `meta.pagination`. `options` say what is loaded with them."""
    return _by_cursor(asked, source, options) if asked.by_cursor else _by_page(asked, source, options)


def _cut(asked: Query, source: Source, limit: int, *after: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    """The rows that are asked for, and so many of them that the page is among the first `limit`."""

    def page(query: sa.Select[Any]) -> sa.Select[Any]:
        return _ordered(asked, query.where(*asked.conditions, *after)).limit(so_many(limit))

    return _ordered(asked, source(page)) if callable(source) else page(source)


def _ordered(asked: Query, select: sa.Select[Any]) -> sa.Select[Any]:
    column, tie = asked.listing.columns[asked.order], asked.listing.tie
    order = column.expression.desc() if asked.descending else column.expression.asc()
    if column.nullable:  # where nothing is null, saying so would keep indexes from being read backwards
        order = order.nulls_last()
    return select.order_by(order, tie.desc() if asked.descending else tie.asc())


def _total(asked: Query, source: Source) -> sa.Select[int]:
    select = source(None) if callable(source) else source
    counted = select.where(*asked.conditions).with_only_columns(sa.func.count(), maintain_column_froms=True)
    return counted.order_by(None).correlate(None)


def _by_page(asked: Query, source: Source, options: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    limit, total_of = asked.limit or EVERYTHING, _total(asked, source)
    found = _cut(asked, source, asked.page * limit).add_columns(total_of.scalar_subquery().label("_total"))
    found = found.options(*options).limit(so_many(limit)).offset(so_many((asked.page - 1) * limit))
    rows = list(session.execute(found).unique())
    total = rows[0]._total if rows else 0
    if not rows and asked.page > 1:  # beyond the end, where no row says how many there are
        total = session.scalar(total_of) or 0
    if asked.limit == 0 and total > EVERYTHING:
        raise Invalid(limit=Message("These are more than %(most)d rows: go by pages.", most=EVERYTHING))
    pages = max(1, -(-total // limit))
    pagination = {
        "total": total,
        "count": len(rows),
        "per_page": limit,
        "current_page": asked.page,
        "total_pages": pages,
        "links": {
            "previous": _link(page=asked.page - 1) if asked.page > 1 else None,
            "next": _link(page=asked.page + 1) if asked.page < pages else None,
        },
    }
    return rows, pagination


def _by_cursor(asked: Query, source: Source, options: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    column, tie = asked.listing.columns[asked.order].expression, asked.listing.tie
    found = _cut(asked, source, asked.limit + 1, *_after(asked)).add_columns(column.label("_order"), tie.label("_tie"))
    found = found.options(*options).limit(so_many(asked.limit + 1))
    rows = list(session.execute(found).unique())
    more = len(rows) > asked.limit
    rows = rows[: asked.limit]
    following = cursor_of(asked, rows[-1]._order, rows[-1]._tie) if more else None
    pagination = {
        "count": len(rows),
        "per_page": asked.limit,
        "cursor": {"next": following},
        "links": {"previous": None, "next": _link(cursor=following) if following else None},
    }
    return rows, pagination


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
    names = {**request.args.to_dict(), **{name: str(value) for name, value in changed.items()}}
    return f"{current_app.config['BASE_URL']}{request.path}?{urlencode(names)}"
