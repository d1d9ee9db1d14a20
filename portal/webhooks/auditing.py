"""What lines of the audit tell of an endpoint: where it leads, of what it is told, and who answers for it.

Of its address only the origin: the path or the query is with many receivers what lets anybody send to them. The signing
secret is never told.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from portal.audit.changes import differences
from portal.audit.operations import record_event
from portal.people.actor import Actor
from portal.webhooks.models import WebhookEndpoint

AUDITED = ("url", "events", "description", "owner")


def audited(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """The values of `AUDITED`, as lines tell them. The owner is told by his id."""
    values = (
        _origin(endpoint.url),
        list(endpoint.events),
        endpoint.description or None,
        endpoint.owner.id if endpoint.owner else None,
    )
    return dict(zip(AUDITED, values, strict=True))


def record_changed(endpoint: WebhookEndpoint, *, before: Mapping[str, Any], url_before: str, by: Actor) -> None:
    """Add the line that the endpoint, of which this was `audited` before, was changed, if it was."""
    changes = differences(before, audited(endpoint))
    if "url" not in changes and endpoint.url != url_before:
        record_event("webhook.changed", endpoint, by=by, room=endpoint.room_uuid, changes=changes, other_path=True)
    elif changes:
        record_event("webhook.changed", endpoint, by=by, room=endpoint.room_uuid, changes=changes)


def record_deleted(endpoint: WebhookEndpoint, *, by: Actor) -> None:
    """Add the line that the endpoint was deleted, which tells for good by what name people knew it."""
    deleted = differences(audited(endpoint), {})
    name = endpoint.description or _origin(endpoint.url)
    record_event("webhook.deleted", endpoint, by=by, room=endpoint.room_uuid, name=name, changes=deleted)


def _origin(url: str) -> str:
    """Scheme and host of an address: "https://hooks.example"."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
