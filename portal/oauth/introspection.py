"""The endpoints for revoking (RFC 7009) and introspecting (RFC 7662) tokens, as subclasses of Authlib's."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from portal.credentials import operations
from portal.credentials.models import OAuthClient
from portal.credentials.tokens import AccessToken, RefreshToken
from portal.oauth.grants import METHODS
from portal.oauth.server import issuer

Token = AccessToken | RefreshToken


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """Revokes an access token; or, given a refresh token, its grant with all tokens."""

    CLIENT_AUTH_METHODS = METHODS

    def check_params(self, request: OAuth2Request, _client: OAuthClient) -> None:
        _need_token(request)

    def query_token(self, text: str, _hint: str | None) -> Token | None:
        return operations.find_any(text)

    def revoke_token(self, token: Token, _request: OAuth2Request) -> None:
        operations.revoke_token(token)


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]
    """Describes a token of the client that asks. Another client's token looks like one that does not exist."""

    CLIENT_AUTH_METHODS = METHODS

    def check_params(self, request: OAuth2Request, _client: OAuthClient) -> None:
        _need_token(request)

    def query_token(self, text: str, _hint: str | None) -> Token | None:
        return operations.find_any(text)

    def check_permission(self, token: Token, client: OAuthClient, _request: OAuth2Request) -> bool:
        return token.check_client(client)

    def introspect_token(self, token: Token) -> dict[str, Any]:
        scopes = token.scopes if isinstance(token, AccessToken) else token.grant.scopes
        return {
            "active": True,
            "client_id": token.grant.client.client_id,
            "sub": token.grant.user.id,
            "scope": " ".join(scopes),
            "token_type": "Bearer" if isinstance(token, AccessToken) else "refresh_token",
            "iat": int(token.created_at.timestamp()),
            "exp": int(token.expires_at.timestamp()),
            "iss": issuer(),
        }


def _need_token(request: OAuth2Request) -> None:
    """Raise `InvalidRequestError` without a token. A type hint is ignored (RFC 7009, section 2.1): the prefix tells."""
    if not request.form.get("token"):
        raise InvalidRequestError("Missing token in the form that was sent.")
