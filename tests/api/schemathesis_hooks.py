"""Test data that has to differ from one request to the next, and what one parameter means for another."""

import re
import secrets
from typing import Any

import schemathesis


@schemathesis.hook
def map_headers(_context: Any, headers: dict[str, str] | None) -> dict[str, str] | None:
    """Give every request an Idempotency-Key of its own: a key that was used means another request."""
    if headers and "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = secrets.token_hex(16)
    return headers


@schemathesis.hook
def map_query(_context: Any, query: dict[str, Any] | None) -> dict[str, Any] | None:
    """Seek words without a field where words are: in a status or a moment they are refused, which no schema says."""
    without = query and ":" not in str(query.get("search", ":"))
    if query and without and re.fullmatch(r"(\w+:(=|like);?)+", str(query.get("searchFields", ""))):
        del query["searchFields"]
    return query
