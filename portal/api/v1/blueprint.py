"""All operations of the API, behind one lock: the bearer token is the only credential that is believed here."""

import math
from functools import partial

from flask import Blueprint, Flask, Response, request
from flask_limiter import Limiter
from flask_wtf import CSRFProtect

from portal.api.v1 import access, access_codes, customers, docs, logout, rooms, sessions, tokens, users, webhooks
from portal.clock import now
from portal.edge import actor, bearer, rate_storage
from portal.edge.converters import AnyIdentifier

PREFIX = "/api/v1"


def install(app: Flask, csrf: CSRFProtect, *, rate: str, storage: str) -> None:
    """Register the API. `rate` is what one token may ask, as in "60 per minute".

    `storage` is where that is counted, for several processes; "" is in this one.
    """
    app.config["API_RATE"] = rate  # the documentation says it
    app.url_map.converters["anyid"] = AnyIdentifier
    api = Blueprint("api", __name__, url_prefix=PREFIX)
    api.before_request(believe_the_bearer_only)
    nouns = (rooms, tokens, access_codes, users, sessions, access, customers, logout, webhooks)
    for blueprint in (noun.bp for noun in nouns):
        api.register_blueprint(blueprint)
    limiter = Limiter(
        _bucket,
        application_limits=[rate],
        storage_uri=storage or f"{rate_storage.SCHEME}://",
        strategy="moving-window",
    )
    limiter.request_filter(lambda: not request.path.startswith(f"{PREFIX}/"))
    limiter.init_app(app)
    app.after_request(partial(_say_what_is_left, limiter))
    app.register_blueprint(api)
    for endpoint, view in app.view_functions.items():
        if endpoint.startswith("api."):
            csrf.exempt(view)  # no cookie is believed here, so none can be abused
    app.register_blueprint(docs.bp, url_prefix=PREFIX)


def _bucket() -> str:
    """Whose requests are counted together: those with one token, and by network those without one that counts."""
    known = bearer.known()
    return known.token_hash if known is not None else request.remote_addr or ""


def _say_what_is_left(limiter: Limiter, response: Response) -> Response:
    """How many requests there are in a window and left in this one; when to come again only for whoever has to."""
    counted = limiter.current_limit
    if counted is not None:
        response.headers["X-RateLimit-Limit"] = str(counted.limit.amount)
        response.headers["X-RateLimit-Remaining"] = str(counted.remaining)
        if counted.breached:
            seconds = math.ceil(counted.reset_at - now().timestamp())
            response.headers["Retry-After"] = str(max(1, seconds))
    return response


def believe_the_bearer_only() -> None:
    """Whoever the session cookie names is nobody here. Raises `NoCredential`."""
    actor.become(bearer.current())
