"""How secrets that are carried around are spelled: a prefix that scanners know, random bits, a tail.

The tail tells misspellings: what cannot be a secret of ours is refused without asking the database.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

_TAIL = 6


@dataclass(frozen=True)
class TokenFormat:
    """One kind of secret: how it begins, and how much of it is random."""

    prefix: str
    random_bytes: int

    def new(self) -> str:
        """A secret that nobody has had before."""
        body = secrets.token_urlsafe(self.random_bytes)
        return f"{self.prefix}{body}{_checksum(body)}"

    def fits(self, text: str) -> bool:
        """Whether this can be a secret of this kind at all."""
        length = len(self.prefix) + (self.random_bytes * 8 + 5) // 6 + _TAIL
        if not text.isascii() or len(text) != length or not text.startswith(self.prefix):
            return False
        body, tail = text[len(self.prefix) : -_TAIL], text[-_TAIL:]
        return hmac.compare_digest(_checksum(body), tail)


def _checksum(body: str) -> str:
    return hashlib.sha256(f"foyer:{body}".encode()).hexdigest()[:_TAIL]
