"""Finding the service of a room: that of its running run, or else the default of its plan.

So a plan can be switched to another service while people talk: whoever enters now still meets the others.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.db import session
from portal.errors import Conflict, Message
from portal.providers.base import Places
from portal.rooms.protocols import RoomLike
from portal.status.models import RoomSession
from portal.subscriptions.protocols import ProviderLike
from portal.subscriptions.provider_models import ServiceProvider
from portal.subscriptions.services import adapter_of, bound_service


def provider_of(room: RoomLike, run_provider_uuid: UUID | None) -> ProviderLike:
    """The provider with this uuid, which is that of the running run; the plan's default for None or a deleted one."""
    default = room.subscription.provider
    if run_provider_uuid is None or run_provider_uuid == default.uuid:
        return default
    return session.get(ServiceProvider, run_provider_uuid) or default


class ServiceDraining(Conflict):
    """The provider of the room starts no new run. One that goes on goes on."""

    default = Message("This room is not available right now. Try again later.")


def can_run_on(provider: ProviderLike, *, goes_on: bool) -> bool:
    """Whether a run may go on there, or with `goes_on=False` whether a new one may start."""
    return provider.active and (goes_on or not provider.draining)


def require_new_runs(provider: ProviderLike) -> None:
    """Raise `ServiceDraining` if no new run starts on this provider."""
    if provider.draining:
        raise ServiceDraining


def current_provider(room: RoomLike) -> ProviderLike:
    """The provider of the room's running run, or else the one on which a run would start: one statement."""
    return provider_of(room, running_provider_uuid(room))


def running_provider_uuid(room: RoomLike) -> UUID | None:
    """The uuid of the provider of the room's running run; None if none is running."""
    running = sa.select(RoomSession.provider_uuid).where(
        RoomSession.room_uuid == room.uuid, RoomSession.ended_at.is_(None)
    )
    return session.scalar(running)


def places_of_run(room: RoomLike, run: RoomSession) -> Places | None:
    """How many people this run of the room holds, and how many of them send; None if its service sees to it."""
    return adapter_of(provider_of(room, run.provider_uuid)).places


def service_of(room: RoomLike, run: RoomSession) -> Any:
    """The service of the provider on which this run of the room goes on."""
    return bound_service(provider_of(room, run.provider_uuid))
