"""Splitting a text into search terms: for the names that are stored and for what people type into the search.

The databases' own tokenizers differ (for one, "3.14" is a number; for the other, two words), so texts are
split here: without case and diacritics, at everything that is no letter or digit. A symbol such as
an emoji is a term of its own, and so is each character of Chinese and Japanese, which do without spaces.
"""

import unicodedata
from functools import lru_cache

_LONGEST = 100  # the databases' limits for one word are far away from it
_ALONE = ("CJK ", "HIRAGANA ", "KATAKANA ")


def search_terms(text: str) -> list[str]:
    """The terms of `text`, each once: "Réunion n° 3/B" → ["reunion", "n", "3", "b"]."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    spaced = "".join(_separated(char) for char in plain)
    return list(dict.fromkeys(word[:_LONGEST] for word in spaced.split()))


@lru_cache(maxsize=4096)
def _separated(char: str) -> str:
    """What replaces this character: itself, itself between spaces, a space, or nothing."""
    kind = unicodedata.category(char)
    if kind[0] == "M" or kind == "Cf":
        return "" if unicodedata.combining(char) or kind in {"Mn", "Me", "Cf"} else char
    if kind == "So" or unicodedata.name(char, "").startswith(_ALONE):
        return f" {char} "
    return char if kind[0] in "LN" else " "
