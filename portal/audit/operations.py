"""Writing the audit log: every operation calls `record_event` once; others may listen to what is noted."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol
from uuid import UUID

from portal.audit.models import AuditEvent
from portal.db import session


class Auditable(Protocol):
    """Anything with a uuid that lives in a table: what an audit line can be about."""

    __tablename__: str

    @property
    def uuid(self) -> UUID: ...


Listener = Callable[[Sequence[tuple[AuditEvent, Auditable]]], None]
"""Gets lines of one action, each with its thing: at least one, and all that happened at once.

Runs in the transaction of what is noted, and goes with it if it is rolled back.
"""

_listeners: list[Listener] = []


def subscribe(listener: Listener) -> None:
    """Call `listener` after what is noted. Called by `create_app`; saying it twice changes nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


def record_event(
    action: str, thing: Auditable, *, by: UUID | None, room: UUID | None = None, **details: str | int | bool | None
) -> None:
    """Add a line: `record_event("token.created", token, by=user.uuid, room=room.uuid, role="guest")`."""
    record_events(action, [(thing, by)], room=room, **details)


def record_events(
    action: str,
    things: Iterable[tuple[Auditable, UUID | None]],
    *,
    room: UUID | None = None,
    **details: str | int | bool | None,
) -> None:
    """Add a line for each of these things, with who did it; who listens hears of all of them at once."""
    lines = [
        (
            AuditEvent(
                actor_uuid=by,
                action=action,
                thing=thing.__tablename__,
                thing_uuid=thing.uuid,
                room_uuid=room,
                details=details,
            ),
            thing,
        )
        for thing, by in things
    ]
    session.add_all(line for line, _ in lines)
    for listener in _listeners if lines else ():
        listener(lines)
