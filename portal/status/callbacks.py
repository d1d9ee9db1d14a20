"""Receiving callbacks of services: the adapter verifies the raw bytes, and each message about a run is acted upon once.

A callback only speeds things up. What it says is recorded, and then the service is asked, if it can be: so a lost,
late, repeated or replayed message costs no more than one question too many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.db import session
from portal.errors import NotFound
from portal.idempotency.forms import record_submission, submission_key
from portal.providers.base import CallbackRefused, ProviderError, RawCallback, ReceivesCallbacks, Report, ReportsStatus
from portal.status.models import RoomSession, RoomStatus, Source
from portal.status.recording import is_name, record
from portal.subscriptions.provider_models import ServiceProvider
from portal.subscriptions.services import bound_service

log = structlog.get_logger()


@dataclass(frozen=True)
class VerifiedCallback:
    """A callback that the service of `provider` did send. `ask_after`: whether that service can be asked about it."""

    provider: ServiceProvider
    reports: Sequence[Report]
    received_at: datetime
    ask_after: bool

    @property
    def recorded_rooms(self) -> set[UUID]:
        """The rooms of whose recordings it tells something, if there are such rooms."""
        told = (_uuid(report.room_key) for report in self.reports if report.recorded)
        return {room_uuid for room_uuid in told if room_uuid is not None}


def verify(provider: ServiceProvider, callback: RawCallback) -> VerifiedCallback:
    """Check who sent a callback, and read what it says. Changes nothing, so a stranger's waits for no writer.

    Raises `CallbackRefused` if the service of `provider` did not send it, and `NotFound` if it sends no callbacks.
    """
    try:
        service = bound_service(provider)
    except ProviderError:
        raise NotFound from None
    if not isinstance(service, ReceivesCallbacks):
        raise NotFound
    reports = _reports_of(service, callback, provider)
    return VerifiedCallback(provider, reports, callback.received_at, isinstance(service, ReportsStatus))


def receive(callback: VerifiedCallback) -> int:
    """Act upon the messages of a callback about runs. Returns how many of them were new.

    Those about recordings say no more than that the service should be asked, and one that is sent again may be about
    another format of the same recording: see `portal.media.looks.look_soon`.
    """
    provider = callback.provider
    fresh = [
        report
        for report in callback.reports
        if not report.recorded and record_submission(submission_key("callback", str(provider.uuid), report.key), "")
    ]
    rooms = [(_room_of(provider, report), report) for report in fresh]
    for room_uuid, report in sorted(((uuid, one) for uuid, one in rooms if uuid is not None), key=lambda pair: pair[0]):
        _record_report(room_uuid, report, callback)
    return len(fresh)


def _reports_of(service: ReceivesCallbacks, callback: RawCallback, provider: ServiceProvider) -> list[Report]:
    """What the callback says, as far as it can be kept. Raises `CallbackRefused` for what cannot be read."""
    try:
        reports = list(service.read_callback(callback))
    except CallbackRefused:
        raise
    except Exception as error:
        log.warning("a callback cannot be read", provider=provider.id, error=type(error).__name__)
        raise CallbackRefused from error
    return [one for one in reports if _is_about_a_run(one) and isinstance(one.key, str) and one.key.isprintable()]


def _is_about_a_run(report: Report) -> bool:
    return is_name(report.external) or (report.external == "" and _uuid(report.room_key) is not None)


def _uuid(room_key: object) -> UUID | None:
    try:
        return UUID(room_key) if isinstance(room_key, str) else None
    except ValueError:
        return None


def _room_of(provider: ServiceProvider, report: Report) -> UUID | None:
    """The room whose running run the report is about."""
    named = (
        RoomSession.external == report.external if report.external else RoomSession.room_uuid == _uuid(report.room_key)
    )
    running = (RoomSession.provider_uuid == provider.uuid, RoomSession.ended_at.is_(None))
    room_uuid = session.scalar(sa.select(RoomSession.room_uuid).where(named, *running))
    if room_uuid is None:
        log.info("a callback tells of no run that goes on", provider=provider.id)
    return room_uuid


def _record_report(room_uuid: UUID, report: Report, callback: VerifiedCallback) -> None:
    provider = callback.provider
    if report.snapshot is not None and report.external:
        try:
            with session.begin_nested():
                record(room_uuid, report.snapshot, source=Source.WEBHOOK, provider=provider, external=report.external)
        except (TypeError, ValueError, AttributeError, OverflowError, sa.exc.StatementError) as error:
            log.warning("a callback tells nonsense of a room", provider=provider.id, error=type(error).__name__)
    if callback.ask_after:
        session.execute(
            sa.update(RoomStatus)
            .where(RoomStatus.room_uuid == room_uuid)
            .values(next_look_at=callback.received_at)
            .execution_options(synchronize_session="fetch")
        )
