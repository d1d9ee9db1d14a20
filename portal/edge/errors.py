"""From the core's words to answers: which status a refusal has, and what the person reads.

Nothing internal is told: a 5xx carries only an error id, which stands in the log beside the cause.
"""

import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, g, make_response, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from portal.admission.reauthorization import ParticipationEnded
from portal.db import is_unavailable, session
from portal.edge import actor
from portal.edge.bearer import NoCredential, ScopeMissing
from portal.edge.i18n import translated
from portal.edge.transaction import RAW_BODIES
from portal.errors import ChannelsAway, Conflict, Invalid, NotAllowed, NotFound, Refused, Throttled, Unavailable

log = structlog.get_logger()

STATUSES: list[tuple[type[Refused], HTTPStatus]] = [
    (Invalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (NotAllowed, HTTPStatus.FORBIDDEN),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (Throttled, HTTPStatus.TOO_MANY_REQUESTS),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (ChannelsAway, HTTPStatus.SERVICE_UNAVAILABLE),
    (ParticipationEnded, HTTPStatus.GONE),
    (NoCredential, HTTPStatus.UNAUTHORIZED),
    (ScopeMissing, HTTPStatus.FORBIDDEN),
    (Refused, HTTPStatus.CONFLICT),
]


def status_of(refused: Refused) -> HTTPStatus:
    """The status that this refusal has over HTTP."""
    return next(status for kind, status in STATUSES if isinstance(refused, kind))


def install(app: Flask) -> None:
    """Answer every error of this app."""
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(SQLAlchemyError, _database)
    app.register_error_handler(Exception, _unexpected)
    app.after_request(_with_status)


def on_form(refused: Refused) -> None:
    """The refusal is shown on the form itself: its page has the status that the refusal has."""
    g.refused_on_form = refused


def _with_status(response: Response) -> Response:
    refused: Refused | None = g.pop("refused_on_form", None)
    if refused is not None and response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
        response.status_code = status_of(refused)
        if isinstance(refused, Throttled):
            response.headers["Retry-After"] = str(refused.retry_after)
    return response


def speaks_json() -> bool:
    """Whether a program asked, which reads no pages."""
    return request.path.startswith(("/api/", RAW_BODIES, "/oauth/token", "/oauth/revoke", "/oauth/introspect"))


def problem(
    status: HTTPStatus,
    message: str,
    *,
    fields: Mapping[str, str] | None = None,
    retry_after: int | None = None,
    error_id: str = "",
) -> Response:
    """The one shape of all refusals for programs: `{"message", "errors": {"field": ["…"]}}`."""
    content: dict[str, Any] = {"message": message}
    if fields:
        content["errors"] = {name: [words] for name, words in fields.items()}
    if error_id:
        content["error_id"] = error_id
    response = make_response(content, status)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def error_page(status: HTTPStatus, message: str, *, retry_after: int | None = None, error_id: str = "") -> Response:
    """The one page for everything that went wrong; the same in JSON for programs."""
    if speaks_json():
        return problem(status, message, retry_after=retry_after, error_id=error_id)
    titles = {
        HTTPStatus.BAD_REQUEST: _("That request made no sense"),
        HTTPStatus.FORBIDDEN: _("Not for you"),
        HTTPStatus.NOT_FOUND: _("There is nothing here"),
        HTTPStatus.METHOD_NOT_ALLOWED: _("That does not work here"),
        HTTPStatus.CONFLICT: _("That cannot be done now"),
        HTTPStatus.GONE: _("This is over"),
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _("That is too much at once"),
        HTTPStatus.UNPROCESSABLE_ENTITY: _("Something is missing"),
        HTTPStatus.TOO_MANY_REQUESTS: _("Too many tries"),
        HTTPStatus.SERVICE_UNAVAILABLE: _("Back in a moment"),
    }
    title = titles.get(status) or (
        _("Something went wrong here") if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _("That did not work")
    )
    response = make_response(
        render_template(
            "errors/error.html",
            status=int(status),
            title=title,
            message=message,
            retry_after=retry_after,
            error_id=error_id,
        ),
        status,
    )
    response.headers["Cache-Control"] = "no-store"
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _refused(refused: Refused) -> Response:
    session.rollback()
    status = status_of(refused)
    message = translated(refused.message)
    retry_after = refused.retry_after if isinstance(refused, Throttled) else None
    if isinstance(refused, Invalid) and speaks_json():
        fields = {name: translated(words) for name, words in refused.fields.items()}
        return problem(status, translated(refused.default), fields=fields or {"body": message})
    if isinstance(refused, NotFound) and request.path.startswith("/rooms/"):
        message = _(
            "If you followed a link, open it again exactly as you got it, and allow this site to set cookies. "
            "If that does not help, ask whoever sent it for a new one."
        )
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        retry_after = 5
    response = error_page(status, message, retry_after=retry_after)
    if isinstance(refused, (NoCredential, ScopeMissing)):
        response.headers["WWW-Authenticate"] = refused.challenge
    return response


_WORDS = {
    HTTPStatus.METHOD_NOT_ALLOWED: "This address knows other methods: see the header Allow.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than 1 MB.",
}
"""What a program is told where the framework's words name no way on."""


def _http(error: HTTPException) -> Response:
    if error.response is not None:
        return make_response(error.response)
    status = HTTPStatus(error.code or 500)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _unexpected(error)
    if status is HTTPStatus.NOT_FOUND:
        return _refused(NotFound())
    session.rollback()
    words = _WORDS.get(status, str(error.description or "")) if speaks_json() else _("Go back, and try it another way.")
    response = error_page(status, words)
    for name in ("Allow", "Location", "Retry-After", "Accept"):
        for value in error.get_response().headers.getlist(name):
            response.headers.add(name, value)
    return response


def page_for(error: Exception) -> Response:
    """The page that answers this error, for an entrance that says the same in another shape."""
    if isinstance(error, HTTPException):
        return _http(error)
    return _database(error) if isinstance(error, SQLAlchemyError) else _unexpected(error)


def csrf_refused(_error: CSRFError) -> Response:
    """The answer to a request that may not come from one of our pages."""
    session.rollback()
    return error_page(
        HTTPStatus.BAD_REQUEST,
        _("The page was open for too long, or your browser keeps no cookies. Go back, reload it, and try again."),
    )


def _database(error: SQLAlchemyError) -> Response:
    if not is_unavailable(error):
        return _unexpected(error)
    log.warning("database unavailable", error=type(error).__name__)
    actor.nobody()
    return _refused(Unavailable())


def _unexpected(error: Exception) -> Response:
    error_id = secrets.token_hex(6)
    rule = request.url_rule.rule if request.url_rule else ""  # not the path, which may hold the secret of a join ticket
    log.error("unexpected error", error_id=error_id, rule=rule, exc_info=error)
    try:
        session.rollback()
    except SQLAlchemyError:
        session.remove()
    if isinstance(error, SQLAlchemyError):
        actor.nobody()  # the page must not ask again what has just failed
    return error_page(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        _("It is our fault and has been written down. Try again; if it stays, tell us the number below."),
        error_id=error_id,
    )
