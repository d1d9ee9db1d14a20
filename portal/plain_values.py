"""Reading rows as plain values: frozen dataclasses that one SELECT of columns fills.

The columns are found by the names of the fields, when the module is loaded. So a field without a column is an error
then, and two fields of one type cannot change places unseen.
"""

from collections.abc import Collection
from dataclasses import fields
from typing import Any


def columns_for(value: type, model: Any, *, without: Collection[str] = (), **others: Any) -> tuple[Any, ...]:
    """The columns that fill the dataclass `value`, in the order of its fields: those of `model` by the same names.

    `others` are columns of other tables, by field; `without` names fields that are filled otherwise. Raises `TypeError`
    for a field that is no column of the model, and for one of `others` that is no field.
    """
    named = [one.name for one in fields(value) if one.name not in without]
    if unknown := others.keys() - set(named):
        raise TypeError(f"{value.__name__} has no field {min(unknown)}")
    if missing := set(named) - others.keys() - set(model.__mapper__.column_attrs.keys()):
        raise TypeError(f"{model.__name__} has no column {min(missing)}")
    return tuple(others[name].label(name) if name in others else getattr(model, name) for name in named)
