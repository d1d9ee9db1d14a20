"""A list as the query language asked for it: one page of rows, and the `meta` that goes with it."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import current_app, request

from portal.api.v1.language import EVERYTHING, Query, cursor_of
from portal.db import session
from portal.errors import Invalid, Message


def rows_of(asked: Query, select: Any, *options: Any) -> tuple[list[Any], dict[str, Any]]:
    """The rows of this page, and `meta.pagination`. `options` say what is loaded with them."""
    select = select.where(*asked.conditions)
    return _by_cursor(asked, select, options) if asked.by_cursor else _by_page(asked, select, options)


def _ordered(asked: Query, select: sa.Select[Any]) -> sa.Select[Any]:
    column, tie = asked.listing.columns[asked.order].order, asked.listing.tie
    if asked.descending:
        return select.order_by(column.desc(), tie.desc())
    return select.order_by(column.asc(), tie.asc())


def _by_page(asked: Query, select: sa.Select[Any], options: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    counted = select.with_only_columns(sa.func.count(), maintain_column_froms=True).order_by(None)
    limit = asked.limit or EVERYTHING
    with_total = select.add_columns(counted.correlate(None).scalar_subquery().label("_total"))
    found = _ordered(asked, with_total).options(*options).limit(limit).offset((asked.page - 1) * limit)
    rows = list(session.execute(found).unique())
    total = rows[0]._total if rows else 0
    if not rows and asked.page > 1:  # beyond the end, where no row says how many there are
        total = session.scalar(counted) or 0
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


def _by_cursor(asked: Query, select: sa.Select[Any], options: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    column, tie = asked.listing.columns[asked.order].order, asked.listing.tie
    if asked.cursor is not None:
        value, uuid = asked.cursor
        here = sa.tuple_(column, tie)
        there = sa.tuple_(sa.literal(value, column.type), sa.literal(uuid, sa.Uuid()))
        select = select.where(here < there if asked.descending else here > there)
    select = select.add_columns(column.label("_order"), tie.label("_tie"))
    found = _ordered(asked, select).options(*options).limit(asked.limit + 1)
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


def _link(**changed: Any) -> str:
    names = {**request.args.to_dict(), **{name: str(value) for name, value in changed.items()}}
    return f"{current_app.config['BASE_URL']}{request.path}?{urlencode(names)}"
