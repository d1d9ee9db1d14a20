"""Names that people see: of persons, rooms, links. One rule for all, so that none of them can deceive."""

import unicodedata

from portal.errors import Invalid, Message

_DIRECTION_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def tidy(text: str) -> str:
    """Composed (NFC), runs of white space folded, ends trimmed."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def readable(text: str | None, *, field: str, longest: int, required: bool = True) -> str:
    """`text` tidied. Raises `Invalid` on `field` if it is empty, too long, or could mislead a reader."""
    name = tidy(text or "")
    if not name and required:
        raise Invalid(**{field: Message("Fill this in.")})
    if len(name) > longest:
        raise Invalid(**{field: Message("This is too long: at most %(longest)d characters.", longest=longest)})
    if any(char in _DIRECTION_OVERRIDES or unicodedata.category(char) in {"Cc", "Cs", "Co", "Cn"} for char in name):
        raise Invalid(**{field: Message("Remove the invisible characters; they could mislead readers.")})
    return name
