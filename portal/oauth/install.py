"""Registers the OAuth 2.0 routes with the app, and grants and endpoints with Authlib's server."""

import logging

from flask import Flask
from flask_wtf import CSRFProtect

from portal.oauth import consent, grants, introspection, token_views


def install(app: Flask, csrf: CSRFProtect) -> None:
    """Register the routes. Those for programs believe no cookie, so they are exempt from CSRF; consent is not."""
    logging.getLogger("authlib").setLevel(logging.INFO)  # its debug messages contain tokens
    app.register_blueprint(token_views.bp)
    app.register_blueprint(consent.bp)
    csrf.exempt(token_views.bp)


for _grant in (grants.ClientCredentials, grants.Password, grants.Refresh):
    token_views.server.register_grant(_grant)
token_views.server.register_grant(grants.Code, [grants.S256(required=True)])
token_views.server.register_endpoint(introspection.Revocation)
token_views.server.register_endpoint(introspection.Introspection)
token_views.server.register_extension(consent.Issuer())
