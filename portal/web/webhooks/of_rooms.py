"""The routes of a room's webhooks: each asks for the permission to edit the room."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.edge import actor
from portal.edge.guard import requires
from portal.permissions.permission import Permission
from portal.rooms.models import Room
from portal.web.forms import refills
from portal.web.webhooks import answers
from portal.web.webhooks.place import WebhookPlace
from portal.webhooks.models import WebhookEndpoint
from portal.webhooks.queries import find_endpoint_at

bp = Blueprint("webhooks", __name__, url_prefix="/manage/rooms/<id:room_id>/webhooks")


@bp.get("")
@requires(Permission.ROOM_EDIT)
def index(room: Room) -> ResponseReturnValue:
    """Show the room's webhooks; and to the customer's owner also those for all rooms of the customer."""
    return answers.index(WebhookPlace(room))


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.ROOM_EDIT)
@refills
def create(room: Room) -> ResponseReturnValue:
    """Create a webhook, then show its secret."""
    return answers.create(WebhookPlace(room))


@bp.get("/<id:endpoint_id>")
@requires(Permission.ROOM_EDIT)
def show(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """Show one webhook: its secret, and its deliveries."""
    return answers.show(*_at(room, endpoint_id))


@bp.get("/<id:endpoint_id>/deliveries")
@requires(Permission.ROOM_EDIT)
def deliveries(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """Show the fragment of the page with the deliveries."""
    return answers.deliveries(*_at(room, endpoint_id))


@bp.route("/<id:endpoint_id>/edit", methods=["GET", "POST"])
@requires(Permission.ROOM_EDIT)
@refills
def edit(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """Change address, events and description."""
    return answers.edit(*_at(room, endpoint_id))


@bp.post("/<id:endpoint_id>/rotation")
@requires(Permission.ROOM_EDIT)
def rotate(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """Rotate the secret. The old one signs for a day more."""
    return answers.rotate(*_at(room, endpoint_id))


@bp.post("/<id:endpoint_id>/pause")
@requires(Permission.ROOM_EDIT)
def pause(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """Pause the webhook."""
    return answers.pause(*_at(room, endpoint_id))


@bp.post("/<id:endpoint_id>/resumption")
@requires(Permission.ROOM_EDIT)
def resume(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """End a pause."""
    return answers.resume(*_at(room, endpoint_id))


@bp.post("/<id:endpoint_id>/test")
@requires(Permission.ROOM_EDIT)
def test(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """Send a test delivery."""
    return answers.test(*_at(room, endpoint_id))


@bp.post("/<id:endpoint_id>/deliveries/<id:delivery_id>/repetition")
@requires(Permission.ROOM_EDIT)
def repeat(room: Room, endpoint_id: str, delivery_id: str) -> ResponseReturnValue:
    """Send a delivery once more."""
    return answers.repeat(*_at(room, endpoint_id), delivery_id)


@bp.route("/<id:endpoint_id>/deletion", methods=["GET", "POST"])
@requires(Permission.ROOM_EDIT)
def delete(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """Ask for confirmation, then delete the webhook."""
    return answers.delete(*_at(room, endpoint_id))


def _at(room: Room, endpoint_id: str) -> tuple[WebhookPlace, WebhookEndpoint]:
    return WebhookPlace(room), find_endpoint_at(actor.someone(), room, endpoint_id)
