"""Encryption of stored secrets that must be shown or used again, and keyed hashes to look them up by.

Every kind of secret has a `purpose`, which is mixed into its keys, so that one kind can never stand
for another. The first secret key seals; all of them open and are tried when looking something up.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_secrets: tuple[str, ...] = ()


def use(secret_keys: tuple[str, ...]) -> None:
    """Set the operator's secret keys, newest first. Called once by `create_app`."""
    global _secrets
    if not secret_keys:
        raise ValueError("the vault needs a key")
    _secrets = secret_keys
    _derive.cache_clear()


class Tampered(ValueError):
    """A sealed text was not sealed under these keys for this purpose, or has been changed."""


def seal(plain: str, *, purpose: str) -> str:
    """Encrypt and authenticate `plain` under the newest key."""
    return _box(purpose).encrypt(plain.encode()).decode()


def unseal(sealed: str, *, purpose: str) -> str:
    """The plain text of `sealed`. Raises `Tampered`."""
    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Tampered(purpose) from None


def lookup_hash(plain: str, *, purpose: str) -> str:
    """The keyed hash of a secret, for a unique index beside the sealed text: 64 hexadecimal characters."""
    return _keyed_hash(plain, _derive(_secrets[0], f"lookup:{purpose}"))


def lookup_hashes(plain: str, *, purpose: str) -> list[str]:
    """The keyed hashes of a secret under every key, for `WHERE hash IN (…)` while keys are being changed."""
    return [_keyed_hash(plain, _derive(secret, f"lookup:{purpose}")) for secret in _secrets]


def signing_keys(purpose: str) -> list[bytes]:
    """The keys for signed cookies of this purpose, oldest first, which is the order that itsdangerous expects."""
    return [_derive(secret, f"sign:{purpose}") for secret in reversed(_secrets)]


def _box(purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(urlsafe_b64encode(_derive(secret, f"seal:{purpose}"))) for secret in _secrets])


def _keyed_hash(plain: str, key: bytes) -> str:
    return hmac.new(key, plain.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=256)
def _derive(secret: str, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"foyer:{info}".encode()).derive(secret.encode())
