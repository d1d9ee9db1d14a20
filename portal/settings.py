"""The portal's settings, typed and frozen, read from the environment here and nowhere else.

A setting that is unsafe raises an error, so that the portal does not start with it.
"""

import json
import os
import secrets
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from portal.customers.countries import countries
from portal.customers.currencies import currencies
from portal.loopback import is_loopback
from portal.people.timezones import time_zones
from portal.providers.reach import AllowedNetwork, read_allowed

NO_KEY = "SECRET_KEYS is not set: `portal doctor` says how to make a key"
KEY_LENGTH = 32  # characters a secret key has at least; `portal doctor` explains how to make one


class Settings(BaseSettings):
    """Everything an operator can set. The environment variable of a field is its name in capitals: `DATABASE_URL`."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore")

    data: Path = Path("instance")
    """Folder for what the portal keeps on disk: the SQLite databases, uploaded files and the demo's key."""
    storage: Path | None = None
    """Folder for uploaded files; unset means `files` in the data folder. Processes on several machines need one that
    they share."""
    database_url: str = ""
    """SQLAlchemy address; empty means SQLite in the data folder."""
    redis_url: str = ""
    """Channels and job queue shared by several processes; empty means one web process."""
    secret_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """Newest first, separated by commas. Older ones still open what they sealed. If none is set, a portal that has
    its database in the data folder and serves this machine only uses the key file of that folder, which the demo
    makes."""
    base_url: str = "http://127.0.0.1:8000"
    """The address people use. Links are made from it, never from the Host header."""
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    """How many reverse proxies stand in front and may say X-Forwarded-For and -Proto."""
    connections: int = Field(default=5000, ge=100)
    """How many connections one web process keeps open, if the system's limit of open files allows as many. Everybody
    who watches rooms, or is in one, has one or two."""
    media_workers: int = Field(default=1, ge=0, le=64)
    """How many videos a process that works on jobs prepares at a time; 0 means that it prepares none."""
    ice_servers: Annotated[tuple[dict[str, Any], ...], NoDecode] = ()
    """JSON list of STUN/TURN servers for browsers: `[{"urls": "stun:…"}]`; none by default."""
    turn_urls: Annotated[tuple[str, ...], NoDecode] = ()
    """TURN servers that share `TURN_SECRET` with the portal, separated by commas: `turn:turn.example.org:3478`. Each
    participant gets credentials of his own for a day (coturn's `use-auth-secret` and `static-auth-secret`)."""
    turn_secret: SecretStr = SecretStr("")
    mesh_people: Annotated[tuple[int, int], NoDecode] = (6, 12)
    """How many people send pictures and sound in a conversation without a media server, and how many are in at most,
    separated by a comma. Those between the two listen: each sender uploads once for every other person."""
    password_hash_memory: int = Field(default=65536, ge=8)
    """KiB that one Argon2id hash takes; tests use less."""
    api_rate: str = "60 per minute"
    """What one access token may ask of the API: `60 per minute`, `5 per second; 10000 per day`."""
    session_days: int = Field(default=14, ge=1)
    """How long somebody stays signed in without coming back."""
    access_token_minutes: int = Field(default=1440, ge=1)
    """How long a program may use an access token."""
    refresh_token_minutes: int = Field(default=10_800, ge=1)
    """How long a program may wait before it gets its next pair of tokens."""
    oauth_password_grant: bool = True
    """Whether the operator's own applications may exchange a person's password for tokens."""

    default_country: str = "US"
    """The code of the country of customers for which nobody chooses another."""
    default_currency: str = "USD"
    """The code of the currency of customers and packages for which nobody chooses another."""
    default_timezone: str = ""
    """The time zone, such as `Europe/Berlin`, of customers for which nobody chooses another. Empty means UTC."""

    outgoing_private: bool = False
    """Whether addresses that people typed in (webhooks) may lead into private networks."""
    outgoing_http: bool = False
    """Whether addresses that people typed in (webhooks) may be plain http."""
    outgoing_allowed: Annotated[tuple[AllowedNetwork, ...], NoDecode] = ()
    """Networks, with a port or without, in which services may be besides out on the internet, by plain http as well:
    `10.0.0.0/8, 192.0.2.7/32:8080, [fd00::/8]:443`."""

    @model_validator(mode="before")
    @classmethod
    def _find_key(cls, given: dict[str, Any]) -> dict[str, Any]:
        here = is_loopback(urlsplit(str(given.get("base_url") or cls.model_fields["base_url"].default)).hostname or "")
        if given.get("secret_keys") or given.get("database_url") or given.get("redis_url") or not here:
            return given
        try:
            key = key_file(Path(given.get("data") or cls.model_fields["data"].default)).read_text()
        except OSError:
            return given
        return {**given, "secret_keys": key}

    @field_validator("secret_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(key.strip() for key in value.split(",") if key.strip())
        return value

    @field_validator("ice_servers", mode="before")
    @classmethod
    def _read_ice_servers(cls, value: object) -> object:
        return tuple(json.loads(value)) if isinstance(value, str) else value

    @field_validator("turn_urls", mode="before")
    @classmethod
    def _split_turn_urls(cls, value: object) -> object:
        return tuple(url.strip() for url in value.split(",") if url.strip()) if isinstance(value, str) else value

    @field_validator("outgoing_allowed", mode="before")
    @classmethod
    def _read_outgoing_allowed(cls, value: object) -> object:
        try:
            return read_allowed(value) if isinstance(value, str) else value
        except ValueError as error:
            raise ValueError(f"OUTGOING_ALLOWED: {error}") from None

    @model_validator(mode="after")
    def _refuse_half_a_turn_server(self) -> Self:
        if bool(self.turn_urls) is not bool(self.turn_secret.get_secret_value()):
            raise ValueError("TURN_URLS and TURN_SECRET belong together: set both, or none")
        if any(not url.startswith(("turn:", "turns:")) for url in self.turn_urls):
            raise ValueError("each of TURN_URLS begins with turn: or turns:")
        return self

    @field_validator("mesh_people", mode="before")
    @classmethod
    def _read_mesh_people(cls, value: Any) -> tuple[int, int]:
        try:
            senders, people = (int(number) for number in (value.split(",") if isinstance(value, str) else value))
        except (TypeError, ValueError):
            senders, people = 0, 0
        if not 1 <= senders <= people:
            raise ValueError("MESH_PEOPLE is how many people send and how many are in at most, such as 6,12")
        return senders, people

    @model_validator(mode="after")
    def _refuse_unknown_defaults(self) -> Self:
        if self.default_country not in countries():
            raise ValueError("DEFAULT_COUNTRY is the code of a country, such as DE or US")
        if self.default_currency not in currencies():
            raise ValueError("DEFAULT_CURRENCY is the code of a currency, such as EUR or USD")
        if self.default_timezone and self.default_timezone not in time_zones():
            raise ValueError("DEFAULT_TIMEZONE is the name of a time zone, such as Europe/Berlin")
        return self

    @field_validator("base_url")
    @classmethod
    def _strip_slash(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("BASE_URL starts with http:// or https://")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _refuse_weak_keys(self) -> Self:
        if not self.secret_keys:
            raise ValueError(NO_KEY)
        if any(len(key.get_secret_value()) < KEY_LENGTH for key in self.secret_keys):
            raise ValueError(f"each of SECRET_KEYS has at least {KEY_LENGTH} characters")
        return self

    def folder(self) -> Path:
        """The data folder, made if it is missing, for nobody but the portal's own user."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.data

    @property
    def files(self) -> Path:
        """The folder for uploaded files, with the default filled in."""
        return self.storage or self.data / "files"

    @property
    def keys(self) -> tuple[str, ...]:
        """The secret keys as plain text, newest first."""
        return tuple(key.get_secret_value() for key in self.secret_keys)

    @property
    def database(self) -> str:
        """The database's address, with the embedded default filled in."""
        return self.database_url or f"sqlite:///{self.data.resolve() / 'foyer.db'}"

    @property
    def https(self) -> bool:
        """Whether people reach the portal over https. If so, its cookies are Secure."""
        return self.base_url.startswith("https://")

    @property
    def loopback(self) -> bool:
        """Whether the base URL is reached from this machine only, where browsers need no https."""
        return is_loopback(urlsplit(self.base_url).hostname or "")


class DemoSettings(BaseSettings):
    """The settings of `portal demo`: its port and its data folder. It ignores the rest of the environment."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore")

    data: Path = Path("instance")
    port: int = Field(default=8000, ge=1, le=65535)

    def environment(self) -> dict[str, str]:
        """The environment for the demo's processes. It overrides variables that were set for another portal."""
        return {
            **os.environ,
            "DATA": str(self.data),
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "TRUSTED_PROXIES": "",
            "SECRET_KEYS": self._key(),
            "BASE_URL": f"http://127.0.0.1:{self.port}",
        }

    def _key(self) -> str:
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = key_file(self.data)
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(48))
        return file.read_text().strip()


def key_file(data: Path) -> Path:
    """The path of the key file in a data folder."""
    return data / "secret.key"


def settings_in(environment: dict[str, str]) -> Settings:
    """Read the settings from this environment, which is laid over that of this process for good."""
    os.environ.update(environment)
    return Settings()
