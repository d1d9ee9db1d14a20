"""The application factory: `create_app(settings)` puts the whole portal together.

It is the one file that imports every part; no other part imports it but the commands and the server.
"""

from datetime import timedelta
from pathlib import Path

import structlog
from flask import Flask
from flask_compress import Compress
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import channels, public_url, storage, vault
from portal.admission import models as _admission_models  # noqa: F401  (every table is known to the metadata)
from portal.api.v1 import blueprint as api
from portal.audit import models as _audit_models  # noqa: F401
from portal.audit.operations import subscribe
from portal.broadcasts import models as _broadcasts_models  # noqa: F401
from portal.conference.chat import forget_ended
from portal.credentials import tokens as _credentials_models  # noqa: F401
from portal.customers import defaults as customer_defaults
from portal.db import db
from portal.edge import actor, assets, errors, headers, hosts, i18n, transaction
from portal.edge.converters import Identifier
from portal.edge.mended_paths import MendedPaths
from portal.edge.signatures import SkewedSessions
from portal.engine import configure_engine, engine_options
from portal.hooks import routes as hooks
from portal.idempotency import api_requests as _idempotency_models  # noqa: F401
from portal.jobs import queue
from portal.media.looks import expect_recordings
from portal.oauth import install as oauth
from portal.people import passwords
from portal.providers import catalog, fetch, registry
from portal.settings import Settings
from portal.watching import models as _watching_models  # noqa: F401
from portal.web import forms, fragment_cache, health, routes
from portal.web.manage import stream_rights
from portal.webhooks import outbox

ROOT = Path(__file__).resolve().parent.parent
MEGABYTE = 1_000_000


def create_app(settings: Settings) -> Flask:
    """A portal with these settings. Opens no connection and starts nothing."""
    app = Flask("portal", root_path=str(ROOT), template_folder="templates", static_folder=None)
    app.config.update(
        SECRET_KEY=settings.keys[0],
        SECRET_KEY_FALLBACKS=list(settings.keys[1:]),
        SQLALCHEMY_DATABASE_URI=settings.database,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database),
        SESSION_COOKIE_NAME="foyer",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,  # `actor` does so once a day
        SESSION_COOKIE_SECURE=settings.https,
        PERMANENT_SESSION_LIFETIME=timedelta(days=settings.session_days),
        SESSION_DAYS=settings.session_days,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a page left open overnight still works
        WTF_CSRF_SSL_STRICT=False,  # needs a referrer, which a join page does not send
        MAX_CONTENT_LENGTH=MEGABYTE,
        MAX_FORM_MEMORY_SIZE=MEGABYTE,
        BASE_URL=settings.base_url,
        LOOPBACK=settings.loopback,
        ACCESS_TOKEN_LIFE=timedelta(minutes=settings.access_token_minutes),
        REFRESH_TOKEN_LIFE=timedelta(minutes=settings.refresh_token_minutes),
        OAUTH_PASSWORD_GRANT=settings.oauth_password_grant,
        BABEL_TRANSLATION_DIRECTORIES=str(ROOT / "portal" / "translations"),
        COMPRESS_STREAMS=False,
        SETTINGS=settings,
    )
    app.url_map.converters["id"] = Identifier
    app.session_interface = SkewedSessions()
    vault.use(settings.keys)
    public_url.use(settings.base_url)
    storage.use(settings.files)
    customer_defaults.use(
        customer_defaults.Defaults(settings.default_country, settings.default_currency, settings.default_timezone)
    )
    passwords.use(settings.password_hash_memory)
    channels.use(settings.redis_url)
    registry.fill(
        catalog.catalog(
            ice_servers=settings.ice_servers,
            mesh_people=settings.mesh_people,
            turn_urls=settings.turn_urls,
            turn_secret=settings.turn_secret.get_secret_value(),
        )
    )
    fetch.use(private=settings.outgoing_private, plain=settings.outgoing_http, allowed=settings.outgoing_allowed)
    subscribe(outbox.write_deliveries)
    subscribe(forget_ended)
    subscribe(expect_recordings)
    queue.install(app, settings)

    db.init_app(app)
    with app.app_context():
        configure_engine(db.engine)
    actor.install(app)
    transaction.install(app)
    hosts.install(app, base_url=settings.base_url, open_paths=health.PROBES)
    csrf = CSRFProtect(app)
    i18n.install(app)
    assets.install(app, ROOT / "static")
    headers.install(app)
    errors.install(app)
    Compress(app)
    routes.install(app)
    oauth.install(app, csrf)
    hooks.install(app, csrf)
    api.install(app, csrf, rate=settings.api_rate, storage=settings.redis_url)
    transaction.install_end(app)
    forms.install(app)
    fragment_cache.install(app)
    stream_rights.install(app)
    app.wsgi_app = MendedPaths(app.wsgi_app)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    return app


def configure_logs() -> None:
    """Write logs as lines of key=value to standard error. A URL is logged as its rule or path, never with its query."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(),
        ]
    )


def create_from_environment() -> Flask:
    """Create the portal from the environment, for `flask --app portal.app:create_from_environment`."""
    return create_app(Settings())
