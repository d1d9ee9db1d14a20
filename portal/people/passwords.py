"""Hashing and checking passwords with Argon2id.

One hash takes tenths of a second. Under gevent it runs in a pool of threads, so that other requests do not wait.
"""

import sys
from collections.abc import Callable
from functools import cache
from typing import Any, NewType, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.errors import Invalid, Message

HASHES_AT_ONCE = 2
MIN_LENGTH = 10
MAX_LENGTH = 200  # longer ones only burn time

T = TypeVar("T")
Hash = NewType("Hash", str)

_hasher = PasswordHasher()


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
    return Hash(_in_thread_pool(lambda: _hasher.hash(password)))


def matches(password: str, stored: str | None) -> bool:
    """Whether `password` has the hash `stored`. Takes as long for None, which stands for a user that is not there."""

    def verify() -> bool:
        try:
            _hasher.verify(stored or _dummy(), password)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    return len(password) <= MAX_LENGTH and _in_thread_pool(verify)


@cache
def _dummy() -> str:
    return _hasher.hash("nobody has this password")


@cache
def _pool() -> Any:
    from gevent.threadpool import ThreadPool  # noqa: PLC0415  (only where gevent runs the process)

    return ThreadPool(HASHES_AT_ONCE)


def _in_thread_pool(work: Callable[[], T]) -> T:
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("socket"):
        return _pool().apply(work)  # type: ignore[no-any-return]
    return work()
