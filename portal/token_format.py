"""The format of secret tokens: a prefix that secret scanners can find, random characters, and a checksum.

By the checksum a text that was mistyped or never was a token is refused without asking the database, and a token is
found in the text that mail and chat programs leave around it.
"""

import hashlib
import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

LONGEST_TEXT = 1000
"""The most characters in which a token is looked for: an address with much around it. The rest is not read."""

_CHECKSUM_LENGTH = 6
_BROKEN_LINE = re.compile(r"=?[ \t]*[\r\n][\s>|]*")
"""Where a mail program broke a long line: with the `=` of quoted-printable, and the marks of a quotation."""


@dataclass(frozen=True)
class TokenFormat:
    """The format of one kind of token: its prefix, and how many random bytes it holds."""

    prefix: str
    random_bytes: int

    @property
    def length(self) -> int:
        """The number of characters of a token."""
        return len(self.prefix) + (self.random_bytes * 8 + 5) // 6 + _CHECKSUM_LENGTH

    def new(self) -> str:
        """A new random token."""
        body = secrets.token_urlsafe(self.random_bytes)
        return f"{self.prefix}{body}{_checksum(body)}"

    def fits(self, text: str) -> bool:
        """Whether `text` has this format: prefix, length and checksum. It need not be a token that exists."""
        if not text.isascii() or len(text) != self.length or not text.startswith(self.prefix):
            return False
        body, checksum = text[len(self.prefix) : -_CHECKSUM_LENGTH], text[-_CHECKSUM_LENGTH:]
        return hmac.compare_digest(_checksum(body), checksum)

    def find(self, text: str) -> str | None:
        """The first token in `text`, whatever stands around it; None if there is none.

        Line breaks, white space and invisible characters within it are skipped. What the checksum proves to be the
        token is the token; nothing is guessed.
        """
        text = "".join(filter(_may_matter, _BROKEN_LINE.sub("", unquote(text[:LONGEST_TEXT]))))
        start = text.find(self.prefix)
        while start >= 0:
            candidate = text[start : start + self.length]
            if self.fits(candidate):
                return candidate
            start = text.find(self.prefix, start + 1)
        return None


def _may_matter(char: str) -> bool:
    return not char.isspace() and unicodedata.category(char) not in {"Cc", "Cf"}


def _checksum(body: str) -> str:
    return hashlib.sha256(f"foyer:{body}".encode()).hexdigest()[:_CHECKSUM_LENGTH]
