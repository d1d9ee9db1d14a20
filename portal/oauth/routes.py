"""The OAuth 2.0 entrance, put together."""

import logging

from flask import Flask
from flask_wtf import CSRFProtect

from portal.oauth import consent, grants, token_endpoints, token_views


def install(app: Flask, csrf: CSRFProtect) -> None:
    """Register the routes. Programs bring no cookies, so theirs need no proof of origin; the consent does."""
    logging.getLogger("authlib").setLevel(logging.INFO)  # what it says below that has tokens in it
    app.register_blueprint(token_views.bp)
    app.register_blueprint(consent.bp)
    csrf.exempt(token_views.bp)


for _grant in (grants.ClientCredentials, grants.Password, grants.Refresh):
    token_views.server.register_grant(_grant)
token_views.server.register_grant(grants.Code, [grants.S256(required=True)])
token_views.server.register_endpoint(token_endpoints.Revocation)
token_views.server.register_endpoint(token_endpoints.Introspection)
token_views.server.register_extension(consent.Issuer())
