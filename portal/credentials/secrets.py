"""The texts that programs carry, and what is stored of them.

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
    """What is stored: 64 hexadecimal characters."""
    return hashlib.sha256(text.encode()).hexdigest()


def same(text: str, stored: str) -> bool:
    """Whether `stored` is the hash of this text, in constant time."""
    return hmac.compare_digest(hash_of(text), stored)
