"""Credentials for a TURN server, which relays media where networks let browsers make no direct connection.

Each participant gets his own, for a day. They are made with a secret that the portal shares with the server, by the
scheme that coturn calls `use-auth-secret` (draft-uberti-behave-turn-rest): the server can check them by itself, and
whoever keeps them cannot use them for long.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

VALID = timedelta(days=1)  # longer than a conversation, because a page keeps them for as long as it is open


@dataclass(frozen=True)
class TurnServers:
    """The operator's TURN servers, which have one secret: `urls` as browsers take them, `turn:host:3478`."""

    urls: Sequence[str]
    secret: str

    def for_participant(self, participant_id: str, at: datetime) -> dict[str, Any]:
        """The servers as an entry of `RTCPeerConnection`'s `iceServers`, with credentials for this participant."""
        username = f"{int((at + VALID).timestamp())}:{participant_id}"
        proof = hmac.new(self.secret.encode(), username.encode(), hashlib.sha1).digest()  # the scheme's own choice
        return {"urls": list(self.urls), "username": username, "credential": base64.b64encode(proof).decode()}
