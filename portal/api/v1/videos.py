"""The API's routes for the videos of a room."""

from typing import Annotated

import sqlalchemy as sa
from flask import Blueprint, Response
from pydantic import Field

from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import listing_of
from portal.api.v1.core.request_body import AwareDateTime, RequestBody
from portal.clock import now
from portal.db import session
from portal.edge import actor
from portal.edge.guard import requires
from portal.errors import NotFound
from portal.identifiers import matches_identifier
from portal.permissions.permission import Permission
from portal.permissions.rules import can
from portal.resources.videos import RoomVideoSchema, serialize_video
from portal.rooms.models import Room
from portal.scopes import Scope
from portal.subscriptions.provider_models import ServiceType
from portal.videos.models import DESCRIPTION_LENGTH, FILE_NAME_LENGTH, VIDEO_NAME_LENGTH, RoomVideo, VideoUpload
from portal.videos.operations import change_video, lock_video, place_video, trash_video
from portal.videos.preparation import cancel_preparation, retry_preparation
from portal.videos.queries import WITH_HOLDER, is_watchable
from portal.videos.service_uploads import begin_where_it_belongs
from portal.videos.uploads import LARGEST_FILE, uploads_of

bp = Blueprint("videos", __name__, url_prefix="/rooms/<anyid:room_id>/videos")

TAG = "Videos"
LISTING = listing_of(RoomVideoSchema, RoomVideo, order="position")


class VideoChange(RequestBody):
    """The fields of a video that can be changed."""

    resource = RoomVideoSchema

    name: Annotated[str, Field(min_length=1, max_length=VIDEO_NAME_LENGTH)] = ""
    description: Annotated[str, Field(max_length=DESCRIPTION_LENGTH)] = ""
    published: bool = True
    published_from: AwareDateTime | None = None
    position: Annotated[int, Field(ge=0, le=100_000)] = 0


class NewVideo(RequestBody):
    """A new video, whose file is sent afterwards to the address in `upload`."""

    resource = RoomVideoSchema

    name: Annotated[str, Field(min_length=1, max_length=VIDEO_NAME_LENGTH)]
    size: Annotated[int, Field(ge=1, le=LARGEST_FILE, description="How many bytes its file has.")]
    file_name: Annotated[str, Field(max_length=FILE_NAME_LENGTH, description="What the file is called.")] = ""


@bp.get("")
@endpoint(TAG, scope=Scope.ROOMS_READ, returns=RoomVideoSchema, many=True, listing=LISTING)
@requires(Permission.ROOM_VIEW)
def index(room: Room) -> Response:
    """List the room's videos in their order: without `media:manage` those that can be watched now."""
    asked = query_params.list_query(LISTING)
    rows, page = pagination.rows_of(asked, _seen(room))
    uploads = _uploads(room)
    shown = [serialize_video(row[0], room, uploads.get(row[0].id)) for row in rows]
    return responses.listing(shown, asked.selection, page)


@bp.post("")
@endpoint(TAG, scope=Scope.ROOMS_WRITE, returns=RoomVideoSchema, status=201, listing=LISTING)
@requires(Permission.MEDIA_MANAGE)
@takes(NewVideo, example={"name": "Annual meeting", "size": 52_428_800, "file_name": "meeting.mp4"})
def create(room: Room, body: NewVideo) -> Response:
    """Create a video, and promise its file the storage. Send the file to `upload.url` by tus; then it is prepared.

    Where a service holds the room's videos that address is the service's: send no token there.
    """
    selection = query_params.field_selection(LISTING)
    upload = begin_where_it_belongs(
        room=room, by=actor.someone(), file_name=body.file_name or body.name, size=body.size, name=body.name
    )
    video = upload.video
    at = f"/api/v1/rooms/{room.id}/videos/{video.id}"
    return responses.created(serialize_video(video, room, upload), selection, at=at, tag=responses.etag_of(video))


@bp.get("/<anyid:video_id>")
@endpoint(TAG, scope=Scope.ROOMS_READ, returns=RoomVideoSchema, listing=LISTING)
@requires(Permission.ROOM_VIEW)
def show_one(room: Room, video_id: str) -> Response:
    """Read a video. Without `media:manage` only one that can be watched now is found."""
    selection, video = query_params.field_selection(LISTING), find_seen_video(room, video_id)
    return _answer(video, room, selection)


@bp.patch("/<anyid:video_id>")
@endpoint(TAG, scope=Scope.ROOMS_WRITE, returns=RoomVideoSchema, listing=LISTING)
@requires(Permission.MEDIA_MANAGE)
@takes(VideoChange, example={"name": "Annual meeting 2026", "published": False})
def change(room: Room, video_id: str, body: VideoChange) -> Response:
    """Rename or describe a video, publish or hide it, or move it to another place."""
    selection, video = query_params.field_selection(LISTING), find_seen_video(room, video_id)
    lock_video(video)
    responses.check_if_match(video)
    given = body.given()
    place = given.pop("position", None)
    if given:
        change_video(video, by=actor.someone(), **given)
    if place is not None:
        place_video(video, by=actor.someone(), position=lambda _at: int(place))
    return _answer(video, room, selection)


@bp.delete("/<anyid:video_id>")
@endpoint(TAG, scope=Scope.ROOMS_WRITE, status=204)
@requires(Permission.MEDIA_MANAGE)
@takes(None)
def delete(room: Room, video_id: str) -> Response:
    """Delete a video. It can be restored on the room's page for a moment, and is gone for good after 30 days."""
    video = find_seen_video(room, video_id)
    lock_video(video)
    responses.check_if_match(video)
    trash_video(video, by=actor.someone())
    return responses.no_content()


@bp.post("/<anyid:video_id>/cancel")
@endpoint(TAG, scope=Scope.ROOMS_WRITE, returns=RoomVideoSchema, listing=LISTING)
@requires(Permission.MEDIA_MANAGE)
@takes(None)
def cancel(room: Room, video_id: str) -> Response:
    """Prepare a video no further. 409 if it is not being prepared."""
    selection, video = query_params.field_selection(LISTING), find_seen_video(room, video_id)
    cancel_preparation(video, by=actor.someone())
    return _answer(video, room, selection)


@bp.post("/<anyid:video_id>/retry")
@endpoint(TAG, scope=Scope.ROOMS_WRITE, returns=RoomVideoSchema, listing=LISTING)
@requires(Permission.MEDIA_MANAGE)
@takes(None)
def retry(room: Room, video_id: str) -> Response:
    """Prepare a video once more that could not be prepared. 409 for any other."""
    selection, video = query_params.field_selection(LISTING), find_seen_video(room, video_id)
    retry_preparation(video, by=actor.someone())
    return _answer(video, room, selection)


def find_seen_video(room: Room, video_id: str) -> RoomVideo:
    """The video with this id, if the caller may see it. Raises `NotFound`."""
    found = session.scalar(_seen(room).where(matches_identifier(RoomVideo, video_id)))
    if found is None:
        raise NotFound
    return found


def _seen(room: Room) -> sa.Select[RoomVideo]:
    if room.room_type is not ServiceType.VIDEO:
        raise NotFound
    own = (
        sa.select(RoomVideo)
        .where(RoomVideo.room_uuid == room.uuid, RoomVideo.trashed_at.is_(None))
        .options(WITH_HOLDER)
    )
    return own if can(actor.current(), Permission.MEDIA_MANAGE, room) else own.where(is_watchable(now()))


def _uploads(room: Room) -> dict[str, VideoUpload]:
    manages = can(actor.current(), Permission.MEDIA_MANAGE, room)
    return {one.video.id: one for one in uploads_of(room)} if manages else {}


def _answer(video: RoomVideo, room: Room, selection: query_params.FieldSelection) -> Response:
    shown = serialize_video(video, room, _uploads(room).get(video.id))
    return responses.single(shown, selection, tag=responses.etag_of(video))
