"""The query parameters `search`, `searchFields` and `searchJoin` as an SQL condition."""

import operator
from collections.abc import Mapping
from functools import reduce

import sqlalchemy as sa

from portal.errors import Invalid, Message
from portal.resources.columns import Column

Columns = Mapping[str, Column]
MAX_SEARCH_TERMS = 8
"""The most terms in one `search`. Each is a condition of its own, and hundreds of them blocked a whole portal."""


def searchable(columns: Columns) -> list[str]:
    """The fields in which a `search` without a field name looks: those that have words."""
    return [name for name, column in columns.items() if column.like is not None]


def unknown(where: str, value: str, allowed: list[str]) -> Invalid:
    """The refusal of a parameter whose value names what there is not."""
    message = Message("There is no %(value)s here; there is: %(allowed)s.", value=value, allowed=", ".join(allowed))
    return Invalid(**{where: message})


def search_conditions(columns: Columns, sent: Mapping[str, str]) -> tuple[tuple[sa.ColumnElement[bool], ...], bool]:
    """The conditions of `search`, at most one, and whether it looks for words. Raises `Invalid`."""
    operators = _operators(columns, sent.get("searchFields", ""))
    join = sent.get("searchJoin", "or")
    if join not in {"or", "and"}:
        raise unknown("searchJoin", join, ["and", "or"])
    parts: list[sa.ColumnElement[bool]] = []
    by_words = False
    wanted = list(filter(None, map(str.strip, sent.get("search", "").split(";"))))
    if len(wanted) > MAX_SEARCH_TERMS:
        raise Invalid(search=Message("Ask for at most %(most)d things at once.", most=MAX_SEARCH_TERMS))
    for part in wanted:
        name, colon, value = part.partition(":")
        if colon:
            if name not in columns:
                raise unknown("search", name, sorted(columns))
            parts.append(_condition(columns, name, value, operators.get(name)))
            by_words |= columns[name].like is not None
        else:
            by_words |= bool(searchable(columns))
            parts.append(_anywhere(columns, part, operators))
    if not parts:
        return (), False
    return (reduce(operator.and_, parts) if join == "and" else sa.or_(*parts),), by_words


def _anywhere(columns: Columns, value: str, operators: Mapping[str, str]) -> sa.ColumnElement[bool]:
    """The condition for a search term without a field name: a field of `searchFields`, or any with words, has it.

    Fields that cannot have such a value are left out. Raises `Invalid` if that is so of all of them.
    """
    names = list(operators) or searchable(columns)
    if not names:
        allowed = ", ".join(sorted(columns))
        raise Invalid(search=Message("Say in which field, like id:…; there is: %(allowed)s.", allowed=allowed))
    found: list[sa.ColumnElement[bool]] = []
    for name in names:
        try:
            found.append(_condition(columns, name, value, operators.get(name)))
        except Invalid:
            if name == names[-1] and not found:
                raise
    return sa.or_(*found)


def _operators(columns: Columns, text: str) -> dict[str, str]:
    operators: dict[str, str] = {}
    for piece in (piece.strip() for piece in text.split(";")):
        if not piece:
            continue
        name, _, symbol = piece.partition(":")
        if name not in columns:
            raise unknown("searchFields", name, sorted(columns))
        if symbol not in {"", "=", "like"} or (symbol == "like" and columns[name].like is None):
            raise unknown("searchFields", piece, sorted(f"{one}:like" for one in searchable(columns)))
        operators[name] = symbol
    return operators


def _condition(columns: Columns, name: str, value: str, symbol: str | None) -> sa.ColumnElement[bool]:
    column = columns[name]
    if column.like is not None and symbol != "=":
        return column.like(value)
    return column.equals(value, named=name)
