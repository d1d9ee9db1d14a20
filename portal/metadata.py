"""Metadata: JSON that API clients store with a thing. The portal returns it as it came and never acts on it.

It is an object of at most 16 KB with scalar values and one level of nested objects or arrays. Every write replaces
the whole object.
"""

import json
import math
import unicodedata
from typing import Any, NoReturn

from portal.errors import Invalid, Message

KEY_LENGTH = 100
LARGEST = 16 * 1024  # bytes of UTF-8, as compact JSON
LONGEST_TYPED = 4 * LARGEST  # characters of a form's text, with all its white space


class _RefusedMetadata(Exception):
    """Why a value cannot be metadata."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


def checked_metadata(value: object, *, field: str) -> dict[str, Any]:
    """Return `value` if it can be metadata. Raises `Invalid` on `field`, naming the path."""
    try:
        return _checked(value)
    except _RefusedMetadata as refused:
        raise Invalid(**{field: refused.message}) from None


def read_metadata(text: str, *, field: str) -> dict[str, Any]:
    """Parse metadata typed into a form; an empty text is an empty object. Raises `Invalid` on `field`."""
    try:
        return _checked(_parsed(text)) if text.strip() else {}
    except _RefusedMetadata as refused:
        raise Invalid(**{field: refused.message}) from None


def _checked(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        _refuse(Message("Metadata is a JSON object: {…}."))
    for key, entry in value.items():
        _check_key(key, "")
        if isinstance(entry, dict):
            for inner, scalar in entry.items():
                _check_key(inner, key)
                _check_scalar(scalar, f"{key}.{inner}")
        elif isinstance(entry, list):
            for index, scalar in enumerate(entry):
                _check_scalar(scalar, f"{key}[{index}]")
        else:
            _check_scalar(entry, key)
    size = len(written(value).encode())
    if size > LARGEST:
        _refuse(
            Message(
                "This is too much: %(size)d bytes as JSON, and %(most)d may be kept.",
                size=size,
                most=LARGEST,
            )
        )
    return value


def _parsed(text: str) -> object:
    if len(text) > LONGEST_TYPED:
        _refuse(Message("This is too long: at most %(longest)d characters.", longest=LONGEST_TYPED))
    try:
        value: object = json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        _refuse(
            Message("This is no JSON: look at line %(line)d, column %(column)d.", line=error.lineno, column=error.colno)
        )
    except (RecursionError, ValueError):  # nested thousands of times, or a number with thousands of digits
        _refuse(Message("This is no JSON that can be kept."))
    return value


def written(value: object, *, indent: int | None = None) -> str:
    """The metadata as JSON text: compact, or for people with `indent` spaces."""
    return json.dumps(value, ensure_ascii=False, indent=indent, separators=None if indent else (",", ":"))


def _check_key(key: object, within: str) -> None:
    if not isinstance(key, str) or not 1 <= len(key) <= KEY_LENGTH:
        _refuse(
            Message(
                "A key in %(path)s is too long or empty: 1 to %(most)d characters.",
                path=_named(within) or "metadata",
                most=KEY_LENGTH,
            )
        )
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in key):
        _refuse(Message("A key in %(path)s holds an invisible character.", path=_named(within) or "metadata"))


def _check_scalar(value: object, path: str) -> None:
    if isinstance(value, (dict, list)):
        _refuse(Message("%(path)s is nested too deeply: one level is allowed.", path=_named(path)))
    if isinstance(value, float) and not math.isfinite(value):
        _refuse(Message("%(path)s is not a number that JSON knows.", path=_named(path)))
    if isinstance(value, str):
        if any(char == "\0" or unicodedata.category(char) == "Cs" for char in value):
            _refuse(Message("%(path)s holds a character that cannot be kept.", path=_named(path)))
    elif value is not None and not isinstance(value, (bool, int, float)):
        _refuse(Message("%(path)s is neither a text, a number, true, false nor null.", path=_named(path)))


def _named(path: str) -> str:
    return path if len(path) <= KEY_LENGTH else path[: KEY_LENGTH - 1] + "…"


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen = dict(pairs)
    if len(seen) < len(pairs):
        names = [name for name, _value in pairs]
        double = next(name for name in names if names.count(name) > 1)
        _refuse(Message("The key %(key)s is there twice.", key=_named(double)))
    return seen


def _no_constant(constant: str) -> NoReturn:
    _refuse(Message("%(word)s is not a number that JSON knows.", word=constant))


def _refuse(message: Message) -> NoReturn:
    raise _RefusedMetadata(message)
