"""Writing rows by Core statements, in the session's transaction but past its unit of work, which takes twice as long.

For what hot paths write. Everywhere else entities are changed, and the session finds out what that means.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm.attributes import set_committed_value

from portal.clock import now
from portal.db import TimestampMixin, session
from portal.identifiers import IdentifierMixin


def insert_row(insert: sa.Insert, row: dict[str, Any]) -> None:
    """Insert this row. `insert` names no values, and is made once."""
    session.flush()  # it may refer to what waits to be flushed
    session.connection().execute(insert, row)


def update_row(thing: IdentifierMixin, **values: Any) -> None:
    """Write these columns of a loaded row, of which those that have another value by now, and when it was changed.

    The row has the new values then. Relations are not touched, so an id of one is nothing to write by this.
    """
    session.flush()
    table: Any = type(thing).__table__  # type: ignore[attr-defined]
    changed = {
        name: value
        for name, value in values.items()
        if not table.c[name].type.compare_values(getattr(thing, name), value)
    }
    if not changed:
        return
    if isinstance(thing, TimestampMixin):
        changed["updated_at"] = now()
    own = table.c.uuid == sa.bindparam("own_uuid")
    session.connection().execute(sa.update(table).where(own), {"own_uuid": thing.uuid, **changed})
    for name, value in changed.items():
        set_committed_value(thing, name, value)
