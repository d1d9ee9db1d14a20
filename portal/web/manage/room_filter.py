"""The search, filters and order of the list of rooms, read from and written to query parameters.

All rooms are of one type so far. To filter by type, do as for `status`: a field here, a condition in
`room_list`, a field in the template.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from portal.identifiers import ID_LENGTH
from portal.word_search import LONGEST_SEARCH

_Choice = TypeVar("_Choice", bound=StrEnum)


class StatusFilter(StrEnum):
    """Which rooms to list: all, those that are live now, or those whose status is active or inactive."""

    ALL = "all"
    LIVE = "live"
    ACTIVE = "active"
    INACTIVE = "inactive"


class RoomOrder(StrEnum):
    """How to sort the rooms that are not live."""

    NAME = "name"
    NEWEST = "newest"


@dataclass(frozen=True)
class RoomFilter:
    """Search, filter and order of the list."""

    search: str = ""
    status: StatusFilter = StatusFilter.ALL
    account: str = ""
    """The id of an account whose rooms to list, or "" for all accounts."""
    order: RoomOrder = RoomOrder.NAME

    @classmethod
    def read(cls, param: Callable[[str], str]) -> "RoomFilter":
        """Read the filter by `param`, which returns a query parameter. Unknown values count as absent."""
        account = param("account")
        return cls(
            search=" ".join(param("search").split())[:LONGEST_SEARCH],
            status=_known(param("status"), StatusFilter.ALL),
            account=account if len(account) == ID_LENGTH else "",
            order=_known(param("sort"), RoomOrder.NAME),
        )

    @property
    def filtered(self) -> bool:
        """Whether rooms are left out other than by the search."""
        return bool(self.account) or self.status is not StatusFilter.ALL

    @property
    def narrowed(self) -> bool:
        """Whether any rooms are left out."""
        return self.filtered or bool(self.search)

    @property
    def unfiltered(self) -> "RoomFilter":
        """This filter with search and order only, showing rooms of any status and account."""
        return replace(self, status=StatusFilter.ALL, account="")

    @property
    def unsearched(self) -> "RoomFilter":
        """This filter without its search."""
        return replace(self, search="")

    @property
    def words(self) -> dict[str, str]:
        """The query parameters of this filter, without those that have their default value."""
        defaults = {"status": StatusFilter.ALL, "sort": RoomOrder.NAME}
        params = {"search": self.search, "status": self.status, "account": self.account, "sort": self.order}
        return {name: str(value) for name, value in params.items() if value and value != defaults.get(name)}


def _known(text: str, default: _Choice) -> _Choice:
    try:
        return type(default)(text)
    except ValueError:
        return default
