"""The API's routes for the captions of a video."""

from typing import Annotated

import sqlalchemy as sa
from flask import Blueprint, Response
from pydantic import Field

from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import listing_of
from portal.api.v1.core.request_body import RequestBody
from portal.api.v1.videos import find_seen_video
from portal.edge import actor
from portal.edge.guard import requires
from portal.permissions.permission import Permission
from portal.resources.videos import VideoCaptionsSchema, serialize_captions
from portal.rooms.models import Room
from portal.scopes import Scope
from portal.videos.caption_files import LARGEST_CAPTIONS, read_captions
from portal.videos.captions import delete_captions, find_captions, set_captions
from portal.videos.models import CAPTION_LABEL_LENGTH, LANGUAGE_LENGTH, VideoCaption

bp = Blueprint("video_captions", __name__, url_prefix="/rooms/<anyid:room_id>/videos/<anyid:video_id>/captions")

TAG = "Videos"
LISTING = listing_of(VideoCaptionsSchema, VideoCaption)


class NewCaptions(RequestBody):
    """Captions in one language, in place of those that the video has in it."""

    resource = VideoCaptionsSchema

    language: Annotated[str, Field(min_length=2, max_length=LANGUAGE_LENGTH)]
    text: Annotated[str, Field(min_length=1, max_length=LARGEST_CAPTIONS, description="A WebVTT or SRT file.")]
    label: Annotated[str, Field(max_length=CAPTION_LABEL_LENGTH)] = ""
    default: bool = False


@bp.get("")
@endpoint(TAG, scope=Scope.ROOMS_READ, returns=VideoCaptionsSchema, many=True, listing=LISTING)
@requires(Permission.ROOM_VIEW)
def index(room: Room, video_id: str) -> Response:
    """List the captions of a video."""
    asked, video = query_params.list_query(LISTING), find_seen_video(room, video_id)
    rows, page = pagination.rows_of(asked, sa.select(VideoCaption).where(VideoCaption.video_uuid == video.uuid))
    return responses.listing([serialize_captions(row[0], video) for row in rows], asked.selection, page)


@bp.post("")
@endpoint(TAG, scope=Scope.ROOMS_WRITE, returns=VideoCaptionsSchema, status=201, listing=LISTING)
@requires(Permission.MEDIA_MANAGE)
@takes(NewCaptions, example={"language": "en", "text": "WEBVTT\n\n00:01.000 --> 00:04.000\nGood morning\n"})
def create(room: Room, video_id: str, body: NewCaptions) -> Response:
    """Let a video have captions in one language, in place of others in it. 422 names the line that cannot be read."""
    selection, video = query_params.field_selection(LISTING), find_seen_video(room, video_id)
    made = set_captions(
        video=video,
        by=actor.someone(),
        captions=read_captions(body.text.encode(), field="text"),
        language=body.language,
        label=body.label,
        default=body.default,
    )
    at = f"/api/v1/rooms/{room.id}/videos/{video.id}/captions/{made.id}"
    return responses.created(serialize_captions(made, video), selection, at=at, tag=responses.etag_of(made))


@bp.delete("/<anyid:captions_id>")
@endpoint(TAG, scope=Scope.ROOMS_WRITE, status=204)
@requires(Permission.MEDIA_MANAGE)
@takes(None)
def delete(room: Room, video_id: str, captions_id: str) -> Response:
    """Delete the captions of a video in one language."""
    video = find_seen_video(room, video_id)
    captions = find_captions(video, captions_id)
    responses.check_if_match(captions)
    delete_captions(captions, video=video, by=actor.someone())
    return responses.no_content()
