"""The page on which somebody sets the first password, by a link that whoever made the account handed out.

It lies below the sign-in page, because it signs in, and the cookie of the device is sent there only.
"""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, PasswordField
from wtforms.validators import EqualTo, InputRequired, Length

from portal.edge import password_link_cookie
from portal.edge.guard import open_to_all
from portal.edge.network import network
from portal.errors import NotFound
from portal.people.models import PasswordLink
from portal.people.password_links import find_password_link, use_password_link
from portal.people.passwords import MAX_LENGTH, MIN_LENGTH
from portal.web import flash_messages
from portal.web.forms import Form, refills
from portal.web.session.beginning import begin_session

bp = Blueprint("passwords", __name__)


class FirstPasswordForm(Form):
    """The password, twice, because nobody can look it up; in hidden fields the link's token and the time zone."""

    password = PasswordField(
        _l("Password"),
        [InputRequired(_l("Fill this in.")), Length(max=MAX_LENGTH)],
        render_kw={"autocomplete": "new-password", "autofocus": True},
    )
    again = PasswordField(
        _l("Repeat the password"),
        [EqualTo("password", _l("The two passwords differ."))],
        render_kw={"autocomplete": "new-password"},
    )
    token = HiddenField()
    timezone = HiddenField(render_kw={"data-timezone": ""})


@bp.get("/set-password")
@open_to_all
def open_link() -> ResponseReturnValue:
    """Take the token out of the address, then show the form; or say that the link no longer works."""
    token = request.args.get("token", "")
    try:
        find_password_link(token)
    except NotFound:
        return _over()
    page = url_for("passwords.show")
    return password_link_cookie.write(make_response(redirect(page, 303)), token, path=page)


@bp.get("/sign-in/set-password")
@open_to_all
def show() -> ResponseReturnValue:
    """Show the form of the link that this browser has opened, or that it no longer works."""
    token = password_link_cookie.read(request)
    try:
        link = find_password_link(token)
    except NotFound:
        return _over()
    return _page(FirstPasswordForm(formdata=None, token=token), link)


@bp.post("/sign-in/set-password")
@open_to_all
@refills
def save() -> ResponseReturnValue:
    """Set the password and sign in."""
    form = FirstPasswordForm()
    try:
        if form.validate_on_submit():
            with form.refusals():
                started = use_password_link(
                    token=form.token.data or "",
                    password=form.password.data,
                    network=network(),
                    timezone=form.timezone.data or None,
                )
                begin_session(started)
                flash_messages.done(_("Your password is set, and you are signed in."))
                answer = make_response(redirect(url_for("home"), 303))
                return password_link_cookie.delete(answer, path=url_for("passwords.show"))
        return _page(form, find_password_link(form.token.data or "")), 422
    except NotFound:
        return _over()


def _page(form: FirstPasswordForm, link: PasswordLink) -> str:
    return render_template("session/set_password.html", form=form, user=link.user, least=MIN_LENGTH)


def _over() -> ResponseReturnValue:
    return render_template("session/password_link_over.html"), 404
