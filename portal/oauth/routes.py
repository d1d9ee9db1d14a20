"""The OAuth 2.0 entrance, put together."""

import logging

from flask import Flask
from flask_wtf import CSRFProtect

from portal.oauth import consent, endpoints, grants, machines


def install(app: Flask, csrf: CSRFProtect) -> None:
    """Register the routes. Programs bring no cookies, so theirs need no proof of origin; the consent does."""
    logging.getLogger("authlib").setLevel(logging.INFO)  # what it says below that has tokens in it
    app.register_blueprint(machines.bp)
    app.register_blueprint(consent.bp)
    csrf.exempt(machines.bp)


for _grant in (grants.ClientCredentials, grants.Password, grants.Refresh):
    machines.server.register_grant(_grant)
machines.server.register_grant(grants.Code, [grants.S256(required=True)])
machines.server.register_endpoint(endpoints.Revocation)
machines.server.register_endpoint(endpoints.Introspection)
machines.server.register_extension(consent.Issuer())
