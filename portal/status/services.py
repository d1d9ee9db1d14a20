"""From a room to the service that holds it: the row of its running run first, else the default of its plan.

So a plan can be switched to another service while people talk: who comes now still finds the others.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.db import session
from portal.rooms.models import Room
from portal.status.models import RoomSession
from portal.subscriptions.models import ServiceProvider
from portal.subscriptions.services import bound_service


def provider_of(room: Room, run_provider_uuid: UUID | None) -> ServiceProvider:
    """The row on which the running run goes on, if it is known, or the one on which a run would start."""
    default = room.subscription.provider
    if run_provider_uuid is None or run_provider_uuid == default.uuid:
        return default
    return session.get(ServiceProvider, run_provider_uuid) or default


def current_provider(room: Room) -> ServiceProvider:
    """The row that holds the room now: one statement."""
    running = sa.select(RoomSession.provider_uuid).where(
        RoomSession.room_uuid == room.uuid, RoomSession.ended_at.is_(None)
    )
    return provider_of(room, session.scalar(running))


def service_of(room: Room) -> Any:
    """The service that holds the room now, bound to its row."""
    return bound_service(current_provider(room))
