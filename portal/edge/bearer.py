"""Authenticating requests to the API by the access token in the header `Authorization: Bearer` (RFC 6750).

Neither a cookie nor a parameter counts. "Last used" of the client is written after the answer has been
sent, in a transaction of its own and at most once an hour, so that no reader waits for SQLite's one writer.
"""

import structlog
from flask import after_this_request, current_app, g, request
from flask.wrappers import Response
from sqlalchemy.exc import SQLAlchemyError

from portal.credentials import clients
from portal.credentials.presented import PresentedToken, find_access_token
from portal.db import transaction
from portal.errors import Message, Refused
from portal.people.actor import Actor
from portal.scopes import Scope

log = structlog.get_logger()

REALM = 'Bearer realm="foyer"'


class NoCredential(Refused):
    """No access token came, or none that counts. 401, with a header `WWW-Authenticate: {challenge}`."""

    default = Message("Send an access token: Authorization: Bearer …")

    def __init__(self, message: Message | None = None, *, given: bool = False) -> None:
        super().__init__(message or (Message("This access token does not count, or no longer.") if given else None))
        self.challenge = f'{REALM}, error="invalid_token"' if given else REALM


class ScopeMissing(Refused):
    """The access token counts, but not for this. 403, with a header `WWW-Authenticate: {challenge}`."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(Message("The access token lacks the scope %(scope)s.", scope=scope.value))
        self.scope = scope
        self.challenge = f'{REALM}, error="insufficient_scope", scope="{scope}"'


def current() -> Actor:
    """The actor of this request: the token's person, limited to the token's scopes. Raises `NoCredential`."""
    return token().actor


def require(*scopes: Scope) -> Actor:
    """The actor of this request, if the token has all these scopes. Raises `NoCredential` or `ScopeMissing`."""
    actor = current()
    for scope in scopes:
        if not actor.within(scope):
            raise ScopeMissing(scope)
    return actor


def caller() -> str:
    """The public id of the client that calls, whichever of its tokens it uses. Raises `NoCredential`."""
    return token().client_id


def token() -> PresentedToken:
    """The access token of this request, looked up once and then remembered. Raises `NoCredential`."""
    if "bearer_token" not in g:
        try:
            g.bearer_token = _presented()
            _note_use(g.bearer_token)
        except NoCredential as refusal:
            g.bearer_token = refusal
    presented: PresentedToken | NoCredential = g.bearer_token
    if isinstance(presented, NoCredential):
        raise presented
    return presented


def known() -> PresentedToken | None:
    """The access token of this request, or None if there is none that counts."""
    try:
        return token()
    except NoCredential:
        return None


def _presented() -> PresentedToken:
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    if kind.casefold() != "bearer":
        raise NoCredential
    if "access_token" in request.args:  # two credentials, one of them already in somebody's log
        raise NoCredential(given=True)
    found = find_access_token(text.strip())
    if found is None:
        raise NoCredential(given=True)
    return found


def _note_use(presented: PresentedToken) -> None:
    if not clients.due(presented.client_used_at):
        return
    app, client_uuid = current_app._get_current_object(), presented.client_uuid  # type: ignore[attr-defined]

    def write() -> None:
        try:
            with app.app_context(), transaction():
                clients.mark_used(client_uuid)
        except SQLAlchemyError as error:
            log.warning("last use not noted", error=type(error).__name__)

    @after_this_request
    def later(response: Response) -> Response:
        response.call_on_close(write)
        return response
