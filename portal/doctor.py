"""What an operator should know before people come: each check says what is wrong and what to do."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from alembic.script import ScriptDirectory
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from portal.app import ROOT, create_app
from portal.channels import channels
from portal.db import session
from portal.settings import Settings


@dataclass(frozen=True)
class Finding:
    """One check's outcome."""

    good: bool
    words: str


def examine(environment: Mapping[str, str]) -> list[Finding]:
    """All findings, in the order in which to mend them."""
    if not environment.get("SECRET_KEYS"):
        key = secrets.token_urlsafe(48)
        return [Finding(False, f"secret key: not set. Here is a new one: SECRET_KEYS={key}")]
    try:
        settings = Settings()
    except ValidationError as error:
        return [Finding(False, f"settings: {problem['msg']}") for problem in error.errors()]
    return [
        Finding(True, "secret key: set"),
        *_database(settings),
        *_channels(settings),
        *_address(settings),
    ]


def _database(settings: Settings) -> list[Finding]:
    settings.data.mkdir(parents=True, exist_ok=True)
    app = create_app(settings)
    newest = ScriptDirectory(str(ROOT / "migrations")).get_current_head()
    with app.app_context():
        try:
            session.execute(text("SELECT 1"))
            kind = session.get_bind().dialect.name
        except SQLAlchemyError as error:
            return [Finding(False, f"database: cannot be reached ({type(error).__name__}). Check DATABASE_URL.")]
        try:
            present = session.execute(text("SELECT version_num FROM alembic_version")).scalar()
        except SQLAlchemyError:
            present = None
        session.rollback()
    if present != newest:
        return [
            Finding(True, f"database: {kind} answers"),
            Finding(False, "migrations: the database is not up to date. Run `portal migrate`."),
        ]
    return [Finding(True, f"database: {kind} answers"), Finding(True, "migrations: up to date")]


def _channels(settings: Settings) -> list[Finding]:
    if not settings.redis_url:
        return [Finding(True, "channels: in process, so one web process")]
    try:
        channels().last_letter("doctor")
    except OSError as error:
        return [Finding(False, f"redis: cannot be reached ({type(error).__name__}). Check REDIS_URL.")]
    except Exception as error:  # noqa: BLE001  (redis has its own family of errors)
        return [Finding(False, f"redis: {type(error).__name__}. Check REDIS_URL.")]
    return [Finding(True, "redis: answers, so any number of web processes")]


def _address(settings: Settings) -> list[Finding]:
    host = urlsplit(settings.base_url).hostname or ""
    if settings.https or _local(host):
        return [Finding(True, f"base URL: {settings.base_url}")]
    return [
        Finding(
            False,
            f"https: browsers give no camera to {settings.base_url}. Serve https and set BASE_URL to it.",
        )
    ]


def _local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
