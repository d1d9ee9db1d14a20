"""Counts as they are stored: limited in number, length and size, because a service may say anything."""

from collections.abc import Sequence
from typing import Any

from portal.providers.base import Count

COUNTS_KEPT, KEY_LENGTH, LARGEST_COUNT = 20, 40, 10_000_000


def count_columns(counts: Sequence[Count]) -> dict[str, Any]:
    """The columns that hold these counts: `counts`, numbers by key, and `labels`, what they are called in English."""
    kept = counts[:COUNTS_KEPT]
    return {
        "counts": {one.key[:KEY_LENGTH]: None if one.value is None else bounded(one.value) for one in kept},
        "labels": {one.key[:KEY_LENGTH]: one.label.msgid for one in kept},
    }


def bounded(value: int) -> int:
    """The nearest number that can be kept."""
    return min(max(value, 0), LARGEST_COUNT)
