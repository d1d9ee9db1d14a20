"""The routes of the portal's own webhooks, which tell staff's programs of customers, accounts and subscriptions."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.edge.staff_guard import staff
from portal.people.staff import StaffPermission
from portal.web.forms import refills
from portal.web.webhooks import answers
from portal.web.webhooks.place import WebhookPlace
from portal.webhooks.models import WebhookEndpoint
from portal.webhooks.queries import portal_endpoint_with_id

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
@staff(StaffPermission.CUSTOMERS_UPDATE, endpoint=portal_endpoint_with_id)
def show(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Show one webhook: its secret, and its deliveries."""
    return answers.show(PORTAL, endpoint)


@bp.get("/<id:endpoint_id>/deliveries")
@staff(StaffPermission.CUSTOMERS_UPDATE, endpoint=portal_endpoint_with_id)
def deliveries(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Show the fragment of the page with the deliveries."""
    return answers.deliveries(PORTAL, endpoint)


@bp.route("/<id:endpoint_id>/edit", methods=["GET", "POST"])
@staff(StaffPermission.CUSTOMERS_UPDATE, endpoint=portal_endpoint_with_id)
@refills
def edit(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Change address, events and description."""
    return answers.edit(PORTAL, endpoint)


@bp.post("/<id:endpoint_id>/rotation")
@staff(StaffPermission.CUSTOMERS_UPDATE, endpoint=portal_endpoint_with_id)
def rotate(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Rotate the secret. The old one signs for a day more."""
    return answers.rotate(PORTAL, endpoint)


@bp.post("/<id:endpoint_id>/pause")
@staff(StaffPermission.CUSTOMERS_UPDATE, endpoint=portal_endpoint_with_id)
def pause(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Pause the webhook."""
    return answers.pause(PORTAL, endpoint)


@bp.post("/<id:endpoint_id>/resumption")
@staff(StaffPermission.CUSTOMERS_UPDATE, endpoint=portal_endpoint_with_id)
def resume(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """End a pause."""
    return answers.resume(PORTAL, endpoint)


@bp.post("/<id:endpoint_id>/test")
@staff(StaffPermission.CUSTOMERS_UPDATE, endpoint=portal_endpoint_with_id)
def test(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Send a test delivery."""
    return answers.test(PORTAL, endpoint)


@bp.post("/<id:endpoint_id>/deliveries/<id:delivery_id>/repetition")
@staff(StaffPermission.CUSTOMERS_UPDATE, endpoint=portal_endpoint_with_id)
def repeat(endpoint: WebhookEndpoint, delivery_id: str) -> ResponseReturnValue:
    """Send a delivery once more."""
    return answers.repeat(PORTAL, endpoint, delivery_id)


@bp.route("/<id:endpoint_id>/deletion", methods=["GET", "POST"])
@staff(StaffPermission.CUSTOMERS_UPDATE, endpoint=portal_endpoint_with_id)
def delete(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Ask for confirmation, then delete the webhook."""
    return answers.delete(PORTAL, endpoint)
