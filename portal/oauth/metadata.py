"""The authorization server's metadata document (RFC 8414), by which a client finds endpoints and features."""

from typing import Any

from flask import current_app, url_for

from portal.credentials.models import GrantType
from portal.oauth.grants import METHODS
from portal.oauth.server import issuer
from portal.scopes import Scope


def metadata() -> dict[str, Any]:
    """The document, with absolute addresses below the public base URL."""
    grant_types = [
        one.value for one in GrantType if one is not GrantType.PASSWORD or current_app.config["OAUTH_PASSWORD_GRANT"]
    ]
    return {
        "issuer": issuer(),
        "authorization_endpoint": issuer() + url_for("consent.authorize"),
        "token_endpoint": issuer() + url_for("oauth.token"),
        "revocation_endpoint": issuer() + url_for("oauth.revoke"),
        "introspection_endpoint": issuer() + url_for("oauth.introspect"),
        "scopes_supported": [scope.value for scope in Scope],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": grant_types,
        "token_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_methods_supported": METHODS,
        "introspection_endpoint_auth_methods_supported": METHODS,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }
