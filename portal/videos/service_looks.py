"""Asking services how far the videos are that they hold, and how often those were watched.

What is not ready yet is asked after one by one, soon and then each minute; what is ready in whole rounds, a hundred by
one request. Several jobs may look at once: videos are claimed by an UPDATE that only one of them wins. A service that
has no time puts its videos off; one that fails is asked again a minute later, and the state of its videos stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.audit.operations import record_event
from portal.clock import now
from portal.db import lock, session, transaction
from portal.errors import Message, NotFound
from portal.providers.base import ProviderError
from portal.providers.counts import count_columns
from portal.providers.held_videos import Busy, HeldState, HeldVideo, HoldsVideos
from portal.rooms.operations import nudge_watchers
from portal.subscriptions.provider_health import record_answer, record_counts, record_failure
from portal.subscriptions.provider_models import ServiceProvider
from portal.subscriptions.services import bound_service
from portal.videos.models import VIDEO_ERROR_LENGTH, RoomVideo, ServiceVideo, VideoState, VideoUpload
from portal.videos.service_uploads import note_arrival
from portal.videos.service_videos import opened_embed, sealed_embed, tell_later

log = structlog.get_logger()

LOOK_AT_VIDEOS = "look-at-videos"
"""The job; its id is the uuid of the provider row."""
LEASE = timedelta(minutes=2)
"""So long claimed videos are left to whoever has claimed them."""
SINGLY_AT_ONCE = 20
ROUND = timedelta(minutes=10)
SELDOM = timedelta(hours=1)
"""Between looks at videos of rooms in which nobody was for a day."""
AFTER_FAILURE = timedelta(minutes=1)
LONGEST_PREPARING = timedelta(hours=24)
MISSED_OFTEN = 2

_TOO_LONG = Message("The service has not prepared it within a day. Replace its file, or ask there.")
_BROKEN = Message("The service could not prepare it. Replace its file, or look there what is wrong with it.")
_GONE = Message("The service does not have it any more: somebody deleted it there.")


@dataclass(frozen=True)
class _Due:
    """A video that is due: its name at the service, and whether it is told of in a whole round."""

    uuid: UUID
    external: str
    ready: bool
    missed: int


@dataclass(frozen=True)
class _Told:
    """What was said of a video that is due: None if it is gone. `missing`: it was not in the round."""

    due: _Due
    video: HeldVideo | None
    missing: bool = False


def providers_to_look_at() -> list[UUID]:
    """The uuids of providers with videos after which they should be asked now."""
    due = sa.select(ServiceVideo.provider_uuid).where(*_is_due(now())).distinct()
    return list(session.scalars(due))


def look_at_videos(provider_uuid: UUID) -> int:
    """Ask a service after those of its videos that are due. Returns after how many."""
    at = now()
    with transaction():
        provider = session.get(ServiceProvider, provider_uuid)
        due = _claim(provider_uuid, at) if provider is not None else []
    if provider is None or not due:
        return 0
    told: list[_Told] = []
    wait = AFTER_FAILURE
    try:
        service = bound_service(provider)
        if not isinstance(service, HoldsVideos):
            raise ProviderError("the service holds no videos", permanent=True)
        _ask(service, provider, due, told)
        with transaction():
            record_answer(provider_uuid, at)
    except Busy as busy:
        wait = timedelta(seconds=min(max(busy.seconds, 5.0), 900.0))
    except Exception as error:  # noqa: BLE001  (whatever it was: the videos of this service alone wait)
        log.warning("a service does not tell of its videos", provider=provider.id, error=type(error).__name__)
        with transaction():
            record_failure(provider_uuid, error, now())
    for one in told:
        with transaction():
            _record(one, at)
    answered = {one.due.uuid for one in told}
    _put_off([one for one in due if one.uuid not in answered], at + wait)
    return len(due)


def _ask(service: HoldsVideos, provider: ServiceProvider, due: Sequence[_Due], told: list[_Told]) -> None:
    """Ask, and add to `told` what was said, so that it is not lost if the service stops answering in between."""
    for one in [one for one in due if not one.ready][:SINGLY_AT_ONCE]:
        told.append(_Told(one, service.look_at(one.external)))
    in_round = {one.external: one for one in due if one.ready}
    if not in_round:
        return
    for look in service.look():
        for video in look.videos:
            if video.external in in_round:
                told.append(_Told(in_round.pop(video.external), video))
        if look.counts:
            with transaction():
                record_counts(provider, count_columns(look.counts), now())
    for one in in_round.values():
        if one.missed + 1 < MISSED_OFTEN:
            told.append(_Told(one, None, missing=True))
        else:
            told.append(_Told(one, service.look_at(one.external)))


def _record(told: _Told, at: datetime) -> None:
    """Write down what was said of a video, unless it is gone here."""
    video = session.get(RoomVideo, told.due.uuid)
    if video is None or video.room is None:
        return
    try:
        lock(video.room, relations=False)
        lock(video)
    except NotFound:
        return
    held = session.get(ServiceVideo, video.uuid, populate_existing=True)
    if held is None:
        return
    held.checked_at = at
    if told.missing:
        held.missed += 1
        held.next_look_at = at + ROUND
    elif told.video is None:
        _become(video, held, VideoState.FAILED, at, why=_GONE)
        video.playable, held.next_look_at = False, None
    else:
        held.missed = 0
        _take(video, held, told.video, at)
    session.flush()


def _take(video: RoomVideo, held: ServiceVideo, said: HeldVideo, at: datetime) -> None:
    held.views, held.comments, held.likes, held.is_private = said.views, said.comments, said.likes, said.is_private
    if said.embed and said.embed != opened_embed(held):
        held.embed = sealed_embed(said.embed)
    if said.milliseconds is not None:
        video.milliseconds = said.milliseconds
    upload = session.scalar(sa.select(VideoUpload).where(VideoUpload.video_uuid == video.uuid))
    if upload is not None and not upload.replaces and (said.arrived or said.state is not HeldState.PROCESSING):
        note_arrival(upload, by=None)
    match said.state:
        case HeldState.READY:
            _become(video, held, VideoState.READY, at)
            if not video.poster:
                tell_later(video)
            video.playable, held.next_look_at = True, at + (ROUND if _is_watched(video, at) else SELDOM)
        case HeldState.FAILED:
            _become(video, held, VideoState.FAILED, at, why=_BROKEN)
            held.next_look_at = at + SELDOM
        case HeldState.PROCESSING:
            held.looks += 1
            held.next_look_at = at + timedelta(seconds=min(5 * held.looks, 60) if held.arrived else 60)
            if held.arrived and held.since < at - LONGEST_PREPARING:
                _become(video, held, VideoState.FAILED, at, why=_TOO_LONG)
                held.next_look_at = at + SELDOM


def _become(video: RoomVideo, held: ServiceVideo, state: VideoState, at: datetime, *, why: str = "") -> None:
    """Let the video be in this state, and tell of it if that is another one."""
    if video.state is state and video.error == why:
        return
    video.state, video.error, held.since = state, why[:VIDEO_ERROR_LENGTH], at
    session.flush()
    if state is VideoState.READY:
        record_event("video.ready", video, by=None, room=video.room_uuid, name=video.name)
    else:
        record_event("video.failed", video, by=None, room=video.room_uuid, name=video.name, reason=why)
    if video.room is not None:
        nudge_watchers(video.room)


def _is_watched(video: RoomVideo, at: datetime) -> bool:
    """Whether it is young, or somebody watched it lately: then its figures change."""
    return video.created_at > at - timedelta(days=1) or video.updated_at > at - timedelta(days=1)


def _is_due(at: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (ServiceVideo.next_look_at <= at,)


def _claim(provider_uuid: UUID, at: datetime) -> list[_Due]:
    claimed = list(
        session.scalars(
            sa.update(ServiceVideo)
            .where(ServiceVideo.provider_uuid == provider_uuid, *_is_due(at))
            .values(next_look_at=at + LEASE)
            .returning(ServiceVideo.video_uuid)
            .execution_options(synchronize_session=False)
        )
    )
    query = (
        sa.select(RoomVideo.uuid, ServiceVideo.external, RoomVideo.state, ServiceVideo.missed)
        .join(ServiceVideo, ServiceVideo.video_uuid == RoomVideo.uuid)
        .where(RoomVideo.uuid.in_(claimed), RoomVideo.room_uuid.is_not(None))
        .order_by(RoomVideo.uuid)
    )
    rows = session.execute(query) if claimed else ()
    return [_Due(uuid, external, state is VideoState.READY, missed) for uuid, external, state, missed in rows]


def _put_off(due: Sequence[_Due], until: datetime) -> None:
    if not due:
        return
    with transaction():
        session.execute(
            sa.update(ServiceVideo)
            .where(ServiceVideo.video_uuid.in_([one.uuid for one in due]), ServiceVideo.next_look_at.is_not(None))
            .values(next_look_at=until)
            .execution_options(synchronize_session=False)
        )
