"""What an operation changed of a thing, for a line of the audit: named fields before and after, never secrets."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from portal.moments import iso_datetime

CHANGES = "changes"
"""Under which name `details` keep them: field → [before, after]."""

Changes = dict[str, list[Any]]
"""Field → its value before and after, as JSON."""


def values_of(thing: object, fields: Collection[str]) -> dict[str, Any]:
    """The present values of these fields of a thing, as JSON. Name no secrets: lines of the audit are read by many."""
    return {name: json_value(getattr(thing, name)) for name in fields}


def changes_since(before: Mapping[str, Any], thing: object) -> Changes:
    """Those of the fields in `before`, which `values_of` read, that have another value by now."""
    return differences(before, values_of(thing, before))


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """The names whose values differ, each with both; None where there is none."""
    names = dict.fromkeys([*before, *after])
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}


def _amount(value: Decimal) -> str:
    """An amount of money as people write it, however many zeros it was stored with: "9.90", "500"."""
    short = value.normalize()
    return f"{short:.2f}" if short % 1 and short == round(short, 2) else f"{short:f}"


def json_value(value: object) -> Any:
    """A value of a column as JSON."""
    match value:
        case datetime():
            return iso_datetime(value)
        case date():
            return value.isoformat()
        case Decimal():
            return _amount(value)
        case Enum():
            return value.value
    return value
