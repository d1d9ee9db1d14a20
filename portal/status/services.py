"""Finding the service of a room: that of its running run, or else the default of its plan.

So a plan can be switched to another service while people talk: whoever enters now still meets the others.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.db import session
from portal.rooms.protocols import RoomLike
from portal.status.models import RoomSession
from portal.subscriptions.protocols import ProviderLike
from portal.subscriptions.provider_models import ServiceProvider
from portal.subscriptions.services import bound_service


def provider_of(room: RoomLike, run_provider_uuid: UUID | None) -> ProviderLike:
    """The provider with this uuid, which is that of the running run; the plan's default for None or a deleted one."""
    default = room.subscription.provider
    if run_provider_uuid is None or run_provider_uuid == default.uuid:
        return default
    return session.get(ServiceProvider, run_provider_uuid) or default


def current_provider(room: RoomLike) -> ProviderLike:
    """The provider of the room's running run, or else the one on which a run would start: one statement."""
    running = sa.select(RoomSession.provider_uuid).where(
        RoomSession.room_uuid == room.uuid, RoomSession.ended_at.is_(None)
    )
    return provider_of(room, session.scalar(running))


def service_of(room: RoomLike, run: RoomSession) -> Any:
    """The service of the provider on which this run of the room goes on."""
    return bound_service(provider_of(room, run.provider_uuid))
