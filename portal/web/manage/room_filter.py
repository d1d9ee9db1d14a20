"""What of the list of rooms is asked for, as it stands in the address.

All rooms are of one type so far. A choice of types goes the way of `status`: a word here, a condition in
`room_list`, a field in the template.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from portal.identifiers import ID_LENGTH
from portal.rooms.search import LONGEST_SEARCH

_Word = TypeVar("_Word", bound=StrEnum)


class StatusFilter(StrEnum):
    """Which rooms: all, those in which something happens, or those that may be used, or may not."""

    ALL = "all"
    LIVE = "live"
    ACTIVE = "active"
    INACTIVE = "inactive"


class RoomOrder(StrEnum):
    """How rooms that are not live are sorted."""

    NAME = "name"
    NEWEST = "newest"


@dataclass(frozen=True)
class RoomFilter:
    """Search, filter and order of the list."""

    search: str = ""
    status: StatusFilter = StatusFilter.ALL
    account: str = ""
    """The id of one whose rooms are wanted, or "" for all."""
    order: RoomOrder = RoomOrder.NAME

    @classmethod
    def read(cls, word: Callable[[str], str]) -> "RoomFilter":
        """From the words of the address; those that say nothing are as if they were not there."""
        account = word("account")
        return cls(
            search=" ".join(word("search").split())[:LONGEST_SEARCH],
            status=_known(word("status"), StatusFilter.ALL),
            account=account if len(account) == ID_LENGTH else "",
            order=_known(word("sort"), RoomOrder.NAME),
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
        """The same without the filter."""
        return replace(self, status=StatusFilter.ALL, account="")

    @property
    def unsearched(self) -> "RoomFilter":
        """The same without the search."""
        return replace(self, search="")

    @property
    def words(self) -> dict[str, str]:
        """The words of the address that say this, and none that could be left out."""
        plain = {"status": StatusFilter.ALL, "sort": RoomOrder.NAME}
        said = {"search": self.search, "status": self.status, "account": self.account, "sort": self.order}
        return {name: str(word) for name, word in said.items() if word and word != plain.get(name)}


def _known(text: str, default: _Word) -> _Word:
    try:
        return type(default)(text)
    except ValueError:
        return default
