"""API credentials: what one's own programs sign in with. A secret is shown once, by the answer that made it."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired

from portal import vault
from portal.clock import now
from portal.credentials.clients import clients_of, create_client, find_own_client, offered_scopes, revoke_client
from portal.edge import actor
from portal.edge.guard import signed_in
from portal.edge.i18n import translated
from portal.errors import Conflict
from portal.identifiers import new_id
from portal.people.models import User
from portal.scopes import Scope
from portal.web import notices
from portal.web.forms import Form, UTCDateTimeField, refills, stripped

bp = Blueprint("credentials", __name__, url_prefix="/me/credentials")

PROMISED = "promised-client"


class CredentialForm(Form):
    """What a program is called and may do. `promised` is the id that it will have: sent twice, it makes one."""

    name = StringField(_l("Name"), [InputRequired(_l("Fill this in."))], render_kw={"autocomplete": "off"})
    description = StringField(_l("Description"), render_kw={"autocomplete": "off"})
    scopes = SelectMultipleField(_l("May"), [DataRequired(_l("Choose at least one."))], coerce=Scope)
    expires_at = UTCDateTimeField(_l("Expires"))
    promised = HiddenField()

    def offer(self, user: User) -> None:
        """Draw the choices from the enum, as far as they mean something for this person."""
        self.scopes.choices = [SelectChoice(scope, translated(scope.label)) for scope in offered_scopes(user)]

    def promise(self) -> str:
        """The id promised by the form that was sent; a new one if none was, or not by us."""
        try:
            return vault.unseal(self.promised.data or "", purpose=PROMISED)
        except vault.Tampered:
            return new_id()


@bp.get("")
@signed_in
def index() -> ResponseReturnValue:
    """All of them, the newest first."""
    clients = clients_of(actor.someone().user)
    return render_template("session/credentials/index.html", clients=clients, at=now())


@bp.route("/new", methods=["GET", "POST"])
@signed_in
@refills
def create() -> ResponseReturnValue:
    """Make one, and show its secret: on this answer and never again."""
    user = actor.someone().user
    form = CredentialForm()
    form.offer(user)
    promised = form.promise()
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
                    client_id=promised,
                )
            except Conflict as made:
                notices.failed(translated(made.message))
                return redirect(url_for("credentials.index"), 303)
            return render_template("session/credentials/made.html", client=client, secret=secret), 201
    form.promised.data = vault.seal(promised, purpose=PROMISED)
    return render_template("session/credentials/form.html", form=form), 422 if form.refused else 200


@bp.route("/<id:client_id>/revocation", methods=["GET", "POST"])
@signed_in
def revoke(client_id: str) -> ResponseReturnValue:
    """Say what goes, then shut the program out for good."""
    user = actor.someone().user
    client = find_own_client(user, client_id)
    if request.method == "GET":
        return render_template("session/credentials/revoke.html", client=client)
    revoke_client(client, by=actor.someone())
    notices.done(_("“%(name)s” was revoked. Nothing can be done with it any more.", name=client.name))
    return redirect(url_for("credentials.index"), 303)
