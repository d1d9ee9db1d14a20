"""Asking services for callbacks about runs: only some have to be asked, and those may forget it.

It is done by a job, because nobody who enters a room should wait for it: callbacks only speed up what polls find out.
It is done again every few minutes while a run goes on, since services drop an address that they could not reach for a
while. No lock, transaction or connection is held while a service is asked.
"""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import now
from portal.db import session, transaction
from portal.providers.base import RegistersCallbacks
from portal.status.models import RoomSession
from portal.subscriptions.provider_models import ServiceProvider
from portal.subscriptions.services import bound_service, callback_url

log = structlog.get_logger()

REGISTER_AGAIN = timedelta(minutes=5)
"""So long after a service was asked for callbacks about a run it is asked again, whether it did it or not."""


def providers_to_register_with() -> list[UUID]:
    """The uuids of providers whose service should now be asked for callbacks about some run."""
    return list(session.scalars(sa.select(RoomSession.provider_uuid).where(*_due(now())).distinct()))


def register_callbacks(provider_uuid: UUID) -> int:
    """Ask the service of this provider for callbacks about its runs that are due. Returns how many those were.

    Several jobs may call this at once: runs are claimed by an UPDATE that only one of them wins.
    """
    with transaction():
        provider = session.get(ServiceProvider, provider_uuid)
        rooms = _claim(provider_uuid, now()) if provider is not None else []
    if provider is None or not rooms:
        return 0
    try:
        service = bound_service(provider)
        if isinstance(service, RegistersCallbacks):
            service.register_callbacks([str(room_uuid) for room_uuid in rooms], callback_url(provider))
            return len(rooms)
    except Exception as error:  # noqa: BLE001  (it is asked again; until then polls do without)
        log.warning("a service was not asked for callbacks", provider=provider.id, error=type(error).__name__)
        return len(rooms)
    with transaction():
        session.execute(
            sa.update(RoomSession)
            .where(RoomSession.room_uuid.in_(rooms), RoomSession.ended_at.is_(None))
            .values(next_registration_at=None)
            .execution_options(synchronize_session=False)
        )
    return 0


def _due(at: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        RoomSession.ended_at.is_(None),
        RoomSession.next_registration_at <= at,
        RoomSession.provider_uuid.is_not(None),
    )


def _claim(provider_uuid: UUID, at: datetime) -> list[UUID]:
    """The rooms of the claimed runs."""
    claimed = session.scalars(
        sa.update(RoomSession)
        .where(RoomSession.provider_uuid == provider_uuid, *_due(at))
        .values(next_registration_at=at + REGISTER_AGAIN)
        .returning(RoomSession.room_uuid)
        .execution_options(synchronize_session=False)
    )
    return sorted(claimed)
