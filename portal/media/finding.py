"""Asking services for the recordings that they keep, and storing what they say.

No lock, transaction or connection is held while a service is asked. What it says is limited before it is stored: it may
be wrong, or tell of all that it keeps for everybody. Only what it says of a room that it was asked about counts, and
nothing that one service says touches a recording of another.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.audit.operations import record_event
from portal.clock import now
from portal.db import session, transaction
from portal.enqueueing import enqueue
from portal.errors import Message
from portal.media.limits import first_expiry
from portal.media.looks import LOOK, ROOMS_AT_ONCE, claim_looks, schedule_next_look
from portal.media.models import RECORDING_NAME_LENGTH, Recording, RecordingSource
from portal.media.operations import add_recording, tell_service_of
from portal.people.names import printable
from portal.providers.base import Recordable, RecordingFormat, RecordingState, ServiceRecording
from portal.rooms.models import Room
from portal.status.locking import lock_room
from portal.status.recording import is_name
from portal.subscriptions.provider_health import record_failure
from portal.subscriptions.provider_models import ServiceProvider
from portal.subscriptions.services import bound_service

log = structlog.get_logger()

MOST_PER_ROOM, MOST_FORMATS = 1_000, 10
FORMAT_TYPE_LENGTH, FORMAT_URL_LENGTH = 40, 2_000
LARGEST_SIZE, LONGEST_SECONDS = 2**53 - 1, 60 * 60 * 24 * 31
MISSED_FOR = timedelta(days=1)
"""So long has a service to have listed a recording no more until that counts as gone: a list may be short for once."""
NOT_MADE = Message("The service could not prepare this recording.")


def look_for_recordings(provider_uuid: UUID) -> int:
    """Ask the service of this provider once about its rooms that are due. Returns how many those were."""
    asked_at = now()
    with transaction():
        provider = session.get(ServiceProvider, provider_uuid)
        rooms = claim_looks(provider_uuid, asked_at) if provider is not None else []
    if provider is None or not rooms:
        return 0
    found = _ask(provider, rooms)
    for room_uuid in rooms:
        try:
            with transaction():
                if found is not None:
                    _store_all(room_uuid, provider, found.get(str(room_uuid), []), asked_at)
                schedule_next_look(room_uuid, provider_uuid, asked_at)
        except Exception as error:  # noqa: BLE001  (what is said of one room keeps no other from being stored)
            log.warning("recordings cannot be stored", provider=provider.id, error=type(error).__name__)
    if len(rooms) == ROOMS_AT_ONCE:
        with transaction():
            enqueue(LOOK, str(provider_uuid))
    return len(rooms)


def _ask(provider: ServiceProvider, rooms: Sequence[UUID]) -> dict[str, list[ServiceRecording]] | None:
    """What the service says, by room; nothing of rooms that it was not asked about. None if it gave no answer."""
    found: dict[str, list[ServiceRecording]] = {str(room_uuid): [] for room_uuid in rooms}
    try:
        service = bound_service(provider)
        told = service.recordings(list(found)) if isinstance(service, Recordable) else []
        for one in told:
            if one.room_key in found and is_name(one.external) and len(found[one.room_key]) < MOST_PER_ROOM:
                found[one.room_key].append(one)
    except Exception as error:  # noqa: BLE001  (whatever it was: its recordings are asked for again)
        log.warning("a service does not tell its recordings", provider=provider.id, error=type(error).__name__)
        with transaction():
            record_failure(provider.uuid, error, now(), is_down=False)
        return None
    return found


def _store_all(
    room_uuid: UUID, provider: ServiceProvider, told: Sequence[ServiceRecording], asked_at: datetime
) -> None:
    """Store everything that the service says of a room, which is locked for that."""
    room = lock_room(room_uuid)
    if room is None:
        return
    query = sa.select(Recording).where(Recording.room_uuid == room_uuid, Recording.provider_uuid == provider.uuid)
    known = {one.external: one for one in session.scalars(query.execution_options(populate_existing=True))}
    listed = {one.external: one for one in told}
    for external, one in listed.items():
        recording = known.pop(external, None)
        if recording is None:
            _add(room, provider, one)
        elif recording.deleted_at is not None:
            if not recording.untold:  # it was told, and has it still
                tell_service_of(recording)
        else:
            _update(room, recording, one, decided=recording.untold or recording.updated_at > asked_at)
    for recording in known.values():
        _miss(recording, asked_at)
    session.flush()


def _add(room: Room, provider: ServiceProvider, told: ServiceRecording) -> None:
    recording = Recording(
        provider_uuid=provider.uuid,
        source=RecordingSource.PROVIDER,
        external=told.external,
        name=_name(told) or room.room_name,
        service_name=_name(told),
        state=RecordingState.RECORDING,
        published=told.published,
        started_at=told.started_at,
    )
    if add_recording(recording, room=room):
        _update(room, recording, told, decided=False)
    else:
        log.warning("a service tells one recording of two rooms", provider=provider.id)


def _update(room: Room, recording: Recording, told: ServiceRecording, *, decided: bool) -> None:
    """Store what the service says of a recording. `decided`: its name, and whether it is published, stay.

    So they do if somebody has decided about them here, and the service may not have known when it was asked.
    """
    state, name = RecordingState(told.state), _name(told)
    recording.missed_at = None
    recording.state, recording.error = state, NOT_MADE if state is RecordingState.FAILED else ""
    recording.started_at, recording.ended_at = told.started_at, told.ended_at
    recording.size = _bounded(told.size, LARGEST_SIZE)
    recording.formats = _formats(told.formats)
    recording.duration = _duration(recording)
    if not decided:
        recording.published = told.published
        if name and name != recording.service_name:
            recording.name = name
        recording.service_published, recording.service_name = told.published, name
    if state is RecordingState.READY and recording.ready_at is None:
        recording.ready_at = now()
        recording.expires_at = first_expiry(room, recording.ready_at)
        session.flush()
        record_event("recording.ready", recording, by=None, room=room.uuid, webhooks=room.customer.webhooks)


def _miss(recording: Recording, asked_at: datetime) -> None:
    """The service does not list this recording, of which it told before: it is gone, if that stays so."""
    if recording.deleted_at is not None:
        if not recording.untold:
            session.delete(recording)
    elif recording.missed_at is None:
        recording.missed_at = asked_at
    elif asked_at - recording.missed_at >= MISSED_FOR:
        record_event("recording.lost", recording, by=None, room=recording.room_uuid)
        session.delete(recording)


def _name(told: ServiceRecording) -> str:
    return printable(told.name, longest=RECORDING_NAME_LENGTH)


def _formats(told: Sequence[RecordingFormat]) -> list[dict[str, object]]:
    """The formats whose address a browser can open, as they are stored."""
    return [
        {
            "type": printable(one.type, longest=FORMAT_TYPE_LENGTH),
            "url": one.url,
            "length": _bounded(one.seconds, LONGEST_SECONDS),
        }
        for one in list(told)[:MOST_FORMATS]
        if _is_web_address(one.url)
    ]


def _is_web_address(url: str) -> bool:
    if len(url) > FORMAT_URL_LENGTH or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _bounded(number: int | None, most: int) -> int | None:
    return number if number is not None and 0 <= number <= most else None


def _duration(recording: Recording) -> int | None:
    """How long a recording plays: its longest format, or else from its begin to its end."""
    lengths: list[int] = [one["length"] for one in recording.formats if one["length"] is not None]
    if lengths:
        return max(lengths)
    if recording.ended_at is None or recording.ended_at < recording.started_at:
        return None
    return _bounded(int((recording.ended_at - recording.started_at).total_seconds()), LONGEST_SECONDS)
