"""Pagination of lists, by number and by cursor: reading one page of rows, and its `meta.pagination`."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import current_app, request

from portal.api.v1.core.page_query import POSITION, Rows, VisibleRows, page_statements
from portal.api.v1.core.query_params import EVERYTHING, FARTHEST_PAGE, ListQuery, cursor_after
from portal.db import read, session
from portal.errors import Invalid, Message
from portal.keyset import bound_values, split

Pagination = dict[str, Any]


def rows_of(
    asked: ListQuery, source: Rows | VisibleRows, *options: Any, params: Mapping[str, Any] | None = None
) -> tuple[list[Any], Pagination]:
    """Read the page that was asked for. Returns its rows and the value of `meta.pagination`.

    `options` are loader options of the rows, `params` values to bind. Raises `Invalid` on `limit` if everything was
    asked for and that is too much.
    """
    page = _by_cursor if asked.by_cursor else _by_page
    return page(asked, source, options, {**(params or {}), **bound_values(asked.after or ())})


def _by_page(
    asked: ListQuery, source: Rows | VisibleRows, options: tuple[Any, ...], params: dict[str, Any]
) -> tuple[list[Any], Pagination]:
    limit = asked.limit or EVERYTHING
    found, total_of = page_statements(asked, source, options)
    rows = _read(found, source, params)
    total = rows[0]._total if rows else 0
    if not rows and asked.page > 1:  # a page beyond the last has no row with the total
        total = session.scalar(total_of, params) or 0
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


def _by_cursor(
    asked: ListQuery, source: Rows | VisibleRows, options: tuple[Any, ...], params: dict[str, Any]
) -> tuple[list[Any], Pagination]:
    found, _ = page_statements(asked, source, options)
    rows, last = split(_read(found, source, params), asked.limit)
    following = _cursor_after(asked, last) if last is not None else None
    pagination = {
        "count": len(rows),
        "per_page": asked.limit,
        "cursor": {"next": following},
        "links": {"previous": None, "next": _link(cursor=following) if following else None},
    }
    return rows, pagination


def _read(found: Rows, source: Rows | VisibleRows, params: dict[str, Any]) -> list[Any]:
    """The rows: columns of `VisibleRows`, else entities, which a joined relation may tell several times."""
    if isinstance(source, VisibleRows):
        return list(read(found, params))
    return list(session.execute(found, params).unique())


def _cursor_after(asked: ListQuery, row: Any) -> str:
    return cursor_after(asked, [getattr(row, name) for name in POSITION])


def _link(**changed: Any) -> str:
    names = {name: value for name, value in {**request.args.to_dict(), **changed}.items() if value is not None}
    return f"{current_app.config['BASE_URL']}{request.path}?{urlencode(names)}"
