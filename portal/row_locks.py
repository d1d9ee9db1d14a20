"""What is read of a row when `portal.db.lock` takes it: its columns, and later its collections that are loaded."""

from functools import cache
from typing import Any

import sqlalchemy as sa

from portal.identifiers import IdentifierMixin


@cache
def column_lock(model: type[IdentifierMixin]) -> tuple[list[str], sa.Select[*tuple[Any, ...]]]:
    """The names of the model's columns, and a SELECT of them that locks the row with the uuid `own_uuid`."""
    attributes = sa.inspect(model).column_attrs
    query = sa.select(*(attribute.columns[0] for attribute in attributes))
    own = query.where(model.uuid == sa.bindparam("own_uuid", type_=sa.Uuid()))
    return [attribute.key for attribute in attributes], own.with_for_update(key_share=True)


def loaded_collections(thing: Any) -> list[str]:
    """The names of the collections of a row that are loaded, so that they may be older than its lock."""
    state = sa.inspect(thing)
    return [one.key for one in state.mapper.relationships if one.uselist and one.key not in state.unloaded]
