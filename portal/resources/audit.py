"""Lines of the audit, as programs read them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from portal.audit.changes import CHANGES
from portal.audit.models import AuditEvent
from portal.customers.models import Customer
from portal.moments import iso_datetime
from portal.people.models import User
from portal.resources.columns import Column
from portal.resources.declaring import Read, Resource, serializer
from portal.rooms.models import Room


@dataclass(frozen=True)
class AuditLineRead:
    """A line with the ids of what it refers to, as far as that is still there. `network` is for staff."""

    event: AuditEvent
    actor_id: str | None
    client_id: str | None
    room_id: str | None
    customer_id: str | None
    network: str | None


class AuditEventSchema(Resource):
    """One thing that was done. `changes`: field → its value before and after."""

    object: Literal["AuditEvent"]
    id: Annotated[str, Read(lambda row, _: str(row.event.uuid))]
    created_at: Annotated[datetime, Column(AuditEvent.at), Read(lambda row, _: iso_datetime(row.event.at))]
    action: Annotated[str, Column(AuditEvent.action), Read("event.action")]
    thing: Annotated[str, Column(AuditEvent.thing), Read("event.thing")]
    thing_uuid: Annotated[str | None, Read(lambda row, _: str(row.event.thing_uuid) if row.event.thing_uuid else None)]
    room_id: Annotated[str | None, Column(Room.id)]
    actor_id: Annotated[str | None, Column(User.id)]
    client_id: str | None
    customer_id: Annotated[str | None, Column(Customer.id)]
    network: str | None
    changes: Annotated[dict[str, list[Any]], Read(lambda row, _: row.event.details.get(CHANGES, {}))]
    details: Annotated[
        dict[str, Any], Read(lambda row, _: {k: v for k, v in row.event.details.items() if k != CHANGES})
    ]


_serialize = serializer(AuditEventSchema)


def serialize_audit_event(line: AuditLineRead) -> dict[str, Any]:
    """A line of the audit."""
    return _serialize(line)
