"""The API's routes for a room's presentation."""

from flask import Blueprint, Response

from portal.api.v1.core import query_params, responses
from portal.api.v1.core.endpoint import describes_file, endpoint, takes
from portal.api.v1.core.query_params import Listing
from portal.edge import actor
from portal.edge.editing_guard import edits_room
from portal.edge.guard import requires
from portal.edge.upload_guard import takes_file
from portal.edge.uploads import Upload
from portal.errors import NotFound
from portal.permissions.permission import Permission
from portal.resources.declaring import fields_of
from portal.resources.presentations import RoomPresentationSchema, serialize_presentation
from portal.rooms.models import Room
from portal.rooms.presentations import (
    LARGEST_FILE,
    RoomPresentation,
    presentation_of,
    remove_presentation,
    set_presentation,
    takes_presentations,
)
from portal.rooms.room_read import AnyRoom, EditableRoom
from portal.scopes import Scope

bp = Blueprint("presentation", __name__, url_prefix="/rooms/<anyid:room_id>/presentation")

TAG = "Rooms"
LISTING = Listing(columns={}, tie=None, fields=frozenset(fields_of(RoomPresentationSchema)))


@bp.get("")
@endpoint(TAG, scope=Scope.ROOMS_READ, returns=RoomPresentationSchema, listing=LISTING)
@requires(Permission.ROOM_VIEW)
def show(room: Room) -> Response:
    """Read which file is the room's presentation. 404 if there is none, or the room's service takes none."""
    selection = query_params.field_selection(LISTING)
    if not takes_presentations(room.room_type, room.subscription.provider.provider_type):
        raise NotFound
    return _answer(_existing(room), room, selection)


@bp.put("")
@endpoint(TAG, scope=Scope.ROOMS_WRITE, returns=RoomPresentationSchema, listing=LISTING)
@takes_file(most=LARGEST_FILE)
@describes_file
def save(room: EditableRoom, upload: Upload) -> Response:
    """Let a file be the room's presentation, in place of another, from the next session on.

    At most 30 MB: a PDF, an office document, a text or a picture. 404 if the room's service takes none.
    """
    selection = query_params.field_selection(LISTING)
    made = set_presentation(room, by=actor.someone(), name=upload.name, file=upload.whole())
    return _answer(made, room, selection)


@bp.delete("")
@endpoint(TAG, scope=Scope.ROOMS_WRITE, status=204)
@edits_room
@takes(None)
def delete(room: EditableRoom) -> Response:
    """Let the room have no presentation; the file is deleted."""
    responses.check_if_match(_existing(room))
    remove_presentation(room, by=actor.someone())
    return responses.no_content()


def _existing(room: AnyRoom) -> RoomPresentation:
    found = presentation_of(room)
    if found is None:
        raise NotFound
    return found


def _answer(presentation: RoomPresentation, room: AnyRoom, selection: query_params.FieldSelection) -> Response:
    tag = responses.etag_of(presentation)
    return responses.single(serialize_presentation(presentation, room), selection, tag=tag)
