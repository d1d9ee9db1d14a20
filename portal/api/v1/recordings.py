"""The API's routes for the recordings of a room."""

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field

from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import listing_of
from portal.api.v1.core.request_body import RequestBody
from portal.edge import actor
from portal.edge.guard import requires
from portal.errors import NotFound
from portal.media.models import RECORDING_NAME_LENGTH, Recording, RecordingVisibility
from portal.media.operations import change_recording, delete_recording, lock_recording
from portal.media.queries import find_recording, seen_recordings
from portal.permissions.permission import Permission
from portal.resources.recordings import RoomRecordingSchema, serialize_recording
from portal.rooms.models import Room
from portal.scopes import Scope

bp = Blueprint("recordings", __name__, url_prefix="/rooms/<anyid:room_id>/recordings")

TAG = "Recordings"
LISTING = listing_of(RoomRecordingSchema, Recording, order="started_at", sorted_by="desc")


class RecordingChange(RequestBody):
    """The fields of a recording that can be changed."""

    resource = RoomRecordingSchema

    name: Annotated[str, Field(min_length=1, max_length=RECORDING_NAME_LENGTH)] = ""
    published: bool = False
    visibility: RecordingVisibility = RecordingVisibility.OWNER


@bp.get("")
@endpoint(TAG, scope=Scope.ROOMS_READ, returns=RoomRecordingSchema, many=True, listing=LISTING)
@requires(Permission.ROOM_VIEW)
def index(room: Room) -> Response:
    """List the room's recordings, newest first: without `recordings:view` those that are shared with members."""
    asked = query_params.list_query(LISTING)
    rows, page = pagination.rows_of(asked, seen_recordings(room, actor.current()))
    return responses.listing([serialize_recording(row[0], room) for row in rows], asked.selection, page)


@bp.get("/<anyid:recording_id>")
@endpoint(TAG, scope=Scope.ROOMS_READ, returns=RoomRecordingSchema, listing=LISTING)
@requires(Permission.ROOM_VIEW)
def show_one(room: Room, recording_id: str) -> Response:
    """Read a recording. Without `recordings:view` only one that is shared with members is found."""
    selection, recording = query_params.field_selection(LISTING), _seen(room, recording_id)
    return responses.single(serialize_recording(recording, room), selection, tag=responses.etag_of(recording))


@bp.patch("/<anyid:recording_id>")
@endpoint(TAG, scope=Scope.ROOMS_WRITE, returns=RoomRecordingSchema, listing=LISTING)
@requires(Permission.RECORDINGS_MANAGE)
@takes(RecordingChange, example={"name": "Annual meeting", "visibility": "members"})
def change(room: Room, recording_id: str, body: RecordingChange) -> Response:
    """Rename a recording, publish or unpublish it, or say who sees it. Its service is told afterwards."""
    selection, recording = query_params.field_selection(LISTING), _seen(room, recording_id)
    lock_recording(recording)
    responses.check_if_match(recording)
    if given := body.given():
        change_recording(recording, by=actor.someone(), **given)
    return responses.single(serialize_recording(recording, room), selection, tag=responses.etag_of(recording))


@bp.delete("/<anyid:recording_id>")
@endpoint(TAG, scope=Scope.ROOMS_WRITE, status=204)
@requires(Permission.RECORDINGS_MANAGE)
@takes(None)
def delete(room: Room, recording_id: str) -> Response:
    """Delete a recording for good, here at once, and at the service that keeps it as soon as that answers."""
    recording = _seen(room, recording_id)
    lock_recording(recording)
    responses.check_if_match(recording)
    delete_recording(recording, by=actor.someone())
    return responses.no_content()


def _seen(room: Room, recording_id: str) -> Recording:
    recording = find_recording(room, recording_id, actor.current())
    if recording is None:
        raise NotFound
    return recording
