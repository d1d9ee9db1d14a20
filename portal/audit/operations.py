"""Noting audit lines with `record_event` or `record_events`, and telling listeners, such as webhooks, about them.

The lines of a transaction are inserted together when it is committed, each with the time at which it was noted.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa

from portal.audit.changes import CHANGES, Changes
from portal.audit.models import AuditEvent
from portal.clock import now
from portal.db import insert_at_commit
from portal.identifiers import new_uuid

_ROOMS = sa.table("rooms", sa.column("uuid", sa.Uuid()), sa.column("customer_uuid", sa.Uuid()))
_CUSTOMER_OF_ROOM = (
    sa.select(_ROOMS.c.customer_uuid).where(_ROOMS.c.uuid == sa.bindparam("of_room", type_=sa.Uuid())).scalar_subquery()
)
_INSERT = sa.insert(AuditEvent.__table__).values(  # type: ignore[arg-type]
    customer_uuid=sa.func.coalesce(sa.bindparam("known_customer", type_=sa.Uuid()), _CUSTOMER_OF_ROOM)
)
"""Much of what is in a room does not know whose the room is, so the database looks it up where nobody told.

Rooms are never deleted in the same transaction: nothing happens in those that are.
"""


class Auditable(Protocol):
    """What a line of the audit can be about: any row with a uuid.

    What belongs to a customer, but to no room, tells it by an attribute `customer_uuid`.
    """

    __tablename__: str

    @property
    def uuid(self) -> UUID: ...


class AuditedActor(Protocol):
    """What an audit line stores of who acted: user, program, customer on whose behalf, network. An `Actor` is one."""

    @property
    def uuid(self) -> UUID: ...
    @property
    def client_uuid(self) -> UUID | None: ...
    @property
    def on_behalf_of_uuid(self) -> UUID | None: ...
    @property
    def network(self) -> str | None: ...


@dataclass(frozen=True)
class AuditedUser:
    """A user who acted in his own right, where nothing but his uuid is loaded: he leaves a room, say."""

    uuid: UUID
    client_uuid: UUID | None = None
    on_behalf_of_uuid: None = None
    network: None = None


@dataclass(frozen=True)
class AuditLine:
    """A line of the audit as it was noted. Its fields are columns of `AuditEvent`."""

    uuid: UUID
    at: datetime
    actor_uuid: UUID | None
    client_uuid: UUID | None
    on_behalf_of_uuid: UUID | None
    network: str | None
    action: str
    thing: str
    thing_uuid: UUID
    room_uuid: UUID | None
    details: dict[str, Any]


Listener = Callable[[Sequence[tuple[AuditLine, Auditable]], int | None], None]
"""A function that is called with new lines of one action, each with its thing: all that were noted together.

The number is that of webhooks, as `record_event` was told it. The function runs when the lines are noted, in the
transaction that writes them, so what it writes is rolled back with them.
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
    webhooks: int | None = None,
    changes: Changes | None = None,
    **details: str | int | bool | None,
) -> None:
    """Add a line: `record_event("token.created", token, by=actor, room=room.uuid, role="guest")`.

    `by` is None where the portal itself acts, or a guest. `changes` tells named fields before and after. `webhooks`
    says how many active webhooks the room's customer has, where that was read with the room: of a line for which
    nobody listens no listener needs to ask the database.
    """
    record_events(action, [(thing, by)], room=room, webhooks=webhooks, changes=changes, name_of=None, **details)


def record_events(
    action: str,
    things: Iterable[tuple[Auditable, AuditedActor | None]],
    *,
    room: UUID | None = None,
    webhooks: int | None = None,
    changes: Changes | None = None,
    name_of: Callable[[Any], str] | None = None,
    **details: str | int | bool | None,
) -> None:
    """Add a line for each (thing, who did it). Listeners are called once, with all of them.

    `name_of` returns the name of a thing, where each line has to tell that of its own: for what is deleted.
    """
    at = now()
    about: dict[str, Any] = {**details, CHANGES: changes} if changes else details
    lines = [
        (
            AuditLine(
                uuid=new_uuid(),
                at=at,
                actor_uuid=by.uuid if by is not None else None,
                client_uuid=by.client_uuid if by is not None else None,
                on_behalf_of_uuid=by.on_behalf_of_uuid if by is not None else None,
                network=by.network if by is not None else None,
                action=action,
                thing=thing.__tablename__,
                thing_uuid=thing.uuid,
                room_uuid=room,
                details=about if name_of is None else {**about, "name": name_of(thing)},
            ),
            thing,
        )
        for thing, by in things
    ]
    insert_at_commit(_INSERT, *(_params(line, thing) for line, thing in lines))
    for listener in _listeners if lines else ():
        listener(lines, webhooks)


def _params(line: AuditLine, thing: Auditable) -> dict[str, Any]:
    customer_uuid: UUID | None = getattr(thing, "customer_uuid", None)
    return {**vars(line), "known_customer": customer_uuid or line.on_behalf_of_uuid, "of_room": line.room_uuid}
