"""Test data that has to differ from one request to the next: a key that was used means another request."""

import secrets
from typing import Any

import schemathesis


@schemathesis.hook
def map_headers(_context: Any, headers: dict[str, str] | None) -> dict[str, str] | None:
    """Give every request an Idempotency-Key of its own."""
    if headers and "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = secrets.token_hex(16)
    return headers
