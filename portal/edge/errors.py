"""Error handlers: they turn refusals and exceptions into pages for people and JSON for programs, with a status.

Nothing internal is told: a 5xx carries only an error id, which stands in the log beside the cause.
"""

import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, g, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from portal.admission.reauthorization import ParticipationEnded
from portal.db import session
from portal.edge import actor
from portal.edge.bearer import NoCredential, ScopeMissing
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.edge.transaction import RAW_BODIES
from portal.engine import is_unavailable
from portal.errors import (
    ChannelsAway,
    Conflict,
    Invalid,
    NotAllowed,
    NotFound,
    QuotaUsedUp,
    Refused,
    Throttled,
    Unavailable,
)

log = structlog.get_logger()

STATUSES: list[tuple[type[Refused], HTTPStatus]] = [
    (QuotaUsedUp, HTTPStatus.CONFLICT),
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
    """The HTTP status of this refusal."""
    return next(status for kind, status in STATUSES if isinstance(refused, kind))


def install(app: Flask) -> None:
    """Register the error handlers of this app."""
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(SQLAlchemyError, _database)
    app.register_error_handler(Exception, _unexpected)
    app.after_request(_with_status)


def on_form(refused: Refused) -> None:
    """Give the answer, which shows the form again with this refusal, the status of the refusal instead of 422."""
    g.refused_on_form = refused


def _with_status(response: Response) -> Response:
    refused: Refused | None = g.pop("refused_on_form", None)
    if refused is not None and response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
        response.status_code = status_of(refused)
        if isinstance(refused, Throttled):
            response.headers["Retry-After"] = str(refused.retry_after)
    return response


def speaks_json() -> bool:
    """Whether this request is answered in JSON, because its address is for programs."""
    path = f"{request.path}/"  # a slash at its end was taken away
    return path.startswith(("/api/", RAW_BODIES, "/oauth/token/", "/oauth/revoke/", "/oauth/introspect/"))


def problem(
    status: HTTPStatus,
    message: str,
    *,
    fields: Mapping[str, str] | None = None,
    retry_after: int | None = None,
    error_id: str = "",
) -> Response:
    """A refusal as JSON for programs: `{"message", "errors": {"field": ["…"]}}`. `retry_after` is in seconds."""
    content: dict[str, Any] = {"message": message}
    if fields:
        content["errors"] = {name: [text] for name, text in fields.items()}
    if error_id:
        content["error_id"] = error_id
    response = make_response(content, status)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def error_page(status: HTTPStatus, message: str, *, retry_after: int | None = None, error_id: str = "") -> Response:
    """The error page, or for programs the refusal as JSON. `retry_after` is in seconds."""
    if speaks_json():
        return problem(status, message, retry_after=retry_after, error_id=error_id)
    titles = {
        HTTPStatus.BAD_REQUEST: _("That request made no sense"),
        HTTPStatus.FORBIDDEN: _("Not for you"),
        HTTPStatus.NOT_FOUND: _("There is nothing here"),
        HTTPStatus.METHOD_NOT_ALLOWED: _("That does not work here"),
        HTTPStatus.CONFLICT: _("That cannot be done now"),
        HTTPStatus.GONE: _("This has ended"),
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
        fields = {name: translated(text) for name, text in refused.fields.items()}
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


_PROGRAM_MESSAGES = {
    HTTPStatus.METHOD_NOT_ALLOWED: "This address knows other methods: see the header Allow.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than 1 MB.",
}
"""Messages for programs where the framework's own do not say what to do."""


def _http(error: HTTPException) -> Response:
    if error.response is not None:
        return make_response(error.response)
    status = HTTPStatus(error.code or 500)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _unexpected(error)
    if status is HTTPStatus.NOT_FOUND:
        return _refused(NotFound())
    session.rollback()
    message = _("Go back, and try it another way.")
    if speaks_json():
        message = _PROGRAM_MESSAGES.get(status, str(error.description or ""))
    response = error_page(status, message)
    for name in ("Allow", "Location", "Retry-After", "Accept"):
        for value in error.get_response().headers.getlist(name):
            response.headers.add(name, value)
    return response


def page_for(error: Exception) -> Response:
    """The answer of these handlers to an error, for OAuth, which takes its status and writes its own JSON."""
    if isinstance(error, HTTPException):
        return _http(error)
    return _database(error) if isinstance(error, SQLAlchemyError) else _unexpected(error)


def csrf_refused(_error: CSRFError) -> Response:
    """The error page for a request without a valid CSRF token."""
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
