"""The formats of client secrets, tokens and codes, and the hash that is stored of each.

All have 256 random bits, so one plain SHA-256 is the right hash: there is nothing to guess that a slow
hash like Argon2 would protect, a stolen hash cannot be turned back, and each call of the API needs one.
"""

import hashlib
import hmac

from portal.token_format import TokenFormat

ACCESS = TokenFormat("fa_", random_bytes=32)
REFRESH = TokenFormat("fr_", random_bytes=32)
CLIENT = TokenFormat("fs_", random_bytes=32)
CODE = TokenFormat("fc_", random_bytes=32)

HASH_LENGTH = 64


def hash_of(text: str) -> str:
    """The hash of a secret, as it is stored: 64 hexadecimal characters."""
    return hashlib.sha256(text.encode()).hexdigest()


def matches_hash(text: str, stored: str) -> bool:
    """Whether `stored` is the hash of this text, in constant time."""
    return hmac.compare_digest(hash_of(text), stored)
