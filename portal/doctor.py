"""The checks of `portal doctor`: each tells an operator whether one thing is right, and else what to do about it."""

import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from portal.accounts.queries import usable_accounts
from portal.app import create_app
from portal.channels import channels
from portal.clock import now
from portal.credentials.clients import ended_with_password
from portal.db import session
from portal.engines.tool import ENCODERS, OLDEST, NoTool, find_tool
from portal.errors import ChannelsAway
from portal.people.operations import ambiguous_emails, any_public_password, anybody
from portal.people.password_links import can_get_in
from portal.providers.mesh.turn import TurnServers
from portal.relay_check import ServerAnswer, ask
from portal.rooms.presentations import LARGEST_FILE
from portal.service_check import check_service
from portal.settings import NO_KEY, Settings
from portal.storage import StorageFull
from portal.storage.incoming import require_free
from portal.storage.local_folder import UPLOADS
from portal.subscriptions.provider_models import ServiceProvider
from portal.web import health


@dataclass(frozen=True)
class Finding:
    """The outcome of one check. `message` says it in one line."""

    good: bool
    message: str


def examine() -> list[Finding]:
    """Run all checks and return their findings, in the order in which an operator should mend them."""
    try:
        settings = Settings()
    except ValidationError as error:
        return [Finding(False, _settings_message(problem["msg"])) for problem in error.errors()]
    app = create_app(settings)
    with app.app_context():
        return [
            Finding(True, "secret key: set"),
            *_database(settings),
            _files(settings),
            _ffmpeg(),
            *_channels(settings),
            *_address(settings),
            *_relays(settings),
        ]


def _settings_message(problem: str) -> str:
    if NO_KEY in problem:
        return f"secret key: not set. Here is a new one: SECRET_KEYS={secrets.token_urlsafe(48)}"
    return f"settings: {problem}"


def _database(settings: Settings) -> list[Finding]:
    settings.folder()
    try:
        session.execute(text("SELECT 1"))
        kind = session.get_bind().dialect.name
    except SQLAlchemyError as error:
        return [Finding(False, f"database: cannot be reached ({type(error).__name__}). Check DATABASE_URL.")]
    answers = Finding(True, f"database: {kind} answers")
    missing = health.missing()
    if missing == "database":
        return [Finding(False, f"database: {kind} answers, but takes no writes. Is it a standby, or locked?")]
    if missing == "migrations":
        return [answers, Finding(False, "migrations: the database is not up to date. Run `portal migrate`.")]
    return [
        answers,
        Finding(True, "migrations: up to date"),
        *_demo(settings),
        *_people(),
        *_emails(),
        *_credentials(),
        *_rooms(),
        *_services(),
    ]


def _demo(settings: Settings) -> list[Finding]:
    if not any_public_password():
        return []
    message = "demo accounts: everybody knows their password. Set others with `portal user set-password`."
    return [Finding(settings.loopback, message)]


def _people() -> list[Finding]:
    if anybody():
        return []
    command = "portal user create EMAIL --name NAME --admin"
    return [Finding(False, f"people: nobody has an account. Make one for whoever runs this portal: `{command}`.")]


def _emails() -> list[Finding]:
    return [
        Finding(
            False,
            f"e-mail: nobody can sign in as {email}, because somebody else has this address, or it is none. "
            "Set another with `portal user set-email`.",
        )
        for email in ambiguous_emails()
    ]


def ended_credentials() -> str | None:
    """The line about API credentials that ended with a change of password, also one before an upgrade; or None."""
    ended = ended_with_password()
    if not ended:
        return None
    names = ", ".join(f"{client.name} ({client.user.email})" for client in ended)
    return (
        f"API credentials: {len(ended)} ended because the password was changed after they were made: {names}. "
        "Make new ones for programs that go on with `portal client create`, and revoke these in the profile."
    )


def _credentials() -> list[Finding]:
    message = ended_credentials()
    return [Finding(True, message)] if message else []


def _rooms() -> list[Finding]:
    accounts = usable_accounts(now())
    if not accounts:
        command = "portal customer create --name NAME --owner-email EMAIL --owner-name NAME"
        words = "Sell a package to a customer in the browser, or run"
        return [Finding(False, f"rooms: nobody can make one, because no customer has an account. {words} `{command}`.")]
    owners = {owner.email: owner for account in accounts for owner in (account.owner, account.customer.owner)}
    shut_out = [
        Finding(
            False,
            f"rooms: {email} owns an account and cannot sign in: there is no password, and no link to set one. "
            f"Run `portal user password-link {email}`.",
        )
        for email, owner in owners.items()
        if not can_get_in(owner)
    ]
    return [Finding(True, f"rooms: can be made, accounts: {len(accounts)}"), *shut_out]


def _services() -> list[Finding]:
    """Test the connection with each active service that is not built in, as staff do on its page."""
    providers = session.scalars(
        sa.select(ServiceProvider).where(ServiceProvider.active).order_by(ServiceProvider.provider_name)
    )
    return [
        Finding(answer.good, f"service {provider.provider_name}: {answer.words}")
        for provider in providers
        for answer in check_service(provider)
    ]


def _files(settings: Settings) -> Finding:
    """Whether the folder for uploads, or the one in which it is made when the first comes, has room and takes files.

    Nothing is written: what is made here would belong to whoever asks, and that may be root.
    """
    folder = settings.files.resolve()
    there = next(one for one in (folder / UPLOADS, folder, *folder.parents) if one.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Finding(False, f"files: none can be written to {there}. Check STORAGE, and whose folder it is.")
    try:
        require_free(there, LARGEST_FILE)
    except StorageFull:
        return Finding(False, f"files: {folder} has no room for uploads. Free some of its disk, or set STORAGE.")
    shared = " Portals on other machines need one that they share: see STORAGE." if settings.redis_url else ""
    free = f"{shutil.disk_usage(there).free / 1_000_000_000:.1f} GB free"
    return Finding(True, f"files: uploads are kept in {folder}, {free}.{shared}")


def _ffmpeg() -> Finding:
    """Which ffmpeg works on videos, where it is, and whether it was built with all that they need."""
    try:
        tool = find_tool()
    except NoTool:
        return Finding(False, f"ffmpeg: none is found, so no video is prepared. Install version {OLDEST} or newer.")
    found = f"ffmpeg: {tool.version} at {tool.path}"
    if not tool.missing:
        return Finding(True, f"{found}.")
    found += f" was built without {', '.join(tool.missing)}."
    if not set(tool.missing) & set(ENCODERS):
        return Finding(True, f"{found} Videos with a high dynamic range (HDR) fail, others work.")
    return Finding(False, f"{found} Install one that has them, or remove it: another comes with the portal.")


def _channels(settings: Settings) -> list[Finding]:
    if not settings.redis_url:
        return [Finding(True, "channels: in process, so one web process")]
    try:
        channels().last_message_id("doctor")
    except ChannelsAway as away:
        return [Finding(False, f"redis: cannot be reached ({type(away.__cause__).__name__}). Check REDIS_URL.")]
    return [Finding(True, "redis: answers, so any number of web processes")]


def _address(settings: Settings) -> list[Finding]:
    if settings.https or settings.loopback:
        return [Finding(True, f"base URL: {settings.base_url}")]
    return [
        Finding(
            False,
            f"https: browsers give no camera to {settings.base_url}. Serve https and set BASE_URL to it.",
        )
    ]


def _relays(settings: Settings) -> list[Finding]:
    """Ask the STUN and TURN servers, each as browsers are told of it."""
    servers = list(settings.ice_servers)
    if settings.turn_urls:
        turn = TurnServers(settings.turn_urls, settings.turn_secret.get_secret_value())
        servers.append(turn.for_participant("doctor", now()))
    urls = [(url, server) for server in servers for url in _urls(server)]
    answers = [
        ask(url, username=server.get("username", ""), credential=server.get("credential", "")) for url, server in urls
    ]
    if not settings.loopback and not any(url.startswith("turn") for url, _server in urls):
        words = "no TURN server is set, so people behind strict networks may see nobody. See TURN_URLS and TURN_SECRET"
        answers.append(ServerAnswer(True, words))
    return [Finding(answer.good, f"media: {answer.words}") for answer in answers]


def _urls(server: Mapping[str, Any]) -> list[str]:
    urls = server.get("urls", [])
    return [urls] if isinstance(urls, str) else list(urls)
