"""The four grant types, as subclasses of Authlib's: they connect its protocol to the portal's users, codes and tokens.

A refresh token or code that was exchanged is used up by `Server.save_token`, in one operation with storing the new
tokens, so the methods that Authlib calls for that do nothing.
"""

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, OAuth2Request, grants
from authlib.oauth2.rfc6749.grants import BaseGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import current_app

from portal.credentials import operations
from portal.credentials.clients import offered_scopes
from portal.credentials.secrets import CODE
from portal.credentials.tokens import AuthorizationCode, RefreshToken
from portal.edge.network import network
from portal.errors import Invalid
from portal.people.models import User
from portal.people.operations import authenticate
from portal.scopes import Scope, in_order

METHODS = ["client_secret_basic", "client_secret_post"]


class ClientCredentials(grants.ClientCredentialsGrant):  # type: ignore[misc]
    """Grant type `client_credentials`: a machine acts with the rights of the user who created it."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS


class Password(grants.ResourceOwnerPasswordCredentialsGrant):  # type: ignore[misc]
    """Grant type `password`, for the operator's own applications. A setting can switch it off."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    @classmethod
    def check_token_endpoint(cls, asked: OAuth2Request) -> bool:
        return bool(current_app.config["OAUTH_PASSWORD_GRANT"] and super().check_token_endpoint(asked))

    def authenticate_user(self, username: str, password: str) -> User:
        """The user with this e-mail and password, throttled. Raises `Throttled` or `InvalidGrantError`."""
        try:
            return authenticate(email=username, password=password, network=network())
        except Invalid:
            raise InvalidGrantError("The user name or the password is wrong.") from None


class Refresh(grants.RefreshTokenGrant):  # type: ignore[misc]
    """Grant type `refresh_token`: a refresh token is exchanged once for the next pair of tokens."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> RefreshToken | None:
        return operations.find_refresh_token(refresh_token, client=self.request.client)

    def authenticate_user(self, refresh_token: RefreshToken) -> User:
        return refresh_token.grant.user

    def revoke_old_credential(self, refresh_token: RefreshToken) -> None:
        return None


class Code(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """Grant type `authorization_code`: a person was asked for consent, and the client redeems the code."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def generate_authorization_code(self) -> str:
        return CODE.new()

    def save_authorization_code(self, code: str, asked: OAuth2Request) -> None:
        operations.consent(
            code=code,
            client=asked.client,
            user=asked.user,
            scopes=consented_scopes(asked.scope, asked.user),
            redirect_uri=asked.payload.redirect_uri or "",
            code_challenge=asked.payload.data["code_challenge"],
        )

    def query_authorization_code(self, code: str, client: object) -> AuthorizationCode | None:
        return operations.find_code(code, client=client)  # type: ignore[arg-type]

    def authenticate_user(self, authorization_code: AuthorizationCode) -> User:
        return authorization_code.user

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        return None


class S256(CodeChallenge):  # type: ignore[misc]
    """PKCE, required of every client, with the method S256 only (RFC 9700, section 2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012  (as Authlib declares it)

    def validate_code_challenge(self, grant: BaseGrant, redirect_uri: str) -> None:
        data = grant.request.payload.data
        if not data.get("code_challenge") or data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("A code_challenge with the code_challenge_method S256 is needed.")
        super().validate_code_challenge(grant, redirect_uri)


def consented_scopes(asked: str, user: User) -> list[Scope]:
    """The scopes in `asked` (separated by spaces) that this person can give to a program."""
    offered = offered_scopes(user)
    return [scope for scope in in_order(asked.split()) if scope in offered]
