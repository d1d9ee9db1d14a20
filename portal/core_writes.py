"""Writing rows by Core statements, in the session's transaction but past its unit of work, which takes twice as long.

For what hot paths write. Everywhere else entities are changed, and the session finds out what that means.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql.visitors import cloned_traverse

from portal.clock import now
from portal.db import TimestampMixin, session
from portal.identifiers import Identified, IdentifierMixin

_COUNTED = {"preserve_rowcount": True}


def insert_row(insert: sa.Insert, row: dict[str, Any]) -> bool:
    """Insert this row; false if `insert`, which is made once, selects what it inserts and its condition is not met."""
    session.flush()  # it may refer to what waits to be flushed
    return session.connection().execute(insert, row, execution_options=_COUNTED).rowcount > 0


def update_row(thing: IdentifierMixin, **values: Any) -> None:
    """Write these columns of a loaded row, of which those that have another value by now, and when it was changed.

    The row has the new values then. Relations are not touched, so an id of one is nothing to write by this.
    """
    for name, value in update_columns(type(thing), thing, values).items():
        set_committed_value(thing, name, value)


def update_columns(model: type[IdentifierMixin], stored: Identified, values: Mapping[str, Any]) -> dict[str, Any]:
    """Write those of these columns that differ from what is `stored`, and when it was changed. Returns what it wrote.

    `stored` is the row of `model`, or a value that was read from it under its lock. A column that it lacks is written.
    """
    session.flush()
    table: Any = model.__table__  # type: ignore[attr-defined]
    changed = {
        name: value
        for name, value in values.items()
        if not hasattr(stored, name) or not table.c[name].type.compare_values(getattr(stored, name), value)
    }
    if not changed:
        return {}
    if issubclass(model, TimestampMixin):
        changed["updated_at"] = now()
    session.connection().execute(_updating(table), {"own_uuid": stored.uuid, **changed})
    return changed


@cache
def _updating(table: sa.Table) -> sa.Update:
    return sa.update(table).where(table.c.uuid == sa.bindparam("own_uuid"))


@dataclass(frozen=True)
class Write:
    """An INSERT or UPDATE, made once with a parameter for each value that it writes, and those values."""

    statement: sa.Insert | sa.Update
    values: dict[str, Any]


def parameters(table: Any, *names: str) -> dict[str, sa.BindParameter[Any]]:
    """Parameters for these columns, each called as its column, for the values of the statement of a `Write`."""
    return {name: sa.bindparam(name, type_=table.c[name].type) for name in names}


def write_together(*writes: Write) -> None:
    """Execute these, of which none may depend on what another one writes: on PostgreSQL as one statement."""
    session.flush()  # they may refer to what waits to be flushed
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        for write in writes:
            connection.execute(write.statement, write.values)
        return
    values = {f"{place}_{name}": value for place, one in enumerate(writes) for name, value in one.values.items()}
    connection.execute(_together(tuple(write.statement for write in writes)), values)


@cache
def _together(statements: tuple[sa.Insert | sa.Update, ...]) -> sa.Insert | sa.Update:
    """The last of these statements, with the others before it. Names of parameters begin with the statement's place."""
    *others, last = (_with_names_from(place, statement) for place, statement in enumerate(statements))
    together: sa.Insert | sa.Update = last.add_cte(*(one.cte(f"write_{place}") for place, one in enumerate(others)))
    return together


def _with_names_from(place: int, statement: sa.Insert | sa.Update) -> Any:
    def rename(parameter: Any) -> None:
        parameter.key = f"{place}_{parameter.key}"

    return cloned_traverse(statement, {}, {"bindparam": rename})
