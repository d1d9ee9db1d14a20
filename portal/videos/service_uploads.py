"""Uploads that go from the browser straight to the service that holds the video: no byte crosses the portal.

The service makes the place for the file, and hides the video from the first moment. What has come there the page tells,
and if it does not, the next look does (`service_looks`).
"""

from datetime import timedelta

from portal.audit.operations import record_event
from portal.clock import now
from portal.customers.creating import require_creating
from portal.db import lock, session, without_transaction
from portal.errors import Conflict, Invalid, Message, NotFound
from portal.identifiers import new_id
from portal.people.actor import Actor
from portal.people.names import clean_name
from portal.providers.base import ProviderError
from portal.providers.held_videos import HoldsVideos, NewHeldVideo, UploadPlace
from portal.rooms.models import Room
from portal.rooms.operations import nudge_watchers
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.videos.models import VIDEO_NAME_LENGTH, RoomVideo, ServiceVideo, VideoState, VideoUpload
from portal.videos.queries import require_place
from portal.videos.service_videos import holder_of, hosts_of, sealed_place, service_of_video, unavailable
from portal.videos.uploads import KEPT, LARGEST_FILE, SIZES, begin_upload, next_position, shown_file_name

FIRST_LOOK = timedelta(seconds=60)
"""After so long it is looked whether the file has come, if nobody has told."""
AFTER_ARRIVAL = timedelta(seconds=5)


def begin_where_it_belongs(
    *, room: Room, by: Actor, file_name: str, size: int, name: str = "", video: RoomVideo | None = None
) -> VideoUpload:
    """Begin an upload to whatever holds the room's new videos, or holds this one. Call it before anything is written.

    Raises what `begin_upload` does, and `Unavailable`.
    """
    if video is not None and video.held is not None:
        return replace_at_service(video, room=room, by=by, file_name=file_name, size=size)
    holder = holder_of(room) if video is None and room.room_type is ServiceType.VIDEO else None
    if holder is None:
        return begin_upload(room=room, by=by, file_name=file_name, size=size, name=name, video=video)
    provider, service = holder
    return begin_service_upload(
        room=room, by=by, provider=provider, service=service, file_name=file_name, size=size, name=name
    )


def begin_service_upload(
    *,
    room: Room,
    by: Actor,
    provider: ServiceProvider,
    service: HoldsVideos,
    file_name: str,
    size: int,
    name: str = "",
) -> VideoUpload:
    """Have the service make a place for the file of a new video. Call it before anything is written.

    Raises `Invalid` on `size` or `name`, `Conflict` if nothing new may be made for the customer, and `Unavailable`.
    """
    require_creating(room.customer.status)
    called = _checked(room, file_name, size)
    require_place(room)
    shown = clean_name(name or called.rpartition(".")[0] or called, field="name", longest=VIDEO_NAME_LENGTH)
    new = NewHeldVideo(name=shown, size=size, reference=f"foyer:{new_id()}", hosts=hosts_of(room))
    try:
        with without_transaction():
            place = service.create(new)
    except ProviderError as error:
        raise unavailable(provider, error) from None
    at = now()
    video = RoomVideo(room=room, name=shown, position=next_position(room), created_by_uuid=by.uuid)
    session.add(video)
    session.flush()
    session.add(
        ServiceVideo(
            video=video, provider_uuid=provider.uuid, external=place.external, since=at, next_look_at=at + FIRST_LOOK
        )
    )
    record_event("video.created", video, by=by, room=room.uuid, name=video.name)
    return _promised(video, room, by=by, file_name=called, size=size, place=place, replaces=False)


def replace_at_service(video: RoomVideo, *, room: Room, by: Actor, file_name: str, size: int) -> VideoUpload:
    """Have the service that holds a video make a place for another file. Raises what `begin_service_upload` does."""
    held = video.held
    if held is None:
        raise NotFound
    require_creating(room.customer.status)
    called = _checked(room, file_name, size)
    try:
        service, external = service_of_video(held), held.external
        with without_transaction():
            place = service.replace(external, file_name=called, size=size)
    except ProviderError as error:
        raise unavailable(held.provider, error) from None
    lock(video)
    return _promised(video, room, by=by, file_name=called, size=size, place=place, replaces=True)


def note_arrival(upload: VideoUpload, *, by: Actor | None) -> None:
    """Note that the whole file is at the service, which prepares it now. Raises `NotFound`."""
    video = upload.video
    lock(video)
    lock(upload, relations=False)
    held = video.held
    if held is None or video.room is None:
        raise NotFound
    name, size, at = upload.file_name, upload.size, now()
    session.delete(upload)
    video.file_name, video.state, video.error = name, VideoState.PREPARING, ""
    held.arrived, held.since, held.looks, held.next_look_at = True, at, 0, at + AFTER_ARRIVAL
    session.flush()
    record_event("video.uploaded", video, by=by, room=video.room_uuid, name=video.name, size=size)
    nudge_watchers(video.room)


def _checked(room: Room, file_name: str, size: int) -> str:
    if not 1 <= size <= LARGEST_FILE:
        raise Invalid(size=SIZES[size < 1])
    if not room.subscription.provider.active:
        raise Conflict(Message("The service of this room is switched off. Ask whoever runs this portal."))
    return shown_file_name(file_name)


def _promised(
    video: RoomVideo, room: Room, *, by: Actor, file_name: str, size: int, place: UploadPlace, replaces: bool
) -> VideoUpload:
    at = now()
    upload = VideoUpload(
        video=video,
        file_name=file_name,
        size=size,
        replaces=replaces,
        created_at=at,
        expires_at=at + KEPT,
        created_by_uuid=by.uuid,
        place=sealed_place(place.address),
    )
    session.add(upload)
    session.flush()
    nudge_watchers(room)
    return upload
