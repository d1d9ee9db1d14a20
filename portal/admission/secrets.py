"""Generating tokens and access codes, and comparing codes as people type them."""

import hmac
import secrets
import unicodedata

from portal.errors import Invalid, Message
from portal.people.names import GROWTH, without_marks
from portal.token_format import TokenFormat

_ROOM_TOKEN = TokenFormat("rt_", random_bytes=24)
_CODE_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # nothing that looks like something else
_DASHES = frozenset("\u02d7\u2043\u2212\u2796")
"""What looks like a hyphen and is a mathematical sign, a bullet or a picture to Unicode."""
CODE_SHORTEST, CODE_LONGEST = 4, 64


def new_token() -> str:
    """A new room token: 192 random bits, with the prefix `rt_` and a checksum."""
    return _ROOM_TOKEN.new()


def read_token(text: str) -> str | None:
    """The room token in a text that mail or chat may have spoilt; None if there is none, which needs no query."""
    return _ROOM_TOKEN.find(text)


def new_code() -> str:
    """A new access code: eight readable characters, as `ABCD-EFGH`."""
    code = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(8))
    return f"{code[:4]}-{code[4:]}"


def normal_code(code: str) -> str:
    """The form in which codes are compared. "" for one that is far too long.

    Capitals, spaces, dashes of all kinds and characters that show nothing do not count. Every i is the same, with a
    dot or without: Turkish has both, each with a capital of its own.
    """
    if len(code) > 4 * CODE_LONGEST:  # composing costs the square of the length
        return ""
    folded = unicodedata.normalize("NFKC", code).casefold().replace("i\u0307", "i").replace("\u0131", "i")
    return "".join(char for char in folded if _counts(char))


def _counts(char: str) -> bool:
    """Whether a character of a code is compared."""
    nothing = char.isspace() or char in _DASHES or "\ufe00" <= char <= "\ufe0f"  # these choose between forms of a sign
    return not nothing and unicodedata.category(char) not in {"Pd", "Cc", "Cf"}


def same_code(one: str, other: str) -> bool:
    """Whether two normal forms are equal, compared in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def checked_code(code: str) -> str:
    """A code that somebody chose, with single spaces, without harmless marks. Raises `Invalid` on `code`."""
    code = " ".join((without_marks(code) if len(code) <= GROWTH * CODE_LONGEST else code).split())
    normal = normal_code(code)  # may be longer: one Arabic ligature becomes eighteen letters
    if len(code) > CODE_LONGEST or not CODE_SHORTEST <= len(normal) <= CODE_LONGEST:
        raise Invalid(
            code=Message(
                "A code has %(least)d to %(most)d characters, spaces and hyphens not counted.",
                least=CODE_SHORTEST,
                most=CODE_LONGEST,
            )
        )
    if any(unicodedata.category(char)[0] == "C" for char in code):
        raise Invalid(code=Message("Remove the invisible characters."))
    return code
