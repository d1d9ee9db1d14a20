"""Signatures by the Standard Webhooks scheme, by which a receiver knows who is calling (standardwebhooks.com)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

_PREFIX = "whsec_"
_RANDOM_BYTES = 32  # the scheme asks for 24 to 64


def new_secret() -> str:
    """A signing secret, as the scheme spells it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_RANDOM_BYTES)).decode()


def signed(body: bytes, *, message_id: str, at: datetime, with_secrets: Sequence[str]) -> dict[str, str]:
    """The headers that go with the body: one signature for each secret that is live, in one header."""
    seconds = str(int(at.timestamp()))
    content = f"{message_id}.{seconds}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{_signature(secret, content)}" for secret in with_secrets),
    }


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
