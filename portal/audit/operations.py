"""Writing audit lines with `record_event` or `record_events`, and telling listeners, such as webhooks, about them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from portal.audit.models import AuditEvent
from portal.db import session


class Auditable(Protocol):
    """What a line of the audit can be about: any row with a uuid."""

    __tablename__: str

    @property
    def uuid(self) -> UUID: ...


class AuditedActor(Protocol):
    """What an audit line stores of whoever acted: user, program, customer on whose behalf. An `Actor` is one."""

    @property
    def uuid(self) -> UUID: ...
    @property
    def client_uuid(self) -> UUID | None: ...
    @property
    def on_behalf_of_uuid(self) -> UUID | None: ...


@dataclass(frozen=True)
class AuditedUser:
    """A user who acted in his own right, where nothing but his uuid is loaded: he leaves a room, say."""

    uuid: UUID
    client_uuid: UUID | None = None
    on_behalf_of_uuid: None = None


Listener = Callable[[Sequence[tuple[AuditEvent, Auditable]]], None]
"""A function that is called with new lines of one action, each with its thing: all that were written together.

It runs in the transaction that writes the lines, so what it writes is rolled back with them.
"""

_listeners: list[Listener] = []


def subscribe(listener: Listener) -> None:
    """Have `listener` called with new lines. A second call with the same listener changes nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


def record_event(
    action: str,
    thing: Auditable,
    *,
    by: AuditedActor | None,
    room: UUID | None = None,
    **details: str | int | bool | None,
) -> None:
    """Add a line: `record_event("token.created", token, by=actor, room=room.uuid, role="guest")`.

    `by` is None where the portal itself acts, or a guest.
    """
    record_events(action, [(thing, by)], room=room, **details)


def record_events(
    action: str,
    things: Iterable[tuple[Auditable, AuditedActor | None]],
    *,
    room: UUID | None = None,
    **details: str | int | bool | None,
) -> None:
    """Add a line for each (thing, who did it). Listeners are called once, with all of them."""
    lines = [
        (
            AuditEvent(
                actor_uuid=by.uuid if by is not None else None,
                client_uuid=by.client_uuid if by is not None else None,
                on_behalf_of_uuid=by.on_behalf_of_uuid if by is not None else None,
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
