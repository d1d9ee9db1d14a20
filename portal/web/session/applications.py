"""The pages of authorised applications: third-party programs that the signed-in person allowed to act for them."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.credentials.operations import Authorised, authorised, withdraw
from portal.edge import actor
from portal.edge.guard import signed_in
from portal.edge.i18n import gettext as _
from portal.errors import NotFound
from portal.people.models import User
from portal.people.operations import user_of
from portal.web import flash_messages

bp = Blueprint("applications", __name__, url_prefix="/me/applications")


@bp.get("")
@signed_in
def index() -> ResponseReturnValue:
    """Show all applications that may act for the person now."""
    return render_template("session/applications/index.html", applications=authorised(user_of(actor.someone())))


@bp.route("/<id:client_id>/revocation", methods=["GET", "POST"])
@signed_in
def revoke(client_id: str) -> ResponseReturnValue:
    """Ask for confirmation, then withdraw everything that the person granted the application."""
    user = user_of(actor.someone())
    application = _own(user, client_id)
    if request.method != "POST":
        return render_template("session/applications/revoke.html", application=application)
    withdraw(user, application.client, by=actor.someone())
    flash_messages.done(_("“%(name)s” can no longer act in your name.", name=application.client.name))
    return redirect(url_for("applications.index"), 303)


def _own(user: User, client_id: str) -> Authorised:
    for application in authorised(user):
        if application.client.id == client_id:
            return application
    raise NotFound
