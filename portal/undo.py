"""Undoing a deletion for ten minutes, by a sealed token that holds what was deleted.

The token travels with the page to the browser and back, so the server stores nothing of what was deleted.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from portal import vault
from portal.clock import is_within, now

UNDO_WINDOW = timedelta(minutes=10)


def undo_token(purpose: str, **payload: str | int | list[str] | None) -> str:
    """Seal `payload` and the present time into a token. The browser that carries it can neither read nor change it."""
    return vault.seal(json.dumps({"at": now().isoformat(), "payload": payload}), purpose=purpose)


def undo_payload(purpose: str, token: str) -> dict[str, Any] | None:
    """The payload of an undo token; None if the portal did not make it for this purpose, or if it is too late."""
    try:
        content: dict[str, Any] = json.loads(vault.unseal(token, purpose=purpose))
    except vault.Tampered:
        return None
    payload: dict[str, Any] = content["payload"]
    return payload if is_within(UNDO_WINDOW, since=datetime.fromisoformat(content["at"])) else None
