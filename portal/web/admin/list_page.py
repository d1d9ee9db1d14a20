"""Reading one page of a list of the admin's pages, in either direction, and all of it as a CSV file.

A page is found by the values of the row at which the one beside it ended, so it costs the same at any depth.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from flask import Response, render_template, request

from portal.db import literal_limit, read
from portal.edge import cursors
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.keyset import Keys, Position, backwards, first_found, keyset
from portal.web import htmx
from portal.web.admin.list_query import ListAsked
from portal.web.admin.lists import AdminList, ListColumn, RowT
from portal.web.csv_export import csv_file
from portal.web.forms import query_word

PAGE = 25
CHUNK = 1_000
"""How many rows of a file are read, and held, at a time."""


@dataclass(frozen=True)
class SortLink:
    """What the head of a sortable column leads to, and in which direction the list is sorted by it now, if it is."""

    params: dict[str, str]
    direction: str
    """`ascending`, `descending`, or "" if the list is sorted by something else."""


@dataclass(frozen=True)
class ListPage(Generic[RowT]):
    """One page of a list, as the macros of `admin/components/list.html` draw it."""

    declared: AdminList[RowT]
    asked: ListAsked
    rows: Sequence[RowT]
    previous: str
    """The cursor of the page before, or "" if this is the first."""
    next: str

    @property
    def nothing_yet(self) -> bool:
        """Whether there is nothing at all to list."""
        return not (self.rows or self.asked.narrowed or self.previous)

    def sort_link(self, column: ListColumn[RowT]) -> SortLink | None:
        """The link in the head of a column; None for one that is not sortable."""
        if column.key is None:
            return None
        up, down = column.name, f"-{column.name}"
        first, second = (down, up) if self.declared.descending else (up, down)
        wanted = second if self.asked.order == first else first
        direction = {up: "ascending", down: "descending"}.get(self.asked.order, "")
        return SortLink(dict(self.asked.sorted_by(wanted).params), direction)


def list_answer(declared: AdminList[Any], page: str, piece: str, **more: Any) -> str:
    """The answer of a view that shows a list: the template `page`, or for htmx only its `piece`."""
    template = piece if htmx.asks() else page
    return render_template(template, list=read_page(declared), **more)


def csv_answer(declared: AdminList[Any]) -> Response:
    """The answer of a view that downloads all rows that fit the search and the filters, in their order."""
    asked = ListAsked.read(declared, query_word)
    return csv_file(
        f"{declared.name}.csv",
        [_head(column) for column in declared.columns],
        ([[column.text(row) for column in declared.columns] for row in page] for page in _all_pages(declared, asked)),
    )


def _head(column: ListColumn[Any]) -> str:
    label = translated(column.label)
    return _("%(column)s (UTC)", column=label) if column.kind == "moment" else label


def read_page(declared: AdminList[RowT]) -> ListPage[RowT]:
    """The page that the request's address asks for. An invalid cursor, or one of another order, means the first."""
    asked = ListAsked.read(declared, query_word)
    keys = declared.orders[asked.order]
    before = _position(declared, asked, "before")
    if before is not None:
        records = _records(declared, asked, backwards(keys), before, PAGE + 1)
        if len(records) > PAGE:
            return _page(declared, asked, records[PAGE - 1 :: -1], previous=True, next_=True)
    after = _position(declared, asked, "after") if before is None else None
    records = _records(declared, asked, keys, after, PAGE + 1)
    return _page(declared, asked, records[:PAGE], previous=after is not None, next_=len(records) > PAGE)


def _position(declared: AdminList[Any], asked: ListAsked, name: str) -> Position | None:
    cursor = request.args.get(name, "")
    return cursors.position_in(
        cursor, of=f"admin {declared.name}", keys=declared.orders[asked.order], order=asked.order
    )


def _page(
    declared: AdminList[RowT], asked: ListAsked, records: Sequence[Sequence[Any]], *, previous: bool, next_: bool
) -> ListPage[RowT]:
    def cursor(wanted: bool, at: int) -> str:
        if not wanted or not records:
            return ""
        return cursors.encode(_key_values(records[at]), of=f"admin {declared.name}", order=asked.order)

    rows = _rows(declared, records)
    return ListPage(declared, asked, rows, previous=cursor(previous, 0), next=cursor(next_, -1))


def _all_pages(declared: AdminList[RowT], asked: ListAsked) -> Iterator[list[RowT]]:
    """All rows, some at a time: each time those that follow the last one, whatever was added or deleted meanwhile."""
    after: Position | None = None
    while True:
        records = _records(declared, asked, declared.orders[asked.order], after, CHUNK)
        yield _rows(declared, records)
        if len(records) < CHUNK:
            return
        after = _key_values(records[-1])


_KEYS = 2
"""The values of the order's keys are the last of each record: the column's, and the uuid."""


def _records(
    declared: AdminList[Any], asked: ListAsked, keys: Keys, after: Position | None, limit: int
) -> list[Sequence[Any]]:
    if ways := asked.ways(declared):
        fitting = declared.rows.where(declared.uuid.in_(first_found(ways, keys, after, literal_limit(limit))))
    else:
        fitting = asked.narrow(declared)
    query = fitting.add_columns(*(key.column.label(f"key_{at}") for at, key in enumerate(keys)))
    return list(read(keyset(query, keys, after).limit(literal_limit(limit))))


def _key_values(record: Sequence[Any]) -> Position:
    return list(record[-_KEYS:])


def _rows(declared: AdminList[RowT], records: Sequence[Sequence[Any]]) -> list[RowT]:
    return declared.completed([_row(declared, record) for record in records])


def _row(declared: AdminList[RowT], record: Sequence[Any]) -> RowT:
    return declared.row(*record[:-_KEYS])
