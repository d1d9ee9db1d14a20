"""Finding the first rows that belong to any of a few things, however many rows one of them has.

A line of the audit that is searched by a person, say, who has 100,000: what is on no page of his is not looked at.
"""

from dataclasses import dataclass, replace
from typing import Any, Self
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from portal.db import session
from portal.keyset import Keys, Position, keyset


@dataclass(frozen=True)
class RowsOfEach:
    """The rows of which `column` is one of `things`, a SELECT of few uuids. `uuid` is the rows' own.

    There has to be an index of the column and the keys by which the rows are ordered.
    """

    uuid: InstrumentedAttribute[UUID]
    column: InstrumentedAttribute[UUID | None]
    things: sa.Select[UUID]
    conditions: tuple[sa.ColumnElement[bool], ...] = ()

    def where(self, *conditions: sa.ColumnElement[bool]) -> Self:
        """Those of the rows that fit these conditions, too."""
        return replace(self, conditions=self.conditions + conditions)

    def first(self, keys: Keys, after: Position | None, limit: sa.ColumnElement[int], *, name: str) -> sa.Select[Any]:
        """The first rows in this order, each with the values of its keys: SELECT uuid, key_0, key_1.

        On PostgreSQL the first of each thing are read by the index. SQLite has no such join: it reads all of them.
        """
        columns = {f"key_{number}": key.column for number, key in enumerate(keys)}
        rows = sa.select(self.uuid, *(column.label(label) for label, column in columns.items())).where(*self.conditions)
        if session.get_bind().dialect.name != "postgresql":
            return keyset(rows.where(self.column.in_(self.things)), keys, after).limit(limit)
        things = self.things.subquery(f"{name}_of")
        of_one = keyset(rows.where(self.column == things.c[0]), keys, after).limit(limit)
        of_each = of_one.correlate(things).lateral(name)
        ordered = [replace(key, column=of_each.c[label]) for key, label in zip(keys, columns, strict=True)]
        return keyset(sa.select(of_each).join_from(things, of_each, sa.true()), ordered).limit(limit)
