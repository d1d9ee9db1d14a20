"""The pictures of a room's settings, sent from our own origin to whoever may see a page on which they are shown."""

from flask import Blueprint, Response

from portal.admission.case import PASSING, Refuse
from portal.admission.entering import preview
from portal.edge.admissions import Admission
from portal.edge.guard import at_door, requires
from portal.errors import NotFound
from portal.identifiers import Identified
from portal.permissions.permission import Permission
from portal.rooms.images import find_image
from portal.rooms.models import Room
from portal.web.join.join_page import is_member
from portal.web.stored_files import send_stored

bp = Blueprint("room_images", __name__)

KEPT = "private, max-age=86400, immutable"
"""What an id shows never changes."""


@bp.get("/rooms/<id:room_id>/-/images/<id:image_id>")
@at_door
def show(admission: Admission, image_id: str) -> Response:
    """Send a picture to whoever sees the join page, or enters as a member."""
    if not admission.may_know:
        if not is_member(admission.room.id):
            raise NotFound
        return _sent(admission.room, image_id)
    decision = preview(admission.room, admission.visitor, admission.occupancy)
    if isinstance(decision.result, Refuse) and decision.reason not in PASSING:
        raise NotFound
    return _sent(admission.room, image_id)


@bp.get("/manage/rooms/<id:room_id>/images/<id:image_id>")
@requires(Permission.ROOM_VIEW)
def show_to_members(room: Room, image_id: str) -> Response:
    """Send a picture to whoever sees the room's page."""
    return _sent(room, image_id)


def _sent(room: Identified, image_id: str) -> Response:
    image = find_image(room, image_id)
    if image is None:
        raise NotFound
    return send_stored(image.key, mimetype="image/jpeg", cache_control=KEPT)
