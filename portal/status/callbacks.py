"""Receiving callbacks of services: the adapter verifies the raw bytes, and each message is acted upon once.

A callback only speeds things up. What it says is recorded, and then the service is asked, if it can be: so a lost,
late, repeated or replayed message costs no more than one question too many.
"""

import sqlalchemy as sa
import structlog

from portal.db import session
from portal.errors import NotFound
from portal.idempotency.forms import record_submission, submission_key
from portal.providers.base import RawCallback, ReceivesCallbacks, Report, ReportsStatus
from portal.status.models import RoomSession, RoomStatus, Source
from portal.status.recording import record
from portal.subscriptions.models import ServiceProvider
from portal.subscriptions.services import bound_service

log = structlog.get_logger()


def receive(provider: ServiceProvider, callback: RawCallback) -> int:
    """Act upon the messages of a callback. Returns how many of them were new.

    Raises `CallbackRefused` if the service of `provider` did not send it, and `NotFound` if it sends no callbacks.
    """
    service = bound_service(provider)
    if not isinstance(service, ReceivesCallbacks):
        raise NotFound
    new = 0
    for report in service.read_callback(callback):
        key = submission_key("callback", str(provider.uuid), report.key)
        if record_submission(key, ""):
            new += 1
            _take(provider, report, callback, ask_after=isinstance(service, ReportsStatus))
    return new


def _take(provider: ServiceProvider, report: Report, callback: RawCallback, *, ask_after: bool) -> None:
    room_uuid = session.scalar(
        sa.select(RoomSession.room_uuid).where(
            RoomSession.provider_uuid == provider.uuid,
            RoomSession.external == report.external,
            RoomSession.ended_at.is_(None),
        )
    )
    if room_uuid is None:
        log.info("a callback tells of no run that goes on", provider=provider.id)
        return
    if report.snapshot is not None:
        record(room_uuid, report.snapshot, source=Source.WEBHOOK, provider=provider, external=report.external)
    if ask_after:
        session.execute(
            sa.update(RoomStatus)
            .where(RoomStatus.room_uuid == room_uuid)
            .values(next_look_at=callback.received_at)
            .execution_options(synchronize_session="fetch")
        )
