"""The routes of the portal's own webhooks, which tell staff's programs of customers, accounts and subscriptions."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.edge.staff_guard import staff
from portal.people.staff import StaffPermission
from portal.web.forms import refills
from portal.web.webhooks import answers
from portal.web.webhooks.place import WebhookPlace

bp = Blueprint("admin_webhooks", __name__, url_prefix="/admin/webhooks")

PORTAL = WebhookPlace()


@bp.get("")
@staff(StaffPermission.CUSTOMERS_UPDATE)
def index() -> ResponseReturnValue:
    """Show the webhooks of the portal."""
    return answers.index(PORTAL)


@bp.route("/new", methods=["GET", "POST"])
@staff(StaffPermission.CUSTOMERS_UPDATE)
@refills
def create() -> ResponseReturnValue:
    """Create a webhook, then show its secret."""
    return answers.create(PORTAL)


@bp.get("/<id:endpoint_id>")
@staff(StaffPermission.CUSTOMERS_UPDATE)
def show(endpoint_id: str) -> ResponseReturnValue:
    """Show one webhook: its secret, and its deliveries."""
    return answers.show(PORTAL, endpoint_id)


@bp.get("/<id:endpoint_id>/deliveries")
@staff(StaffPermission.CUSTOMERS_UPDATE)
def deliveries(endpoint_id: str) -> ResponseReturnValue:
    """Show the fragment of the page with the deliveries."""
    return answers.deliveries(PORTAL, endpoint_id)


@bp.route("/<id:endpoint_id>/edit", methods=["GET", "POST"])
@staff(StaffPermission.CUSTOMERS_UPDATE)
@refills
def edit(endpoint_id: str) -> ResponseReturnValue:
    """Change address, events and description."""
    return answers.edit(PORTAL, endpoint_id)


@bp.post("/<id:endpoint_id>/rotation")
@staff(StaffPermission.CUSTOMERS_UPDATE)
def rotate(endpoint_id: str) -> ResponseReturnValue:
    """Rotate the secret. The old one signs for a day more."""
    return answers.rotate(PORTAL, endpoint_id)


@bp.post("/<id:endpoint_id>/pause")
@staff(StaffPermission.CUSTOMERS_UPDATE)
def pause(endpoint_id: str) -> ResponseReturnValue:
    """Pause the webhook."""
    return answers.pause(PORTAL, endpoint_id)


@bp.post("/<id:endpoint_id>/resumption")
@staff(StaffPermission.CUSTOMERS_UPDATE)
def resume(endpoint_id: str) -> ResponseReturnValue:
    """End a pause."""
    return answers.resume(PORTAL, endpoint_id)


@bp.post("/<id:endpoint_id>/test")
@staff(StaffPermission.CUSTOMERS_UPDATE)
def test(endpoint_id: str) -> ResponseReturnValue:
    """Send a test delivery."""
    return answers.test(PORTAL, endpoint_id)


@bp.post("/<id:endpoint_id>/deliveries/<id:delivery_id>/repetition")
@staff(StaffPermission.CUSTOMERS_UPDATE)
def repeat(endpoint_id: str, delivery_id: str) -> ResponseReturnValue:
    """Send a delivery once more."""
    return answers.repeat(PORTAL, endpoint_id, delivery_id)


@bp.route("/<id:endpoint_id>/deletion", methods=["GET", "POST"])
@staff(StaffPermission.CUSTOMERS_UPDATE)
def delete(endpoint_id: str) -> ResponseReturnValue:
    """Ask for confirmation, then delete the webhook."""
    return answers.delete(PORTAL, endpoint_id)
