"""The pages for signing in and out, and of one's own profile.

A form that was sent without a session is kept, sealed, in the sign-in page, and shown again, filled, after signing in.
"""

import json
from typing import Any

from flask import (
    Blueprint,
    Flask,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from wtforms import EmailField, HiddenField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from portal import vault
from portal.edge import actor, device_cookie
from portal.edge.errors import csrf_refused
from portal.edge.guard import SignInFirst, open_to_all, signed_in, signed_in_or_shut_out
from portal.edge.i18n import gettext as _
from portal.edge.network import network
from portal.errors import Refused
from portal.people import operations as people
from portal.people.shut_out import ShutOut
from portal.people.timezones import time_zones
from portal.web import flash_messages, htmx
from portal.web.edit_forms import EditForm, lock_for_edit
from portal.web.forms import REFILL_FIELD, REFILLS, Form, fields_to_keep, refills
from portal.web.session import shut_out
from portal.web.session.beginning import begin_session

bp = Blueprint("session", __name__)

KEPT_PURPOSE = "kept-form"


class SignInForm(Form):
    """E-mail and password; and in hidden fields the page and the form to come back to."""

    email = EmailField(
        _l("E-mail"),
        [InputRequired(_l("Fill this in.")), Length(max=254)],
        render_kw={"autocomplete": "username"},
    )
    password = PasswordField(
        _l("Password"),
        [InputRequired(_l("Fill this in.")), Length(max=200)],
        render_kw={"autocomplete": "current-password"},
    )
    next = HiddenField()
    kept = HiddenField()
    timezone = HiddenField(render_kw={"data-timezone": ""})


class ProfileForm(EditForm):
    """What a person may change about themselves: name and time zone."""

    name = StringField(
        _l("Name"), [InputRequired(_l("Fill this in.")), Length(max=1000)], render_kw={"autocomplete": "name"}
    )
    timezone = SelectField(_l("Time zone"), choices=sorted(time_zones()))


def install(app: Flask) -> None:
    """Handle requests without a sign-in or of somebody who is shut out, and forms without a valid CSRF token."""
    app.register_error_handler(SignInFirst, _ask_to_sign_in)
    app.register_error_handler(ShutOut, shut_out.answer)
    app.register_error_handler(CSRFError, _show_again)


@bp.get("/sign-in")
@open_to_all
def sign_in() -> ResponseReturnValue:
    """Show the sign-in page; redirect somebody who is signed in already."""
    target = own_page(request.args.get("next", ""))
    if actor.current() is not None:
        return redirect(target, 303)
    return _page(SignInForm(formdata=None, next=target), empty=not people.anybody())


@bp.post("/sign-in")
@open_to_all
@refills
def start() -> ResponseReturnValue:
    """Sign in and start a new session; then show the page that was wanted, or the form that was being sent."""
    form = SignInForm()
    if form.validate_on_submit():
        with form.refusals():
            started = people.sign_in(
                email=form.email.data,
                password=form.password.data,
                network=network(),
                device=device_cookie.read(request),
                timezone=form.timezone.data or None,
            )
            begin_session(started)
            target = own_page(form.next.data or "")
            fields = _kept_fields(form.kept.data or "", target)
            if fields:
                return render_template("session/continue.html", target=target, fields=fields, kept=REFILL_FIELD)
            return redirect(target, 303)
    return _page(form), 422


@bp.post("/sign-out")
@signed_in_or_shut_out
def sign_out() -> ResponseReturnValue:
    """Sign out this browser, and end its sign-in in the database."""
    people.sign_out(actor.someone())
    actor.end()
    return redirect(url_for("session.sign_in"), 303)


@bp.route("/me", methods=["GET", "POST"])
@signed_in
@refills
def me() -> ResponseReturnValue:
    """Show and change name and time zone of the signed-in person."""
    somebody = actor.someone()
    user = people.user_of(somebody)
    lock_for_edit(user)
    form = ProfileForm(data={"name": user.name, "timezone": user.timezone or "UTC"})
    if form.validate_on_submit():
        with form.refusals():
            people.change_profile(user, name=form.name.data, timezone=form.timezone.data, by=somebody)
            flash_messages.done(_("Saved."))
            return redirect(url_for("session.me"), 303)
    return render_template("session/me.html", form=form), 422 if form.refused else 200


def own_page(address: str) -> str:
    """`address` if it is a page of this portal that can be opened, else that of the page with which people begin."""
    path = address.split("?", 1)[0]
    plain = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    if not plain or "\\" in address or path in {"/sign-in", "/sign-out"} or not _opens(path):
        return url_for("home")
    return address


def _opens(path: str) -> bool:
    try:
        current_app.create_url_adapter(request).match(path, "GET")  # type: ignore[union-attr]
    except RequestRedirect:
        return True
    except HTTPException:
        return False
    return True


def _page(form: SignInForm, *, empty: bool = False) -> str:
    """The sign-in page. `empty`: nobody has been made a user yet."""
    return render_template("session/sign_in.html", form=form, empty=empty)


def _ask_to_sign_in(_refused: SignInFirst) -> ResponseReturnValue:
    if request.method in {"GET", "HEAD"}:
        wanted = request.full_path.rstrip("?") if request.query_string else request.path
        address = url_for("session.sign_in", next=wanted)
        if htmx.asks():
            return htmx.send_elsewhere(make_response("", 401), url_for("session.sign_in"))
        return redirect(address, 303)
    target = request.path
    while target.count("/") > 1 and not _opens(target):
        target = target.rpartition("/")[0]
    if target == request.path and request.query_string:
        target = request.full_path
    form = SignInForm(formdata=None, next=own_page(target))
    if _refills(request.endpoint):
        kept = json.dumps({"path": request.path, "fields": fields_to_keep()})
        form.kept.data = vault.seal(kept, purpose=KEPT_PURPOSE)
    form.form_errors.append(_("Your session has ended. Sign in, and what you typed will be there again."))
    return _page(form), 401


def _kept_fields(sealed: str, target: str) -> dict[str, list[str]]:
    try:
        kept: dict[str, Any] = json.loads(vault.unseal(sealed, purpose=KEPT_PURPOSE)) if sealed else {}
    except vault.Tampered:
        return {}
    return kept["fields"] if kept.get("path") == target else {}


def _refills(endpoint: str | None) -> bool:
    return getattr(current_app.view_functions.get(endpoint or ""), REFILLS, False)


def _show_again(error: CSRFError) -> Any:
    """Show the form again, filled, without acting on it, because its CSRF token was missing or had expired."""
    if not _refills(request.endpoint):
        return csrf_refused(error)
    g.lapsed = True
    try:
        return current_app.view_functions[request.endpoint or ""](**(request.view_args or {}))
    except Refused as refused:
        return current_app.handle_user_exception(refused)
