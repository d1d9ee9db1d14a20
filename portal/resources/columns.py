"""The columns of a list: what it can be sorted by and searched in, and how a searched text is read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from portal.errors import Invalid, Message
from portal.moments import parse_iso

ColumnKind = Literal["text", "flag", "number", "moment"] | type[StrEnum]
FLAGS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, eq=False)
class Column:
    """What a public field is sorted by and searched in.

    `kind` and `nullable` follow from the field's type where it is declared. `like` makes the condition that each word
    of a text begins a word of the field; None if the field has no words. `stored` turns a text into the form in which
    the column stores it, such as lower case. `through` is the relation to join, if the field is a column of another
    table.
    """

    expression: Any
    kind: ColumnKind | None = None
    nullable: bool = False
    like: Callable[[str], sa.ColumnElement[bool]] | None = None
    stored: Callable[[str], str] = str
    through: InstrumentedAttribute[Any] | None = None

    def equals(self, text: str, *, named: str) -> sa.ColumnElement[bool]:
        """The condition that the field has the value that `text` represents. Raises `Invalid` on `search`."""
        equal: sa.ColumnElement[bool] = self.expression == self.read(self.stored(text), named=named)
        return equal if self.through is None else self.through.has(equal)

    def read(self, text: str, *, named: str) -> Any:
        """The value that `text` represents, by the column's kind. Raises `Invalid` on `search` naming the field."""
        try:
            return self._read(text)
        except (ValueError, KeyError):
            raise Invalid(search=Message("%(text)s is no value of %(field)s.", text=text, field=named)) from None

    def _read(self, text: str) -> Any:
        match self.kind:
            case None | "text":
                return text
            case "number":
                return _read_number(text)
            case "flag":
                return FLAGS[text]
            case "moment":
                return _read_moment(text)
        return self.kind(text)


def worded(column: InstrumentedAttribute[str]) -> Column:
    """A short column that is searched by words, such as labels, without an index: in lists of one room or person."""
    return Column(column, like=partial(words_begin, column))


def words_begin(column: InstrumentedAttribute[str] | sa.ColumnElement[str], text: str) -> sa.ColumnElement[bool]:
    """The SQL condition that each word of `text` begins a word of the column, in whatever case it is written."""
    lowered = sa.func.lower(column)
    escaped = [word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for word in text.casefold().split()]
    return sa.and_(
        sa.true(),
        *(sa.or_(lowered.like(f"{word}%", escape="\\"), lowered.like(f"% {word}%", escape="\\")) for word in escaped),
    )


def _read_number(text: str) -> int:
    if len(text) > 15:  # noqa: PLR2004  (more digits are in no row)
        raise ValueError(text)
    return int(text)


def _read_moment(text: str) -> datetime:
    if len(text) == len("2021-01-01"):
        return parse_iso(text).replace(tzinfo=UTC)
    found = parse_iso(text)
    if found.tzinfo is None:
        raise ValueError(text)
    try:
        return found.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error
