"""Searching short columns by words, such as labels, without an index: for lists that belong to one room or person."""

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute


def words_begin(column: InstrumentedAttribute[str], text: str) -> sa.ColumnElement[bool]:
    """The SQL condition that each word of `text` begins a word of the column, in whatever case it is written."""
    lowered = sa.func.lower(column)
    escaped = [word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for word in text.casefold().split()]
    return sa.and_(
        sa.true(),
        *(sa.or_(lowered.like(f"{word}%", escape="\\"), lowered.like(f"% {word}%", escape="\\")) for word in escaped),
    )
