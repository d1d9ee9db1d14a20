"""The pages of API credentials: OAuth clients that the signed-in person creates for their own programs.

A client's secret is shown once, by the answer that creates it, and cannot be shown by a redirect. So the form carries
the id that the new client will have: sent twice, it creates one client.
"""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired

from portal import vault
from portal.clock import now
from portal.credentials.clients import clients_of, create_client, find_own_client, offered_scopes, revoke_client
from portal.edge import actor
from portal.edge.guard import signed_in
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.errors import Conflict
from portal.identifiers import new_id
from portal.people.models import User
from portal.people.operations import user_of
from portal.scopes import Scope
from portal.web import flash_messages
from portal.web.forms import Form, UTCDateTimeField, refills, stripped

bp = Blueprint("credentials", __name__, url_prefix="/me/credentials")

RESERVED_CLIENT_ID = "promised-client"  # a purpose of the vault


class CredentialForm(Form):
    """The name, description, scopes and expiry of a new client. `promised` holds its sealed id."""

    name = StringField(_l("Name"), [InputRequired(_l("Fill this in."))], render_kw={"autocomplete": "off"})
    description = StringField(_l("Description"), render_kw={"autocomplete": "off"})
    scopes = SelectMultipleField(_l("May"), [DataRequired(_l("Choose at least one."))], coerce=Scope)
    expires_at = UTCDateTimeField(_l("Expires"))
    promised = HiddenField()

    def offer(self, user: User) -> None:
        """Fill the choices with the scopes that this person can give."""
        self.scopes.choices = [SelectChoice(scope, translated(scope.label)) for scope in offered_scopes(user)]

    def reserved_client_id(self) -> str:
        """The id of the client to create: the one in the submitted form, or a new one if that has none of ours."""
        try:
            return vault.unseal(self.promised.data or "", purpose=RESERVED_CLIENT_ID)
        except vault.Tampered:
            return new_id()


@bp.get("")
@signed_in
def index() -> ResponseReturnValue:
    """Show all credentials, the newest first."""
    clients = clients_of(user_of(actor.someone()))
    return render_template("session/credentials/index.html", clients=clients, at=now())


@bp.route("/new", methods=["GET", "POST"])
@signed_in
@refills
def create() -> ResponseReturnValue:
    """Create a credential and show its secret, in this answer and never again."""
    user = user_of(actor.someone())
    form = CredentialForm()
    form.offer(user)
    client_id = form.reserved_client_id()
    if form.validate_on_submit():
        with form.refusals():
            try:
                client, secret = create_client(
                    user=user,
                    by=actor.someone(),
                    name=form.name.data,
                    description=stripped(form.description.data),
                    scopes=form.scopes.data,
                    expires_at=form.expires_at.data,
                    client_id=client_id,
                )
            except Conflict as conflict:
                flash_messages.failed(translated(conflict.message))
                return redirect(url_for("credentials.index"), 303)
            return render_template("session/credentials/made.html", client=client, secret=secret), 201
    form.promised.data = vault.seal(client_id, purpose=RESERVED_CLIENT_ID)
    return render_template("session/credentials/form.html", form=form), 422 if form.refused else 200


@bp.route("/<id:client_id>/revocation", methods=["GET", "POST"])
@signed_in
def revoke(client_id: str) -> ResponseReturnValue:
    """Ask for confirmation, then revoke the credential for good."""
    user = user_of(actor.someone())
    client = find_own_client(user, client_id)
    if request.method != "POST":
        return render_template("session/credentials/revoke.html", client=client)
    revoke_client(client, by=actor.someone())
    flash_messages.done(_("“%(name)s” was revoked. Nothing can be done with it any more.", name=client.name))
    return redirect(url_for("credentials.index"), 303)
