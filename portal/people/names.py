"""The rule for texts that people read (names of persons and rooms, labels, descriptions): none deceives.

Marks that show nothing come along when a name is pasted, and nobody can see what to remove: those that do no harm are
dropped. What could make a text read as another is refused.
"""

import re
import unicodedata

from portal.errors import Invalid, Message

GROWTH = 4  # a text longer than this many times the limit is not even looked at: composing costs its square
_JOINERS = frozenset("\u200c\u200d")  # in words of many scripts, and between parts of an emoji, they have a meaning
_VOWEL_SEPARATOR = "\u180e"  # shapes the last vowel of a Mongolian word
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters and marks that show nothing
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_VIRAMA = 9  # the combining class of the sign that takes a consonant its vowel
_HARMLESS = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u2060\ufeff]")
"""Soft hyphen, marks of direction, places where a line or word may break, byte order mark."""
_BRACKETS = re.compile("[\u2066-\u2068]([^\u2066-\u2069]*)\u2069|[\u202a\u202b]([^\u202a-\u202e]*)\u202c")
"""A text that a program wrapped to keep its direction. U+202D and U+202E, which turn letters round, are not dropped."""
_REGION_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")
"""A flag such as England's: an emoji, and the region's letters as tags that show nothing."""


def normalize_spaces(text: str) -> str:
    """`text` in NFC, without white space at its ends, and with one space for each run of it.

    Composing costs the square of the length, so limit that before.
    """
    return " ".join(unicodedata.normalize("NFC", text).split())


def without_marks(text: str) -> str:
    """`text` without the invisible marks that do no harm, and without joiners that join nothing."""
    text = _HARMLESS.sub("", _BRACKETS.sub(lambda found: found[1] or found[2] or "", text))
    return "".join(char for index, char in enumerate(text) if char not in _JOINERS or not _at_edge(text, index))


def clean_name(text: str | None, *, field: str, longest: int, required: bool = True) -> str:
    """`text` without harmless invisible marks, its spaces normalized.

    Raises `Invalid` on `field` if it is empty, too long, or could mislead. `longest` is in characters. With
    `required=False` an empty text is fine.
    """
    text = text or ""
    name = normalize_spaces(without_marks(text)) if len(text) <= GROWTH * longest else text
    if not name and required:
        raise Invalid(**{field: Message("Fill this in.")})
    _require_short(name, field, longest)
    _require_visible(name, field)
    if name and not any(unicodedata.category(char)[0] in "LNPS" for char in name):
        raise Invalid(**{field: Message("Use a name that can be seen.")})
    return name


def clean_text(text: str, *, field: str, longest: int) -> str:
    """A text of several lines, without harmless invisible marks, and without white space at its ends.

    Raises `Invalid` on `field` if it is longer than `longest` characters, or if a line could mislead.
    """
    if len(text) <= GROWTH * longest:
        text = without_marks(text.replace("\r\n", "\n")).strip()
    _require_short(text, field, longest)
    for line in re.split(r"[\n\t]", text):
        _require_visible(line, field)
    return text


def _require_short(text: str, field: str, longest: int) -> None:
    if len(text) > longest:
        raise Invalid(**{field: Message("This is too long: at most %(longest)d characters.", longest=longest)})


def _require_visible(text: str, field: str) -> None:
    if has_hidden(text):
        raise Invalid(**{field: Message("Remove the invisible characters; they could mislead readers.")})


def has_hidden(text: str) -> bool:
    """Whether `text` holds characters that show nothing and have no meaning where they stand."""
    return bool(_hidden_places(text))


def printable(text: str, *, longest: int) -> str:
    """What can be shown of a name that somebody else's service tells: nothing hidden, at most `longest` characters."""
    name = normalize_spaces(without_marks(text[: GROWTH * longest]))[:longest]
    hidden = _hidden_places(name)
    return "".join(char for place, char in enumerate(name) if place not in hidden)


def _hidden_places(text: str) -> set[int]:
    """The indexes of the characters that show nothing and have no meaning where they stand."""
    hidden = {index for index in range(len(text)) if _is_hidden(text, index)}
    return hidden.difference(*(range(*found.span()) for found in _REGION_FLAG.finditer(text)))


def _is_hidden(text: str, index: int) -> bool:
    char, before, after = text[index], text[index - 1 : index], text[index + 1 : index + 2]
    if char in _JOINERS:
        return not (_joins(before) and (_joins(after) or _is_virama(before)))
    if char == _VOWEL_SEPARATOR:
        return not (_is_mongolian(before) and _is_mongolian(after))
    return char in _BLANK or unicodedata.category(char) in _HIDDEN


def _at_edge(text: str, index: int) -> bool:
    """Whether the joiner at `index` stands at the begin or end of a word and is no part of it."""
    before, after = text[index - 1 : index], text[index + 1 : index + 2]
    return not before.strip() or (not after.strip() and not _is_virama(before))


def _joins(char: str) -> bool:
    return char != "" and unicodedata.category(char)[0] in "LMS"


def _is_virama(char: str) -> bool:
    return char != "" and unicodedata.combining(char) == _VIRAMA


def _is_mongolian(char: str) -> bool:
    return "\u1820" <= char <= "\u18aa"
