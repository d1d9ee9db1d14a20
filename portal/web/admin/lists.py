"""What a list of the admin's pages declares, once: its rows, columns, search and filters.

    STAFF = AdminList(
        name="staff",
        rows=sa.select(*columns_for(StaffRow, User, roles=ROLES)).where(...),
        row=StaffRow,
        uuid=User.uuid,
        columns=(
            ListColumn("name", Message("Name"), lambda row: row.name, Key(User.name)),
            ListColumn("email", Message("E-mail"), lambda row: row.email),
        ),
        search=lambda text: words_begin(User.name, text),
        filters=(ListFilter("status", Message("Status"), Message("Any status"), lambda: STATUS_CHOICES),),
    )

A view answers `list_answer(STAFF, ...)`, and `csv_answer(STAFF)` for the file. A column by which a list of many
rows is sorted needs an index over it and the uuid: pages are found by keyset, and nothing is counted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar

import sqlalchemy as sa

from portal.db import session
from portal.errors import Message
from portal.identifiers import IdentifierMixin
from portal.keyset import Key, Keys, Way

RowT = TypeVar("RowT")
ThingT = TypeVar("ThingT", bound=IdentifierMixin)


@dataclass(frozen=True)
class ListColumn(Generic[RowT]):
    """A column. `text` is what the CSV file holds, and what the page shows unless its template draws the cell.

    `key` makes it sortable.
    """

    name: str
    label: Message
    text: Callable[[RowT], object]
    key: Key | None = None
    kind: Literal["text", "number", "moment"] = "text"
    wide: bool = False
    """Whether its cell takes a whole line on a phone, where a row is a card."""


@dataclass(frozen=True)
class FilterChoice:
    """One choice of a filter. `value` stands in the address."""

    value: str
    label: str
    condition: Callable[[], sa.ColumnElement[bool]]


@dataclass(frozen=True)
class ListFilter:
    """A filter of which one choice, or none, is taken. `any_label` is the choice of none: "Any status"."""

    name: str
    label: Message
    any_label: Message
    choices: Callable[[], Sequence[FilterChoice]]
    """Asked with each page, because choices can be rows, such as roles."""


@dataclass(frozen=True)
class ThingFilter:
    """A filter by one thing out of more than can be offered: pages of such things link to the list with its id.

    `find` returns the choice for an id of the address, or None. While one is taken, it is offered beside `any_label`.
    """

    name: str
    label: Message
    any_label: Message
    find: Callable[[str], FilterChoice | None]


def thing_with_id(model: type[ThingT], public_id: str) -> ThingT | None:
    """The row with this public id, for a `ThingFilter`; None if there is none."""
    return session.scalars(sa.select(model).where(model.id == public_id)).unique().one_or_none()


@dataclass(frozen=True)
class AdminList(Generic[RowT]):
    """A list. The first column names a row; the first sortable one gives the order unless another is asked for."""

    name: str
    rows: sa.Select[*tuple[Any, ...]]
    """Columns that fill `row`, in order; one row for each `uuid`."""
    row: Callable[..., RowT]
    uuid: Any
    columns: Sequence[ListColumn[RowT]]
    search: Callable[[str], sa.ColumnElement[bool]] | None = None
    """Searches a list of few rows: the condition that one matches."""
    found_by: Callable[[str], Sequence[Way]] | None = None
    """Searches a list of many rows by indexes: the ways to those that match, from the rows' own table only. So filters
    and keys need no other table. See `first_found`."""
    filters: Sequence[ListFilter | ThingFilter] = field(default_factory=tuple)
    descending: bool = False
    """Whether the order, unless another is asked for, is from the end."""
    completed: Callable[[list[RowT]], list[RowT]] = lambda rows: rows
    """Adds to some rows at a time what `rows` cannot tell, such as names that only a few of them need."""

    @property
    def searchable(self) -> bool:
        """Whether it can be searched."""
        return self.search is not None or self.found_by is not None

    @cached_property
    def orders(self) -> dict[str, Keys]:
        """The orders by their words in the address: `name`, and `-name` from the end. The first is the default."""
        orders: dict[str, Keys] = {}
        for column in self.columns:
            if column.key is None:
                continue
            for descending in (self.descending, not self.descending):
                keys = [replace(column.key, descending=descending), Key(self.uuid, descending=descending)]
                orders[f"-{column.name}" if descending else column.name] = keys
        return orders

    @property
    def default_order(self) -> str:
        """The order of an address that names none."""
        return next(iter(self.orders))
