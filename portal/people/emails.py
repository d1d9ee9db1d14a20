"""The canonical form of e-mail addresses, by which people are stored, found and told apart.

Browsers, keyboards and programs write one address in several ways: `eva@köln.example` and `eva@xn--kln-sna.example`,
an é in one character or in two. All of them have one canonical form; addresses of two people never have the same.
So case is folded in ASCII only: `weiß@` and `weiss@` are two mailboxes, and so are `straße.example` and
`strasse.example` two domains.
"""

import re
import unicodedata

import idna

from portal.people.models import EMAIL_LENGTH

DELETED_DOMAIN = "deleted.invalid"
"""The domain of the addresses of users who were made nobody. Nobody else can have one of them."""

_LONGEST = 4 * EMAIL_LENGTH  # composing costs the square of the length
_ENCODED = "xn--"
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")


def canonical_email(text: str) -> str | None:
    """The canonical form of an e-mail address; None if `text` is none.

    The part before the @ is composed (NFC), the domain as in IDNA 2008, in the letters that people read.
    """
    local, at, domain = text[:_LONGEST].strip().rpartition("@")
    local, known = _lower_ascii(unicodedata.normalize("NFC", local)), canonical_domain(domain)
    email = f"{local}{at}{known}"
    if not local or "@" in local or not known or len(email) > EMAIL_LENGTH or " " in email or not email.isprintable():
        return None
    return email


def is_reserved(email: str) -> bool:
    """Whether this canonical address is one that stands for a user who was made nobody."""
    return email.endswith(f"@{DELETED_DOMAIN}")


def canonical_domain(domain: str) -> str | None:
    """The canonical form of a domain name, in the letters that people read; None if `domain` is none."""
    lower = _lower_ascii(domain)
    if lower.isascii() and not any(label.startswith(_ENCODED) for label in lower.split(".")):
        return lower if _HOST.fullmatch(lower) else None
    try:
        return idna.decode(idna.encode(lower, uts46=True, std3_rules=True))
    except UnicodeError:  # of which the library's errors are kinds
        return None


def _lower_ascii(text: str) -> str:
    return "".join(char.lower() if char.isascii() else char for char in text)
