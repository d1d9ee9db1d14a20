"""Writing the audit log: every operation calls `note` once."""

from typing import Protocol
from uuid import UUID

from portal.audit.models import AuditEvent
from portal.db import session


class Noted(Protocol):
    """Anything with a uuid that lives in a table: what an audit line can be about."""

    __tablename__: str

    @property
    def uuid(self) -> UUID: ...


def note(
    action: str, thing: Noted, *, by: UUID | None, room: UUID | None = None, **facts: str | int | bool | None
) -> None:
    """Add a line: `note("token.created", token, by=user.uuid, room=room.uuid, role="guest")`."""
    session.add(
        AuditEvent(
            actor_uuid=by,
            action=action,
            thing=thing.__tablename__,
            thing_uuid=thing.uuid,
            room_uuid=room,
            facts=facts,
        )
    )
