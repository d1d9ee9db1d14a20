"""Signing a call: the checksum is made over exactly the bytes that are sent, so they are made once, here.

A query is written as forms are (a space is `+`), with everything encoded but letters, digits and `_.-~`: servers write
it anew before they check, and agree on nothing else.
"""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote_plus, urlencode

ALGORITHMS = ("sha256", "sha1", "sha384", "sha512")
"""The hashes that servers know, the default first. They tell them apart by the length of the checksum."""
_LENGTHS = {2 * hashlib.new(name).digest_size: name for name in ALGORITHMS}


def query_of(parameters: Mapping[str, str]) -> str:
    """The parameters as a query, each one once."""
    return urlencode(parameters, quote_via=quote_plus, safe="")


def checksum(call: str, query: str, secret: str, algorithm: str) -> str:
    """The checksum of a call with this query."""
    return hashlib.new(algorithm, f"{call}{query}{secret}".encode()).hexdigest()


def signed_query(call: str, parameters: Mapping[str, str], secret: str, algorithm: str) -> str:
    """The query of a call with its checksum at the end."""
    query = query_of(parameters)
    return f"{query}{'&' if query else ''}checksum={checksum(call, query, secret, algorithm)}"


def fits(given: str, text: bytes, secret: str) -> bool:
    """Whether `given` is the checksum of `text` and the secret, by the hash that has its length."""
    algorithm = _LENGTHS.get(len(given))
    if algorithm is None:
        return False
    expected = hashlib.new(algorithm, text + secret.encode()).hexdigest()
    return hmac.compare_digest(expected.encode(), given.lower().encode())


def derived(secret: str, *parts: str) -> str:
    """A text that only who knows the secret can make from these parts, always the same: 40 letters and digits."""
    return hmac.new(secret.encode(), "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()[:40]
