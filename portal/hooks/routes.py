"""The address that a service calls back; one for each row of `service_providers`."""

from http import HTTPStatus

from flask import Blueprint, Flask
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect

from portal.edge import actor
from portal.edge.guard import signed_by_provider
from portal.edge.transaction import RAW_BODIES
from portal.hooks.callbacks import read_callback
from portal.providers.base import CallbackRefused
from portal.status.callbacks import receive
from portal.subscriptions.models import ServiceProvider

bp = Blueprint("hooks", __name__, url_prefix=RAW_BODIES.rstrip("/"))
bp.before_request(actor.nobody)  # whoever the session cookie names is nobody here


def install(app: Flask, csrf: CSRFProtect) -> None:
    """Register the route. No cookie is believed here, so none can be abused: no proof of origin is asked."""
    app.register_blueprint(bp)
    csrf.exempt(bp)


@bp.route("/<id:provider_id>", methods=["GET", "POST"])
@signed_by_provider
def call_back(provider: ServiceProvider) -> ResponseReturnValue:
    """Take what the service tells. 204 once it is stored; 401 for what it did not send. Nothing more is said."""
    try:
        receive(provider, read_callback())
    except CallbackRefused:
        return "", HTTPStatus.UNAUTHORIZED
    return "", HTTPStatus.NO_CONTENT
