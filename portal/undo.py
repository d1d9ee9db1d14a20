"""What was deleted, sealed, so that whoever deleted it can undo that for ten minutes. Nothing of it is stored."""

import json
from datetime import datetime, timedelta
from typing import Any

from portal import vault
from portal.clock import now

UNDO_WINDOW = timedelta(minutes=10)


def undo_token(purpose: str, **payload: str | int | list[str] | None) -> str:
    """The payload, to be handed to the browser and back; it can neither read nor change them."""
    return vault.seal(json.dumps({"at": now().isoformat(), "payload": payload}), purpose=purpose)


def undo_payload(purpose: str, kept: str) -> dict[str, Any] | None:
    """What was kept, or None if we did not keep it, or if it is too late."""
    try:
        content: dict[str, Any] = json.loads(vault.unseal(kept, purpose=purpose))
    except vault.Tampered:
        return None
    payload: dict[str, Any] = content["payload"]
    return payload if now() - datetime.fromisoformat(content["at"]) <= UNDO_WINDOW else None
