"""The route at which services fetch a room's presentation when a run starts."""

import structlog
from flask import Blueprint, Response, send_file

from portal.edge import actor
from portal.edge.signed_address import signed_address
from portal.errors import NotFound
from portal.rooms.presentations import RoomPresentation, file_name, opened
from portal.storage import NotStored

log = structlog.get_logger()

bp = Blueprint("presentations", __name__, url_prefix="/presentations")
bp.before_request(actor.nobody)  # the session cookie is not believed here


@bp.get("/<id:presentation_id>/<name>")
@signed_address
def fetch(presentation: RoomPresentation, name: str) -> Response:
    """Send the file, to be saved and not to be shown: nothing in it runs here."""
    if name != file_name(presentation):
        raise NotFound
    try:
        file = opened(presentation)
    except NotStored:
        log.error("the file of a presentation is missing", presentation=presentation.id)
        raise NotFound from None
    response = send_file(
        file, mimetype=presentation.media_type, as_attachment=True, download_name=presentation.name, etag=False
    )
    response.content_length = presentation.size
    response.headers["Cache-Control"] = "no-store"
    return response
