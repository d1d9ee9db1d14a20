"""Calling the services behind rooms: to start a run, and to end one.

No lock, transaction or connection is held while a service is called. What it answers is written afterwards, in
short transactions. A service that is slow, dead or wrong harms its own rooms only.
"""

from datetime import timedelta
from functools import partial
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import now
from portal.db import session, transaction, without_transaction
from portal.errors import Message, Unavailable
from portal.identifiers import new_id
from portal.people.actor import Actor
from portal.providers.base import (
    ProviderError,
    RecordingMode,
    RunRequest,
    Startable,
    TakesIngest,
)
from portal.public_url import public_url
from portal.rooms.features import features_of
from portal.rooms.models import Room
from portal.rooms.presentations import run_files
from portal.rooms.protocols import RoomLike
from portal.rooms.settings import declared, set_value
from portal.status.models import RoomSession
from portal.status.recording import is_name
from portal.status.runs import require_usable, start_session
from portal.status.services import provider_of, require_new_runs, running_provider_uuid
from portal.subscriptions.declared_values import FieldValue
from portal.subscriptions.feature_catalog import RECORDING, Value
from portal.subscriptions.protocols import ProviderLike
from portal.subscriptions.provider_health import is_out, record_failure
from portal.subscriptions.services import adapter_of, bound_service, callback_url

log = structlog.get_logger()

LONGEST_ENDING = timedelta(hours=1)
"""So long is a service told again that a run was ended here; then it has to find out by itself."""


class RoomNotOpened(Unavailable):
    """The service behind the room refused or failed to open it. Nobody has entered."""

    default = Message("This room cannot be opened right now. Try again in a moment.")


def run_request(room: RoomLike, provider: ProviderLike, *, has_place: bool) -> RunRequest:
    """What the service of this provider is told to start a run of the room.

    `has_place`: whether there is a place for another recording; without one the run is not recorded.
    """
    return RunRequest(
        room_key=str(room.uuid),
        room_name=room.room_name,
        settings=settings_for(room, provider),
        limits=_limits(room, has_place=has_place),
        callback_url=callback_url(provider),
        return_url=public_url(f"/rooms/{room.id}/-/left"),
        files=run_files(room, room.room_type, provider.provider_type),
    )


def recording_mode(room: RoomLike, provider: ProviderLike, *, has_place: bool) -> RecordingMode:
    """Whether a run of the room that starts now with this provider may be recorded: as `run_request` asks for it.

    No statement, and next to no work for a service that records nothing.
    """
    adapter = adapter_of(provider)
    if RECORDING not in adapter.features or not has_place:
        return RecordingMode.OFF
    limits = _limits(room, has_place=has_place)
    return adapter.recording_mode(settings_for(room, provider), limits) if limits.get(RECORDING) else RecordingMode.OFF


def settings_for(room: RoomLike, provider: ProviderLike) -> dict[str, FieldValue]:
    """The settings of the room that its service obeys, and those of its type, with their defaults filled in."""
    known = declared(room.room_type, provider.provider_type)
    return {name: set_value(setting, room.room_settings) for name, setting in known.items()}


def _limits(room: RoomLike, *, has_place: bool) -> dict[str, Value]:
    limits = {row.code: row.used_value for row in features_of(room)}
    return limits if has_place or RECORDING not in limits else limits | {RECORDING: False}


def start_at_service(service: Startable, request: RunRequest, *, provider: ProviderLike) -> str:
    """Have the service start a run, or find the one that goes on. Returns its name for it. Raises `RoomNotOpened`."""
    if is_out(provider, now()):
        raise RoomNotOpened
    try:
        with without_transaction():
            external = service.start(request)
    except Exception as error:
        raise refusal_of(error, provider) from error
    if not is_name(external):
        raise refusal_of(ProviderError("the run got no name that can be kept", permanent=True), provider)
    return external


def refusal_of(error: Exception, provider: ProviderLike) -> RoomNotOpened:
    """The refusal to raise for an error of a service, which is written to the log, and to the provider's health."""
    permanent = error.permanent if isinstance(error, ProviderError) else None
    log.warning("a service did not open a room", provider=provider.id, permanent=permanent, error=type(error).__name__)
    refused = RoomNotOpened()
    refused.after_rollback = partial(record_failure, provider.uuid, error, now())
    return refused


def start_room(room: Room, *, by: Actor | None, has_place: bool) -> RoomSession:
    """Start a run of the room, at its service if that drives its runs. Raises `Conflict` or `RoomNotOpened`.

    `has_place`: whether there is a place for another recording.
    """
    running = running_provider_uuid(room)
    provider = provider_of(room, running)
    try:
        service = bound_service(provider)
    except ProviderError as error:
        raise refusal_of(error, provider) from error
    if isinstance(service, TakesIngest):  # the portal itself is that service
        return start_session(room, by=by, provider=provider, external=new_id())
    if not isinstance(service, Startable):
        return start_session(room, by=by)
    require_usable(room)
    if running is None:
        require_new_runs(provider)
    request = run_request(room, provider, has_place=has_place)
    external = start_at_service(service, request, provider=provider)
    recording = recording_mode(room, provider, has_place=has_place)
    return start_session(room, by=by, provider=provider, external=external, recording=recording)


def end_at_service(run_uuid: UUID) -> None:
    """Tell the service of a run that it was ended here. If that fails, the sweep tries again."""
    with transaction():
        run = session.get(RoomSession, run_uuid)
        provider = run.provider if run is not None else None
        if run is None or provider is None or not run.end_wanted:
            return
        successor = sa.exists().where(
            RoomSession.provider_uuid == run.provider_uuid,
            RoomSession.external == run.external,
            RoomSession.ended_at.is_(None),
        )
        goes_on = bool(session.scalar(sa.select(successor)))
    try:
        service = bound_service(provider)
        if goes_on:
            log.info("a run goes on at its service under the name of one that was ended", provider=provider.id)
        elif isinstance(service, Startable):
            service.end(run.external)
    except Exception as error:  # noqa: BLE001  (the sweep tries again)
        log.warning("a service did not end a run", provider=provider.id, error=type(error).__name__)
        permanent = isinstance(error, ProviderError) and error.permanent
        with transaction():
            record_failure(provider.uuid, error, now())
        if not permanent:
            return
    with transaction():
        session.execute(sa.update(RoomSession).where(RoomSession.uuid == run_uuid).values(end_wanted=False))


def runs_to_end() -> list[UUID]:
    """The runs that were ended here within the last hour, and whose service has still to be told."""
    wanted = (RoomSession.end_wanted.is_(True), RoomSession.ended_at > now() - LONGEST_ENDING)
    return list(session.scalars(sa.select(RoomSession.uuid).where(*wanted)))
