"""Judging values of what adapters and room types declare: settings of rooms and properties of provider rows alike.

Values come as JSON, from a program or from a form, and are stored as JSON: of exactly the type that the kind asks
for, so that 1 is no switch and true is no number.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from portal.errors import Invalid, Message
from portal.ip_spelling import is_ip_in_disguise
from portal.moments import iso_datetime, read_moment
from portal.people.names import clean_text
from portal.providers.base import DeclaredField, FieldKind

NAME_SHOWN = 100  # characters: of a name that is made up, no more is said again
_COLOR = re.compile(r"#[0-9A-F]{6}", re.ASCII)

FieldValue = str | bool | int
"""What a declared field holds."""


def value_path(within: str, name: str) -> str:
    """Where in a body a value stands, as errors name it: `room_settings.description`."""
    return f"{within}.{name[:NAME_SHOWN]}"


def checked_values(
    changes: Mapping[str, Any],
    *,
    declared: Mapping[str, DeclaredField],
    within: str,
    undeclared: Callable[[str, object], Any],
) -> dict[str, Any]:
    """What is to be stored under these names; None for each that is to be removed, by null or by an empty text.

    `undeclared` judges a name that nobody declared: it gives the value to store, or raises `Invalid`. Raises one
    `Invalid` for all that is bad, on `<within>.<name>`.
    """
    result: dict[str, Any] = {}
    refused: dict[str, Message] = {}
    for name, value in changes.items():
        try:
            if name not in declared:
                result[name] = undeclared(name, value)
            elif declared[name].kind is not FieldKind.FILE and (value is None or value == ""):
                result[name] = None
            else:
                checked = checked_value(declared[name], value, within=within)
                result[name] = None if checked == "" else checked
        except Invalid as invalid:
            refused |= invalid.fields
    if refused:
        raise Invalid(**refused)
    return result


def checked_value(declared: DeclaredField, value: object, *, within: str) -> FieldValue:
    """The value as it is stored. Raises `Invalid` on `<within>.<name>`."""
    path = value_path(within, declared.name)
    if declared.kind is FieldKind.FILE:
        raise Invalid(**{path: Message("This is a file: upload or delete it at its own address.")})
    if declared.kind is FieldKind.SWITCH:
        if not isinstance(value, bool):
            raise Invalid(**{path: Message("Use true or false.")})
        return value
    if declared.kind is FieldKind.NUMBER:
        if isinstance(value, bool) or not isinstance(value, int) or not declared.least <= value <= declared.most:
            words = Message("Use a whole number from %(least)d to %(most)d.", least=declared.least, most=declared.most)
            raise Invalid(**{path: words})
        return value
    if not isinstance(value, str):
        raise Invalid(**{path: Message("Use a text.")})
    return _CHECKS[declared.kind](declared, path, value)


def checked_text(path: str, value: str, longest: int) -> str:
    """A text for programs, without white space at its ends.

    Raises `Invalid` on `path` if it is too long or hides characters.
    """
    text = value.replace("\r\n", "\n").strip()
    if len(text) > longest:
        raise Invalid(**{path: Message("This is too long: at most %(longest)d characters.", longest=longest)})
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in "\n\t" for char in text):
        raise Invalid(**{path: Message("Remove the invisible characters.")})
    return text


def _text(declared: DeclaredField, path: str, value: str) -> str:
    return clean_text(value, field=path, longest=declared.longest)


def _secret(declared: DeclaredField, path: str, value: str) -> str:
    return checked_text(path, value, declared.longest)


def _choice(declared: DeclaredField, path: str, value: str) -> str:
    words = [word for word, _label in declared.choices]
    if value not in words:
        raise Invalid(**{path: Message("Use one of: %(words)s.", words=", ".join(words))})
    return value


def _address(declared: DeclaredField, path: str, value: str) -> str:
    """An http(s) address without user name and password: whoever reads the room would read those as well."""
    text = _text(declared, path, value)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        usable = usable and not is_ip_in_disguise(parts.hostname or "")
    except ValueError:
        usable = False
    if not usable or any(char.isspace() or not char.isprintable() for char in text) or "\\" in text:
        raise Invalid(**{path: Message("Use an address that begins with https:// or http://.")})
    if "@" in parts.netloc:
        raise Invalid(**{path: Message("Leave out user name and password: whoever reads this would read them, too.")})
    return text


def _color(_declared: DeclaredField, path: str, value: str) -> str:
    color = value.strip().upper()
    if not _COLOR.fullmatch(color):
        raise Invalid(**{path: Message("Use a colour like #1A2B3C.")})
    return color


def _moment(_declared: DeclaredField, path: str, value: str) -> str:
    try:
        return str(iso_datetime(read_moment(value)))
    except Invalid as invalid:
        raise Invalid(**{path: invalid.message}) from None


_CHECKS: dict[FieldKind, Callable[[DeclaredField, str, str], str]] = {
    FieldKind.TEXT: _text,
    FieldKind.SECRET: _secret,
    FieldKind.ADDRESS: _address,
    FieldKind.CHOICE: _choice,
    FieldKind.COLOR: _color,
    FieldKind.MOMENT: _moment,
}
"""How a text of each kind is judged."""
