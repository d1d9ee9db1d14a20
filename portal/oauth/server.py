"""Authlib's authorization server, connected to the portal's tables of clients and tokens.

Authlib implements the protocol. Added here: each parameter comes once, in the place where it belongs, in the
characters that RFC 6749 allows; and all failures of a client look alike, take the same time and are throttled.
"""

from collections import defaultdict
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError, OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from flask import Response, current_app, request
from werkzeug.datastructures import Headers, MultiDict

from portal import throttling
from portal.credentials import clients, operations
from portal.credentials.models import OAuthClient
from portal.credentials.operations import TokenPair
from portal.credentials.secrets import ACCESS, REFRESH
from portal.db import committed_step
from portal.edge.network import network
from portal.errors import Throttled
from portal.oauth.throttle_buckets import client_bucket, wrong_secrets_bucket
from portal.scopes import Scope, in_order

FREE_TEXTS = frozenset({"username", "password", "client_secret", "state"})


class ClientRefused(InvalidClientError):  # type: ignore[misc]
    """The client could not be authenticated. The answer does not tell whether it exists."""

    status_code = 401
    description = "Client authentication failed."

    def get_headers(self) -> list[tuple[str, str]]:
        """The headers, with the challenge that RFC 6749, section 5.2 requires."""
        return [*super(InvalidClientError, self).get_headers(), ("WWW-Authenticate", 'Basic realm="foyer"')]


class Payload(OAuth2Payload):  # type: ignore[misc]
    """The parameters of a request, in the form that Authlib reads."""

    def __init__(self, values: MultiDict[str, str]) -> None:
        self._values = values

    @property
    def data(self) -> MultiDict[str, str]:
        return self._values

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return defaultdict(list, self._values.to_dict(flat=False))


class Request(OAuth2Request):  # type: ignore[misc]
    """The current request, in the form that Authlib reads: parameters of the body, for consent those of the address."""

    def __init__(self, values: MultiDict[str, str], *, headers: Headers) -> None:
        # The door has judged the transport. Authlib would judge it by the Host header, which the client chooses.
        host = urlsplit(current_app.config["BASE_URL"]).netloc
        super().__init__(request.method, f"https://{host}{request.path}", headers=headers)
        self._values = values
        self.payload = Payload(values)

    @property
    def args(self) -> MultiDict[str, str]:
        return self._values

    @property
    def form(self) -> MultiDict[str, str]:
        return self._values


class OAuthServer(AuthorizationServer):  # type: ignore[misc]
    """The portal's authorization server, with the portal's clients, tokens and scopes."""

    def __init__(self) -> None:
        super().__init__()
        self.scopes_supported = [scope.value for scope in Scope]
        self.register_token_generator("default", BearerTokenGenerator(_new_access, _new_refresh, _seconds))

    def create_oauth2_request(self, _request: Any) -> OAuth2Request:
        """The current request for Authlib. Raises `InvalidRequestError` for repeated or malformed parameters."""
        if isinstance(_request, OAuth2Request):
            return _request
        values = request.args if request.endpoint == "consent.authorize" else request.form
        _check(values)
        return Request(values, headers=Headers(request.headers))

    def query_client(self, client_id: str) -> OAuthClient | None:
        return clients.find_client(client_id)

    def authenticate_client(self, request_: OAuth2Request, methods: list[str], endpoint: str = "token") -> OAuthClient:
        """Authenticate the client by its secret. Raises `ClientRefused`, or `Throttled` whether it is right or wrong.

        Nothing that the secret's being right decides is answered before the try has been counted.
        """
        if request_.headers.get("Authorization") and "client_secret" in request_.form:
            raise InvalidRequestError("A client says its secret once: in the header or in the body.")
        claimed = _claimed_client_id()
        bucket = client_bucket(client_id=claimed, network=network())
        try:
            client: OAuthClient = super().authenticate_client(request_, methods, endpoint)
        except (OAuth2Error, ValueError):  # ValueError: a header that is not UTF-8
            try:
                with committed_step():
                    throttling.reserve(wrong_secrets_bucket(network=network()))
            except Throttled:  # whose wait is told of a real client as of a made-up one
                if clients.find_client(claimed) is not None:
                    with suppress(Throttled), committed_step():
                        throttling.reserve(bucket)
                raise
            with committed_step():
                throttling.reserve(bucket)
            raise ClientRefused from None
        with committed_step():
            throttling.reserve(bucket)
            throttling.release(bucket)
        return client

    def save_token(self, token: dict[str, Any], request_: OAuth2Request) -> None:
        """Store the new tokens, and use up the refresh token or code they were exchanged for, in one operation."""
        client: OAuthClient = request_.client
        pair = TokenPair(
            access=token["access_token"],
            access_life=current_app.config["ACCESS_TOKEN_LIFE"],
            scopes=in_order(token["scope"].split()),
            refresh=token.get("refresh_token"),
            refresh_life=current_app.config["REFRESH_TOKEN_LIFE"],
        )
        if request_.refresh_token is not None:
            operations.rotate(request_.refresh_token, pair=pair)
        elif request_.authorization_code is not None:
            operations.redeem(request_.authorization_code, client=client, pair=pair)
        else:
            operations.issue(client=client, user=request_.user or client.user, pair=pair)
        if clients.due(client.last_used_at):
            clients.mark_used(client.uuid)

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Response:
        """The response, with a header that forbids caching (RFC 6749, section 5.1)."""
        response: Response = super().handle_response(status, body, headers)
        response.headers["Cache-Control"] = "no-store"
        return response


def issuer() -> str:
    """The issuer identifier of this server (RFC 8414, RFC 9207): the base URL."""
    return str(current_app.config["BASE_URL"])


def _claimed_client_id() -> str:
    """The id of the client that the current request claims to come from; "" if it names none."""
    sent = request.authorization
    named = sent.username if sent is not None and sent.type == "basic" else request.form.get("client_id")
    return named or ""


def _new_access(**_about: Any) -> str:
    return ACCESS.new()


def _new_refresh(**_about: Any) -> str:
    return REFRESH.new()


def _seconds(_client: OAuthClient, _grant_type: str) -> int:
    return int(current_app.config["ACCESS_TOKEN_LIFE"].total_seconds())


def _check(values: MultiDict[str, str]) -> None:
    for name, each in values.lists():
        if len(each) > 1:
            raise InvalidRequestError("A parameter was sent more than once.")
        value = each[0]
        if "\0" in value:
            raise InvalidRequestError("A parameter has characters that it cannot have.")
        if name not in FREE_TEXTS and not (value.isascii() and value.isprintable() and not set(value) & {'"', "\\"}):
            raise InvalidRequestError("A parameter has characters that it cannot have.")
    if request.endpoint == "oauth.token" and not values.get("grant_type"):
        raise InvalidRequestError("Missing grant_type in the form that was sent.")
