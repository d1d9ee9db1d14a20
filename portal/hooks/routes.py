"""The route that services call back, with one address for each row of `service_providers`."""

from http import HTTPStatus

from flask import Blueprint, Flask
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect

from portal.db import writing
from portal.edge import actor
from portal.edge.guard import signed_by_provider
from portal.edge.transaction import RAW_BODIES, reading_only
from portal.hooks import presentations
from portal.hooks.callbacks import read_callback
from portal.media.looks import look_soon
from portal.providers.base import CallbackRefused
from portal.status.callbacks import receive, verify
from portal.subscriptions.provider_models import ServiceProvider

UNSIGNED = "Foyer takes here what this service has signed.\n"
"""What a stranger reads, by which `portal doctor` knows the portal at its public address."""

bp = Blueprint("hooks", __name__, url_prefix=RAW_BODIES.rstrip("/"))
bp.before_request(actor.nobody)  # the session cookie is not believed here


def install(app: Flask, csrf: CSRFProtect) -> None:
    """Register the routes. They believe no cookie, so this one, which takes POST, is exempt from CSRF."""
    app.register_blueprint(bp)
    app.register_blueprint(presentations.bp)
    csrf.exempt(bp)


@bp.route("/<id:provider_id>", methods=["GET", "POST"])
@signed_by_provider
@reading_only
def call_back(provider: ServiceProvider) -> ResponseReturnValue:
    """Receive a callback. Answers 204 once it is stored, and 401 if the service did not send it; nothing else."""
    try:
        verified = verify(provider, read_callback())
    except CallbackRefused:
        return UNSIGNED, HTTPStatus.UNAUTHORIZED, {"Content-Type": "text/plain; charset=utf-8"}
    with writing():
        receive(verified)
        look_soon(verified.provider.uuid, verified.recorded_rooms)
    return "", HTTPStatus.NO_CONTENT
