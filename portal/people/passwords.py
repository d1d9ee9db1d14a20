"""Hashing and checking passwords with Argon2id.

One hash takes tenths of a second. Under gevent it runs in a pool of threads, so that other requests do not wait.
"""

from functools import cache
from typing import NewType

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.errors import Invalid, Message
from portal.thread_pool import WorkThreads

HASHES_AT_ONCE = 2
MIN_LENGTH = 10
MAX_LENGTH = 200  # longer ones only burn time

Hash = NewType("Hash", str)

_hasher = PasswordHasher()
_threads = WorkThreads(HASHES_AT_ONCE)


def use(memory: int) -> None:
    """Set the memory in KiB that one hash takes. Called once by `create_app`."""
    global _hasher
    _hasher = PasswordHasher(memory_cost=memory)
    _dummy.cache_clear()


def checked_hash(password: str) -> Hash:
    """The hash to store for a new password. Raises `Invalid` on `password` if it is too short or too long.

    It is slow, so call it before the transaction writes anything.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise Invalid(password=Message("A password has at least %(least)d characters.", least=MIN_LENGTH))
    return Hash(_threads.run(lambda: _hasher.hash(password)))


def matches(password: str, stored: str | None) -> bool:
    """Whether `password` has the hash `stored`. Takes as long for None, which stands for a user that is not there."""

    def verify() -> bool:
        try:
            _hasher.verify(stored or _dummy(), password)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    return len(password) <= MAX_LENGTH and _threads.run(verify)


@cache
def _dummy() -> str:
    return _hasher.hash("nobody has this password")
