"""The format of secret tokens: a prefix that secret scanners can find, random characters, and a checksum.

By the checksum a text that was mistyped or never was a token is refused without asking the database.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

_CHECKSUM_LENGTH = 6


@dataclass(frozen=True)
class TokenFormat:
    """The format of one kind of token: its prefix, and how many random bytes it holds."""

    prefix: str
    random_bytes: int

    def new(self) -> str:
        """A new random token."""
        body = secrets.token_urlsafe(self.random_bytes)
        return f"{self.prefix}{body}{_checksum(body)}"

    def fits(self, text: str) -> bool:
        """Whether `text` has this format: prefix, length and checksum. It need not be a token that exists."""
        length = len(self.prefix) + (self.random_bytes * 8 + 5) // 6 + _CHECKSUM_LENGTH
        if not text.isascii() or len(text) != length or not text.startswith(self.prefix):
            return False
        body, checksum = text[len(self.prefix) : -_CHECKSUM_LENGTH], text[-_CHECKSUM_LENGTH:]
        return hmac.compare_digest(_checksum(body), checksum)


def _checksum(body: str) -> str:
    return hashlib.sha256(f"foyer:{body}".encode()).hexdigest()[:_CHECKSUM_LENGTH]
