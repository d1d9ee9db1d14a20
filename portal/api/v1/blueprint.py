"""The blueprint of the API: registers all routes, authenticates by the bearer token only, and limits rates."""

import math
from functools import partial

from flask import Blueprint, Flask, Response, request
from flask_limiter import Limiter
from flask_wtf import CSRFProtect

from portal.api.v1 import (
    access,
    access_codes,
    account_users,
    accounts,
    admins,
    audit_events,
    customer_addresses,
    customer_telephones,
    customer_users,
    customers,
    docs,
    features,
    legal_documents,
    logout,
    package_parts,
    packages,
    permissions,
    platform_users,
    presentation,
    recordings,
    roles,
    rooms,
    service_providers,
    sessions,
    subscription_parts,
    subscriptions,
    tokens,
    uploads,
    users,
    video_captions,
    videos,
    webhooks,
)
from portal.clock import now
from portal.edge import actor, bearer, rate_storage, redis_rates
from portal.edge.converters import AnyIdentifier, FeatureCode
from portal.edge.network import network

PREFIX = "/api/v1"


def install(app: Flask, csrf: CSRFProtect, *, rate: str, storage: str) -> None:
    """Register the API. `rate` limits the requests of one token, as in "60 per minute".

    `storage` is the address of the Redis in which several processes count requests; "" counts in this process.
    """
    app.config["API_RATE"] = rate  # shown by the documentation
    app.url_map.converters |= {"anyid": AnyIdentifier, "feature": FeatureCode}
    api = Blueprint("api", __name__, url_prefix=PREFIX)
    api.before_request(believe_the_bearer_only)
    of_rooms = (rooms, tokens, access_codes, users, sessions, recordings, presentation, access)
    of_media = (videos, video_captions, uploads)
    of_customers = (customers, customer_users, accounts, account_users, features)
    of_profiles = (customer_addresses, customer_telephones, legal_documents)
    of_staff = (platform_users, admins, roles, permissions, audit_events)
    of_plans = (packages, package_parts, service_providers, subscriptions, subscription_parts)
    nouns = (*of_rooms, *of_media, *of_customers, *of_profiles, *of_plans, logout, webhooks, *of_staff)
    for blueprint in (noun.bp for noun in nouns):
        api.register_blueprint(blueprint)
    limiter = Limiter(
        _bucket,
        application_limits=[rate],
        storage_uri=f"{redis_rates.SCHEME}+{storage}" if storage else f"{rate_storage.SCHEME}://",
        strategy="moving-window",
    )
    limiter.request_filter(lambda: not request.path.startswith(f"{PREFIX}/") or _is_piece())
    limiter.init_app(app)
    app.after_request(partial(_add_rate_headers, limiter))
    app.register_blueprint(api)
    for endpoint, view in app.view_functions.items():
        if endpoint.startswith("api."):
            csrf.exempt(view)  # no cookie is believed here, so none can be abused
    app.register_blueprint(docs.bp, url_prefix=PREFIX)


def _bucket() -> str:
    """The key under which requests are counted: the token, or the network of a request without a valid one."""
    known = bearer.known()
    return known.token_hash if known is not None else network()


SMALL_PIECE = 65_536
"""Bytes of a piece that counts as an ordinary request: only small ones could be sent without end."""


def _is_piece() -> bool:
    """Whether a program brings a large piece of a file: those are limited by the bytes that were promised."""
    large = request.endpoint == "api.uploads.receive" and (request.content_length or 0) >= SMALL_PIECE
    return large and bearer.known() is not None  # who makes tokens up is counted as ever


def _add_rate_headers(limiter: Limiter, response: Response) -> Response:
    """Add the headers that tell the rate limit and what is left of it, and `Retry-After` if it was exceeded."""
    counted = limiter.current_limit
    if counted is not None:
        response.headers["X-RateLimit-Limit"] = str(counted.limit.amount)
        response.headers["X-RateLimit-Remaining"] = str(counted.remaining)
        if counted.breached:
            seconds = math.ceil(counted.reset_at - now().timestamp())
            response.headers["Retry-After"] = str(max(1, seconds))
    return response


def believe_the_bearer_only() -> None:
    """Make the bearer token's actor the actor of this request, and ignore the session cookie. Raises `NoCredential`."""
    actor.become(bearer.current())
