"""What is asked of a list of the admin's pages: search, filters, order and position, read from the address."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from portal.keyset import Way
from portal.web.admin.lists import AdminList, FilterChoice, ListFilter, ThingFilter

LONGEST_SEARCH = 100  # characters that count


@dataclass(frozen=True)
class OfferedFilter:
    """A filter with the choices that it offers now, and the one that is taken, if any."""

    declared: ListFilter | ThingFilter
    choices: tuple[FilterChoice, ...]
    taken: FilterChoice | None


@dataclass(frozen=True)
class ListAsked:
    """What a reader asked for. Unknown values in the address count as absent."""

    search: str
    filters: tuple[OfferedFilter, ...]
    order: str
    default_order: str

    @classmethod
    def read(cls, declared: AdminList[Any], param: Callable[[str], str]) -> "ListAsked":
        """Read it by `param`, which returns a query parameter, or "" if it is absent."""
        order = param("sort")
        return cls(
            search=" ".join(param("search").split())[:LONGEST_SEARCH] if declared.searchable else "",
            filters=tuple(_offered(one, param(one.name)) for one in declared.filters),
            order=order if order in declared.orders else declared.default_order,
            default_order=declared.default_order,
        )

    @property
    def narrowed(self) -> bool:
        """Whether rows are left out."""
        return bool(self.search) or self.filtered

    @property
    def filtered(self) -> bool:
        """Whether a filter leaves rows out."""
        return any(one.taken for one in self.filters)

    @property
    def params(self) -> Mapping[str, str]:
        """The query parameters that ask for this, without a position, and without what is the default."""
        asked = {"search": self.search, "sort": "" if self.order == self.default_order else self.order}
        asked |= {one.declared.name: one.taken.value for one in self.filters if one.taken}
        return {name: value for name, value in asked.items() if value}

    def sorted_by(self, order: str) -> "ListAsked":
        """This, in another order."""
        return replace(self, order=order)

    def narrow(self, declared: AdminList[Any]) -> sa.Select[*tuple[Any, ...]]:
        """The list's rows that fit the search, if that is a condition, and the filters."""
        query = declared.rows
        if self.search and declared.search:
            query = query.where(declared.search(self.search))
        return query.where(*self._conditions())

    def ways(self, declared: AdminList[Any]) -> list[Way]:
        """How the rows are found that fit the search and the filters; none if no indexes are searched."""
        if not self.search or declared.found_by is None:
            return []
        return [way.where(*self._conditions()) for way in declared.found_by(self.search)]

    def _conditions(self) -> list[sa.ColumnElement[bool]]:
        return [one.taken.condition() for one in self.filters if one.taken]


def _offered(declared: ListFilter | ThingFilter, value: str) -> OfferedFilter:
    if isinstance(declared, ThingFilter):
        found = declared.find(value) if value else None
        return OfferedFilter(declared, (found,) if found else (), found)
    choices = tuple(declared.choices())
    return OfferedFilter(declared, choices, next((one for one in choices if one.value == value), None))
