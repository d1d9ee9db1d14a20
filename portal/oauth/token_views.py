"""The OAuth routes for programs: token, revocation, introspection, metadata. They believe no cookie and answer JSON."""

from http import HTTPStatus
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InsecureTransportError
from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from portal.db import session
from portal.edge.errors import page_for, status_of
from portal.edge.guard import open_to_all
from portal.errors import Refused, Throttled
from portal.oauth.metadata import metadata
from portal.oauth.server import OAuthServer

bp = Blueprint("oauth", __name__)
server = OAuthServer()


def refuse_plain_http() -> ResponseReturnValue | None:
    """Refuse requests without https, unless the portal serves this machine only (by its settings, not by `Host`)."""
    safe = current_app.config["LOOPBACK"] or (current_app.config["SESSION_COOKIE_SECURE"] and request.is_secure)
    return None if safe else answer(InsecureTransportError())


bp.before_request(refuse_plain_http)


@bp.post("/oauth/token")
@open_to_all
def token() -> ResponseReturnValue:
    """Issue tokens by the grant type in the form."""
    return _as_response(server.create_token_response())


@bp.post("/oauth/revoke")
@open_to_all
def revoke() -> ResponseReturnValue:
    """Revoke a token of the client that asks."""
    return _as_response(server.create_endpoint_response("revocation"))


@bp.post("/oauth/introspect")
@open_to_all
def introspect() -> ResponseReturnValue:
    """Describe a token of the client that asks."""
    return _as_response(server.create_endpoint_response("introspection"))


@bp.get("/.well-known/oauth-authorization-server")
@open_to_all
def describe() -> ResponseReturnValue:
    """Describe this server's endpoints and features."""
    return jsonify(metadata())


@bp.errorhandler(OAuth2Error)
def answer(error: OAuth2Error) -> Response:
    """The error in the form of RFC 6749, section 5.2."""
    session.rollback()
    return _as_response(server.handle_error_response(None, error))


@bp.errorhandler(Refused)
def _refused(refused: Refused) -> Response:
    session.rollback()
    response = _oauth_error("temporarily_unavailable", str(refused.message), int(status_of(refused)))
    if isinstance(refused, Throttled):
        response.headers["Retry-After"] = str(refused.retry_after)
    return response


@bp.errorhandler(Exception)
def _unexpected(error: Exception) -> Response:
    page = page_for(error)
    code = "server_error" if page.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request"
    if page.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        code = "temporarily_unavailable"
    response = _oauth_error(code, "This cannot be answered.", page.status_code)
    for name in ("Retry-After", "Allow"):
        if name in page.headers:
            response.headers[name] = page.headers[name]
    return response


def _as_response(response: Response) -> Response:
    """Type Authlib's answer, for which mypy knows no type."""
    return response


def _oauth_error(error: str, description: str, status: int) -> Response:
    body: dict[str, Any] = {"error": error, "error_description": description}
    response = jsonify(body)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response
