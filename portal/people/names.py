"""The rule for names that people read (of persons, rooms, links): visible characters only, so that none deceives."""

import unicodedata

from portal.errors import Invalid, Message

GROWTH = 4  # a text longer than this many times the limit is not even looked at: composing costs its square
_JOINERS = frozenset("\u200c\u200d")  # between letters of Persian or parts of an emoji they have a meaning
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters and marks that show nothing
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def normalize_spaces(text: str) -> str:
    """`text` in NFC, without white space at its ends, and with one space for each run of it.

    Composing costs the square of the length, so limit that before.
    """
    return " ".join(unicodedata.normalize("NFC", text).split())


def clean_name(text: str | None, *, field: str, longest: int, required: bool = True) -> str:
    """`text` with its spaces normalized. Raises `Invalid` on `field` if it is empty, too long, or could mislead.

    `longest` is in characters. With `required=False` an empty text is fine.
    """
    text = text or ""
    name = normalize_spaces(text) if len(text) <= GROWTH * longest else text
    if not name and required:
        raise Invalid(**{field: Message("Fill this in.")})
    if len(name) > longest:
        raise Invalid(**{field: Message("This is too long: at most %(longest)d characters.", longest=longest)})
    if any(_is_hidden(name, index) for index in range(len(name))):
        raise Invalid(**{field: Message("Remove the invisible characters; they could mislead readers.")})
    if name and not any(unicodedata.category(char)[0] in "LNPS" for char in name):
        raise Invalid(**{field: Message("Use a name that can be seen.")})
    return name


def _is_hidden(name: str, index: int) -> bool:
    char = name[index]
    if char in _JOINERS:
        return not (_joins(name[index - 1 : index]) and _joins(name[index + 1 : index + 2]))
    return char in _BLANK or unicodedata.category(char) in _HIDDEN


def _joins(char: str) -> bool:
    return char != "" and unicodedata.category(char)[0] in "LMS"


def printable(text: str, *, longest: int) -> str:
    """What can be shown of a name that somebody else's service tells: nothing hidden, at most `longest` characters."""
    name = normalize_spaces(text[: GROWTH * longest])[:longest]
    return "".join(char for place, char in enumerate(name) if not _is_hidden(name, place))
