"""Generating tokens and access codes, and comparing codes as people type them."""

import hmac
import secrets
import unicodedata

from portal.errors import Invalid, Message
from portal.token_format import TokenFormat

_ROOM_TOKEN = TokenFormat("rt_", random_bytes=24)
_CODE_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # nothing that looks like something else
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
    """The form in which codes are compared: casefolded, without spaces and hyphens. "" for one that is far too long."""
    if len(code) > 4 * CODE_LONGEST:  # composing costs the square of the length
        return ""
    folded = unicodedata.normalize("NFKC", code).casefold()
    return "".join(char for char in folded if not char.isspace() and unicodedata.category(char) != "Pd")


def same_code(one: str, other: str) -> bool:
    """Whether two normal forms are equal, compared in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def checked_code(code: str) -> str:
    """A code that somebody chose, with single spaces. Raises `Invalid` on `code`."""
    code = " ".join(code.split())
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
