"""The countries in which customers are: those of ISO 3166-1."""

from functools import cache

from babel.core import Locale

from portal.errors import Invalid, Message

CODE_LENGTH = 2
_NO_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"})
"""Codes that Babel has names for and that are no countries of the standard."""


@cache
def countries() -> frozenset[str]:
    """Their codes. Cached, because finding them reads a file of names."""
    known = map(str, Locale("en").territories)
    return frozenset(code for code in known if len(code) == CODE_LENGTH and code.isalpha()) - _NO_COUNTRIES


def checked_country(text: str, *, field: str = "country") -> str:
    """The code in capitals. Raises `Invalid` on `field` if no country has it."""
    code = text.strip().upper()
    if code not in countries():
        raise Invalid(**{field: Message("Use the code of a country, such as DE or US.")})
    return code
