"""The part of the API's documentation for receivers of webhooks: the payload of each event, headers, and answers.

The example is signed with a published secret, so that the author of a receiver can test his check of signatures.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from portal.providers.fetch import LONGEST_SECONDS
from portal.resources.access import RoomAccessCodeSchema, RoomTokenSchema
from portal.resources.people import RoomUserSchema
from portal.resources.recordings import RoomRecordingSchema
from portal.resources.rooms import RoomSchema
from portal.resources.sessions import RefusedVisitSchema, RoomSessionSchema, SessionParticipationSchema
from portal.resources.subscriptions import AccountSchema, CustomerSchema, SubscriptionSchema
from portal.resources.videos import RoomVideoSchema
from portal.webhooks.deliveries import GONE, LONGEST_FAILING, MOST_GIVEN_UP, RETENTION, SCHEDULE
from portal.webhooks.events import TEST, Event
from portal.webhooks.operations import OVERLAP
from portal.webhooks.payloads import encoded
from portal.webhooks.resources import WebhookSchema
from portal.webhooks.signing import signed

TAG = "Webhooks"
EXAMPLE_EVENT = Event.PARTICIPANT_JOINED
EXAMPLE_AT = datetime(2027, 1, 31, 18, 30, tzinfo=UTC)
EXAMPLE_ID = "msg_01JJYKQ4G0T9W3E5R7Y8A2B4C6"
EXAMPLE_SECRET = "whsec_YW4gZXhhbXBsZSwgd2hpY2ggc2lnbnMgbm90aGluZyE="  # noqa: S105  (says that it signs nothing)
EXAMPLE = {
    "object": "Participation",
    "id": "p7Qh3DpQ2x",
    "name": "Jun Tanaka",
    "role": "guest",
    "token_id": "t4Wk9RmN5z",
    "token_label": "Press",
    "member": None,
    "entered_at": "2027-01-31T18:30:00.000000Z",
    "left_at": None,
    "ending": None,
    "session_id": "s2Lc8VbJ6y",
    "room_id": "u6Yh3DpQ2x",
}
HEADERS = {
    "webhook-id": "Which message it is: the same at every try, so that you can tell what you have seen before.",
    "webhook-timestamp": "When this try was made, in seconds since 1970. Refuse what is older than five minutes.",
    "webhook-signature": "`v1,` and the signature of id, timestamp and body by the secret; two of them, with a space "
    f"between, for {OVERLAP // timedelta(hours=1)} hours after the secret was rotated.",
}
ANSWERS = {
    "2XX": f"Taken. Answer within {LONGEST_SECONDS:g} seconds, before you act upon it.",
    str(GONE): "Never again: the webhook is paused.",
    "default": "Not taken, and tried again. Redirects are not followed.",
}
_DATA: dict[str, Any] = {
    "room": RoomSchema,
    "room.started": RoomSessionSchema,
    "room.ended": RoomSessionSchema,
    "participant": SessionParticipationSchema,
    "participant.refused": RefusedVisitSchema,
    "token": RoomTokenSchema,
    "code": RoomAccessCodeSchema,
    "member": RoomUserSchema,
    "recording": RoomRecordingSchema,
    "video": RoomVideoSchema,
    "customer": CustomerSchema,
    "account": AccountSchema,
    "subscription": SubscriptionSchema,
    TEST: WebhookSchema,
}
MODELS = frozenset(_DATA.values())


def data_schema(kind: str) -> Any:
    """The schema of `data` in the payload of an event of this kind."""
    return _DATA.get(kind) or _DATA[kind.partition(".")[0]]


def example() -> tuple[dict[str, str], str]:
    """The headers and the body of an example delivery, signed with `EXAMPLE_SECRET`."""
    body = encoded(EXAMPLE_EVENT.value, EXAMPLE, EXAMPLE_AT)
    headers = signed(body.encode(), message_id=EXAMPLE_ID, at=EXAMPLE_AT, with_secrets=[EXAMPLE_SECRET])
    return {"content-type": "application/json", **headers}, body


def receiver_rules() -> dict[str, Any]:
    """How long a delivery is tried and kept, and when a webhook is paused, for the documentation page."""
    return {
        "hours": round(sum(SCHEDULE) / timedelta(hours=1).total_seconds()),
        "given_up": MOST_GIVEN_UP,
        "failing_days": LONGEST_FAILING.days,
        "kept_days": RETENTION.days,
    }


def webhooks_section(names: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    """The section `webhooks` of the OpenAPI document. `names` maps models to references to their schemas."""
    events = {event.value: (str(event.words), _who_is_told(event)) for event in Event}
    events[TEST] = ("You asked for a test.", "It need not be asked for in `events`.")
    return {
        kind: {
            "post": {
                "operationId": f"told_{kind.replace('.', '_')}",
                "tags": [TAG],
                "summary": summary,
                "description": description,
                "parameters": [
                    {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
                    for name, text in HEADERS.items()
                ],
                "requestBody": {"required": True, "content": {"application/json": _payload(kind, names)}},
                "responses": {status: {"description": text} for status, text in ANSWERS.items()},
            }
        }
        for kind, (summary, description) in events.items()
    }


def _who_is_told(event: Event) -> str:
    needed = f"Needs the permission `{event.needs}`."
    return f"Only webhooks of the portal, which staff make, are told. {needed}" if event.for_staff else needed


def _payload(kind: str, names: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": kind},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
            "data": names[data_schema(kind)],
        },
    }
    return {"schema": schema} | ({"example": json.loads(example()[1])} if kind == EXAMPLE_EVENT else {})
