"""Telling services what was decided here about the recordings that they keep: names, who may open them, deletion.

No transaction is open while a service is told. What it has not taken is told again, ever more seldom, and never
forgotten: a recording that somebody has deleted here must not stay where its address still opens it. Only a new name
is given up, once the service refuses it for good, or has not taken it for a week: some cannot rename.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import now
from portal.db import lock, session, transaction
from portal.errors import NotFound
from portal.media.models import Recording
from portal.providers.base import ProviderError, Recordable, RecordingState
from portal.subscriptions.provider_health import record_failure
from portal.subscriptions.provider_models import ServiceProvider
from portal.subscriptions.services import bound_service

log = structlog.get_logger()

SHORTEST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
TELLING_TIME = timedelta(minutes=2)
"""So long a recording belongs to the job that tells its service of it; after that another one may."""
RENAMING_TIME = timedelta(days=7)
"""So long a service that takes no new name, and does not say that it never will, is told it again."""
MOST_DUE = 500


@dataclass(frozen=True)
class _Decision:
    """What a service has to be told of one recording. None for what it knows already."""

    provider: ServiceProvider
    external: str
    deleted: bool
    name: str | None
    published: bool | None
    since: datetime
    renamed: bool = True
    """False once the service has refused the name for good."""


def recordings_to_tell() -> list[UUID]:
    """The uuids of recordings of which a service should be told now, those that wait longest first."""
    due = sa.select(Recording.uuid).where(Recording.tell_at <= now()).order_by(Recording.tell_at).limit(MOST_DUE)
    return list(session.scalars(due))


def tell_service(recording_uuid: UUID) -> None:
    """Tell the service of a recording what was decided, if it has not been told. If that fails, a later job does."""
    with transaction():
        decision = _claim(recording_uuid, now())
    if decision is None:
        return
    try:
        service = bound_service(decision.provider)
        if isinstance(service, Recordable):
            decision = _tell(service, decision)
    except Exception as error:  # noqa: BLE001  (whatever it was: it is told again)
        log.warning("a service was not told of a recording", provider=decision.provider.id, error=type(error).__name__)
        with transaction():
            record_failure(decision.provider.uuid, error, now())
        with transaction():
            _try_later(recording_uuid)
        return
    with transaction():
        _record_told(recording_uuid, decision)


def _claim(recording_uuid: UUID, at: datetime) -> _Decision | None:
    """What there is to tell, for this job alone. None if there is nothing, or another job is at it."""
    claimed = session.scalar(
        sa.update(Recording)
        .where(Recording.uuid == recording_uuid, Recording.tell_at <= at)
        .values(tell_at=at + TELLING_TIME)
        .returning(Recording.uuid)
        .execution_options(synchronize_session=False)
    )
    recording = session.get(Recording, recording_uuid, populate_existing=True) if claimed is not None else None
    if recording is None:
        return None
    if recording.provider is None:  # nobody is left to be told
        recording.tell_at = recording.changed_at = None
        if recording.deleted_at is not None:
            session.delete(recording)
        return None
    ready = recording.state is RecordingState.READY
    return _Decision(
        provider=recording.provider,
        external=recording.external,
        deleted=recording.deleted_at is not None,
        name=recording.name if recording.name != recording.service_name else None,
        published=recording.published if ready and recording.published != recording.service_published else None,
        since=recording.changed_at or at,
    )


def _tell(service: Recordable, decision: _Decision) -> _Decision:
    """Tell it. Returns the decision as the service took it: `renamed` is false if it will not have the name."""
    if decision.deleted:
        service.delete_recording(decision.external)
        return decision
    if decision.published is not None:
        service.publish_recording(decision.external, published=decision.published)
    if decision.name is None:
        return decision
    try:
        service.rename_recording(decision.external, decision.name)
    except ProviderError as error:
        if not _is_final(error) and now() - decision.since < RENAMING_TIME:
            raise
        log.info("a service does not rename a recording", provider=decision.provider.id)
        return replace(decision, renamed=False)
    return decision


def _is_final(error: ProviderError) -> bool:
    """Whether a service refused what it was told, and not who told it: a wrong secret can be set right."""
    return error.permanent and error.field is None


def _locked(recording_uuid: UUID) -> Recording | None:
    recording = session.get(Recording, recording_uuid)
    if recording is None:
        return None
    try:
        lock(recording)
    except NotFound:
        return None
    return recording


def _try_later(recording_uuid: UUID) -> None:
    recording = _locked(recording_uuid)
    if recording is not None:
        recording.tell_at = _later(recording)


def _later(recording: Recording) -> datetime:
    """When a service is told next, which has not taken what it has to be told."""
    at = now()
    return at + min(max((at - (recording.changed_at or at)) / 2, SHORTEST_WAIT), LONGEST_WAIT)


def _record_told(recording_uuid: UUID, decision: _Decision) -> None:
    """The service knows. What was decided meanwhile is told next."""
    recording = _locked(recording_uuid)
    if recording is None:
        return
    if decision.deleted:
        recording.tell_at = recording.changed_at = None
        if recording.room_uuid is None:  # nobody will ask whether it is gone
            session.delete(recording)
        return
    if decision.name is not None:
        recording.rename_refused = not decision.renamed and recording.name == decision.name
        if decision.renamed:
            recording.service_name = decision.name
    if decision.published is not None:
        recording.service_published = decision.published
    told = recording.rename_refused or recording.name == recording.service_name
    if recording.deleted_at is None and told and recording.published == recording.service_published:
        recording.tell_at = recording.changed_at = None
    elif (decision.name, decision.published) == (None, None):  # nothing could be told: it is not ready, say
        recording.tell_at = _later(recording)
    else:
        recording.tell_at = now()
