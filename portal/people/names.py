"""Names that people see: of persons, rooms, links. One rule for all, so that none of them can deceive."""

import unicodedata

from portal.errors import Invalid, Message

GROWTH = 4  # a text longer than this many times the limit is not even looked at: composing costs its square
_JOINERS = frozenset("\u200c\u200d")  # between letters of Persian or parts of an emoji they have a meaning
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters and marks that show nothing
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def normalize_spaces(text: str) -> str:
    """Composed (NFC), runs of white space folded, ends trimmed. Bound the length before."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def clean_name(text: str | None, *, field: str, longest: int, required: bool = True) -> str:
    """`text` tidied. Raises `Invalid` on `field` if it is empty, too long, or could mislead a reader."""
    text = text or ""
    name = normalize_spaces(text) if len(text) <= GROWTH * longest else text
    if not name and required:
        raise Invalid(**{field: Message("Fill this in.")})
    if len(name) > longest:
        raise Invalid(**{field: Message("This is too long: at most %(longest)d characters.", longest=longest)})
    if any(_is_hidden(name, place) for place in range(len(name))):
        raise Invalid(**{field: Message("Remove the invisible characters; they could mislead readers.")})
    if name and not any(unicodedata.category(char)[0] in "LNPS" for char in name):
        raise Invalid(**{field: Message("Use a name that can be seen.")})
    return name


def _is_hidden(name: str, place: int) -> bool:
    char = name[place]
    if char in _JOINERS:
        return not (_joins(name[place - 1 : place]) and _joins(name[place + 1 : place + 2]))
    return char in _BLANK or unicodedata.category(char) in _HIDDEN


def _joins(char: str) -> bool:
    return char != "" and unicodedata.category(char)[0] in "LMS"


def printable(text: str, *, longest: int) -> str:
    """What can be shown of a name that somebody else's service tells: nothing hidden, at most `longest` characters."""
    name = normalize_spaces(text[: GROWTH * longest])[:longest]
    return "".join(char for place, char in enumerate(name) if not _is_hidden(name, place))
