"""The one page of somebody who is shut out: which customer is not active, and whom to ask. It answers every address."""

from http import HTTPStatus

from flask import Response, make_response, render_template, url_for

from portal.db import session
from portal.edge import actor
from portal.edge.errors import problem, speaks_json
from portal.edge.i18n import translated
from portal.people.shut_out import ShutOut
from portal.permissions.unusable_customers import unusable_customers_of
from portal.web import htmx


def answer(refused: ShutOut) -> Response:
    """The answer with status 403: the page, for programs a message, and for a part of a page the way to the page."""
    session.rollback()
    if speaks_json():
        return problem(HTTPStatus.FORBIDDEN, translated(refused.message))
    if htmx.asks():
        return htmx.send_elsewhere(make_response("", HTTPStatus.FORBIDDEN), url_for("home"))
    somebody = actor.someone()
    page = render_template("session/shut_out.html", customers=unusable_customers_of(somebody), me=somebody.user)
    response = make_response(page, HTTPStatus.FORBIDDEN)
    response.headers["Cache-Control"] = "no-store"
    return response
