"""The types of columns that SQLAlchemy does not have, and two SQL functions: the same on SQLite and PostgreSQL."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction


class UTCDateTime(sa.TypeDecorator[datetime]):
    """A column for a date and time: aware in Python, UTC in the database, with microseconds.

    Binding a naive datetime raises `ValueError`, since it does not say which instant it means. What PostgreSQL tells
    is in UTC already: see `engine`. Lists have some hundred of these values, so nothing is called for each.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """The type of the column's values in Python."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None else None

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        return None if dialect.name == "postgresql" else super().result_processor(dialect, coltype)


class UTCSeconds(UTCDateTime):
    """A column for a date and time in whole seconds, as the API writes it, so that what was read is found again."""

    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return super().process_bind_param(value.replace(microsecond=0) if value is not None else None, dialect)


class Money(sa.TypeDecorator[Decimal]):
    """A column for an amount of money: exact on both databases, stored as a whole number of thousandths.

    No currency of ISO 4217 that is in use has more than three digits after the point.
    """

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> int | None:
        return None if value is None else int(value.scaleb(3).to_integral_exact())

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-3)


def exact_json(value: object) -> str:
    """`value` as JSON text, as JSON columns store it. Raises `ValueError` for a number that JSON does not know."""
    return json.dumps(value, allow_nan=False)


_JSON_VALUES = (dict, list, tuple, str, int, float, bool, type(None))


class ExactJSON(sa.JSON):
    """The type of all JSON columns: a value is written unless its text is the one that is stored.

    SQLAlchemy compares by `==`, for which true, 1 and 1.0 are one value, as are false, 0 and -0.0, and objects whose
    names stand in another order. It would not write such a change, though it was confirmed.
    """

    def compare_values(self, x: Any, y: Any) -> bool:
        known = all(isinstance(value, _JSON_VALUES) for value in (x, y))  # else nothing was loaded to compare with
        return known and exact_json(x) == exact_json(y)


def enum_type(choices: type[StrEnum]) -> sa.Enum:
    """The type of a column that holds one member of a `StrEnum`, stored as the member's text."""
    return sa.Enum(choices, native_enum=False, length=32, values_callable=lambda kind: [one.value for one in kind])


def constant(value: StrEnum | str | int) -> sa.ColumnElement[Any]:
    """A value of the code's own, written into the statement instead of being bound to it as a parameter.

    For statements that are built once: each parameter costs the driver time, and PostgreSQL, which plans a statement
    for all values of its parameters, uses an index with a condition only for what it can see.
    """
    if isinstance(value, int):
        return sa.literal_column(str(value), sa.Integer())
    kind = enum_type(type(value)) if isinstance(value, StrEnum) else sa.String()
    return sa.literal_column("'{}'".format(value.replace("'", "''")), kind)


class json_rows(GenericFunction[Any]):  # noqa: N801  (functions are called as the database calls them)
    """An SQL aggregate: the given columns of all rows of a group, as one JSON list of lists.

    It reads a one-to-many relation in one column, where a join would repeat the columns of the "one" in each row.
    """

    type = sa.JSON()
    inherit_cache = True


class json_values(GenericFunction[Any]):  # noqa: N801
    """An SQL function: the given values as one JSON list, so that several aggregates take one subquery and column."""

    type = sa.JSON()
    inherit_cache = True


@compiles(json_values, "sqlite")
def _json_values_on_sqlite(element: json_values, compiler: SQLCompiler, **more: Any) -> str:
    return f"json_array({compiler.process(element.clauses, **more)})"


@compiles(json_values, "postgresql")
def _json_values_on_postgresql(element: json_values, compiler: SQLCompiler, **more: Any) -> str:
    return f"json_build_array({compiler.process(element.clauses, **more)})"


@compiles(json_rows, "sqlite")
def _json_rows_on_sqlite(element: json_rows, compiler: SQLCompiler, **more: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **more)}))"


@compiles(json_rows, "postgresql")
def _json_rows_on_postgresql(element: json_rows, compiler: SQLCompiler, **more: Any) -> str:
    return f"json_agg(json_build_array({compiler.process(element.clauses, **more)}))"
