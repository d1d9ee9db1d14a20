"""Writing the audit log: every operation calls `note` once; others may listen to what is noted."""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from portal.audit.models import AuditEvent
from portal.db import session


class Noted(Protocol):
    """Anything with a uuid that lives in a table: what an audit line can be about."""

    __tablename__: str

    @property
    def uuid(self) -> UUID: ...


Listener = Callable[[AuditEvent, Noted], None]
"""Gets the line and the thing. Runs in the transaction of what is noted, and goes with it if it is rolled back."""

_listeners: list[Listener] = []


def subscribe(listener: Listener) -> None:
    """Call `listener` after each line. Called by `create_app`; saying it twice changes nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


def note(
    action: str, thing: Noted, *, by: UUID | None, room: UUID | None = None, **facts: str | int | bool | None
) -> None:
    """Add a line: `note("token.created", token, by=user.uuid, room=room.uuid, role="guest")`."""
    line = AuditEvent(
        actor_uuid=by,
        action=action,
        thing=thing.__tablename__,
        thing_uuid=thing.uuid,
        room_uuid=room,
        facts=facts,
    )
    session.add(line)
    for listener in _listeners:
        listener(line, thing)
