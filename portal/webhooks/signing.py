"""Signing deliveries by the Standard Webhooks scheme (standardwebhooks.com), so that a receiver knows the sender."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

_PREFIX = "whsec_"
_RANDOM_BYTES = 32  # the scheme asks for 24 to 64


def new_secret() -> str:
    """A new signing secret in the scheme's format, which begins with `whsec_`."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_RANDOM_BYTES)).decode()


def signed(body: bytes, *, message_id: str, at: datetime, with_secrets: Sequence[str]) -> dict[str, str]:
    """The headers with the message id, the timestamp, and the signatures of the body by each of the secrets."""
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
