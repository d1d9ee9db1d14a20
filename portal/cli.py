"""`portal …`: the portal's commands, thin over operations.

The app is imported by the commands that need it, not by this module: `serve` must leave everything to
its worker processes, in which gevent patches the standard library before anything else is imported.
"""

import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import wraps
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

from portal.errors import Invalid, Refused
from portal.settings import DemoSettings, Settings, settings_in

if TYPE_CHECKING:
    from flask import Flask


@click.group()
def cli() -> None:
    """Foyer: a portal over video rooms."""


def main() -> None:
    """The console script. Whatever it writes is for the portal's own user only."""
    os.umask(0o077)
    cli()


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        reasons = "; ".join(problem["msg"].removeprefix("Value error, ") for problem in error.errors())
        raise click.ClickException(f"The settings are not right: {reasons}") from None


def _app() -> "Flask":
    from portal.app import configure_logs, create_app

    settings = _settings()
    settings.folder()
    configure_logs()
    return create_app(settings)


_OPTIONS = {"redirect_uris": "--redirect-uri", "scopes": "--scopes"}
"""Field of an operation → option of the command line, where the two have different names."""


def _field_error(name: str, message: str) -> str:
    return f"{_OPTIONS[name]}: {message}" if name in _OPTIONS else message


def _reports_refusals(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command to report a `Refused` as one line on standard error, without a traceback."""

    @wraps(command)
    def reporting(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except Invalid as invalid:
            errors = [_field_error(name, message) for name, message in invalid.fields.items()]
            raise click.ClickException("; ".join(errors) or invalid.message) from None
        except Refused as refused:
            raise click.ClickException(refused.message) from None

    return reporting


@cli.command()
def migrate() -> None:
    """Bring the database up to date."""
    _migrate(_app())


@cli.command()
@click.option("--bind", default="127.0.0.1:8000", show_default=True, help="Address and port, or unix:PATH.")
@click.option("--workers", default=1, show_default=True, help="Web processes; more than one needs REDIS_URL.")
@click.option("--certfile", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--keyfile", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def serve(bind: str, workers: int, certfile: Path | None, keyfile: Path | None) -> None:
    """Serve the portal."""
    from portal import server

    settings = _settings()
    if server.public(settings, bind) and _in_own_process(_demo_password_opens, settings):
        raise click.ClickException(
            "Accounts of the demo are in this database, and everybody knows their password. "
            "Give them others with `portal user set-password`, or listen on 127.0.0.1 only."
        )
    try:
        server.serve(settings, bind=bind, workers=workers, certfile=certfile, keyfile=keyfile)
    except ValueError as error:
        raise click.ClickException(str(error)) from None


@cli.command()
def jobs() -> None:
    """Work on jobs, in a process of its own. Needed only beside REDIS_URL."""
    from portal.jobs import consumer

    settings = _settings()
    if not settings.redis_url:
        raise click.ClickException("Without REDIS_URL the web process works on the jobs itself.")
    consumer.run(_app(), settings)


@cli.command()
def doctor() -> None:
    """Say what is right and what is not, and what to do about it."""
    from portal import doctor as checks

    findings = checks.examine()
    for finding in findings:
        click.echo(f"{'ok  ' if finding.good else 'BAD '} {finding.message}")
    sys.exit(0 if all(finding.good for finding in findings) else 1)


@cli.command()
@click.option("--port", type=int, help="Port on 127.0.0.1; else PORT, else 8000.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder for its data; else DATA, else instance.")
@_reports_refusals
def demo(port: int | None, data: Path | None) -> None:
    """A portal to try out, on this machine only: migrated, furnished, served. Other settings do not reach it."""
    from portal import demo as world
    from portal.app import configure_logs, create_app

    given = {name: value for name, value in (("port", port), ("data", data)) if value is not None}
    demo_settings = DemoSettings(**given)  # type: ignore[arg-type]
    environment = demo_settings.environment()
    configure_logs()
    app = create_app(settings_in(environment))
    _migrate(app)
    with app.app_context():
        lines = world.furnish()
    click.echo("\n".join(lines))
    sys.stdout.flush()
    serving = [sys.executable, "-m", "portal.cli", "serve", "--bind", f"127.0.0.1:{demo_settings.port}"]
    os.execve(sys.executable, serving, environment)  # noqa: S606  (this process becomes the server)


def _migrate(app: "Flask") -> None:
    from portal import revisions

    with app.app_context():
        revisions.upgrade()


def _in_own_process(question: Callable[[Settings], bool], settings: Settings) -> bool:
    """Call `question` in a new process: this one may not import the portal before gevent has patched the library."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(question, settings).result()


def _demo_password_opens(settings: Settings) -> bool:
    from sqlalchemy.exc import SQLAlchemyError

    from portal.app import create_app
    from portal.people.operations import any_public_password

    with create_app(settings).app_context():
        try:
            return any_public_password()
        except SQLAlchemyError:
            return False  # away or without tables: nobody signs in either


@cli.group()
def user() -> None:
    """People who sign in."""


@user.command("create")
@click.argument("email")
@click.option("--name", required=True)
@click.option("--admin", is_flag=True, help="Give the built-in platform role admin.")
@click.password_option()
@_reports_refusals
def create_user(email: str, name: str, admin: bool, password: str) -> None:
    """Make a user."""
    from portal.db import transaction
    from portal.people import operations as people
    from portal.people import passwords

    app = _app()
    hashed = passwords.checked_hash(password)
    with app.app_context(), transaction():
        made = people.create_user(email=email, name=name, password_hash=hashed)
        if admin:
            people.make_admin(made)
        click.echo(f"{made.email} can sign in.")


@user.command("set-password")
@click.argument("email")
@click.password_option()
@_reports_refusals
def set_password(email: str, password: str) -> None:
    """Replace a password; the user is signed out everywhere."""
    from portal.db import transaction
    from portal.people import operations as people
    from portal.people import passwords

    app = _app()
    hashed = passwords.checked_hash(password)
    with app.app_context(), transaction():
        found = people.find_by_email(email)
        if found is None:
            raise click.ClickException(f"There is no user {email}.")
        people.set_password(found, hashed)
        click.echo(f"{found.email} has a new password.")


@user.command("set-email")
@click.argument("email")
@click.argument("new")
@_reports_refusals
def set_email(email: str, new: str) -> None:
    """Replace the address with which somebody signs in."""
    from portal.db import transaction
    from portal.people import operations as people

    with _app().app_context(), transaction():
        found = people.find_by_stored_email(email) or people.find_by_email(email)
        if found is None:
            raise click.ClickException(f"There is no user {email}.")
        people.change_email(found, email=new)
        click.echo(f"{found.name} signs in as {found.email} now.")


@cli.group()
def client() -> None:
    """Programs that use the API."""


@client.command("create")
@click.option("--name", required=True, help="What people call the program.")
@click.option("--user", "email", required=True, help="E-mail of the user with whose rights it acts.")
@click.option(
    "--scopes", default="", help="What it may do, separated by commas; all that the user can give unless named."
)
@click.option("--kind", type=click.Choice(["credential", "first_party", "third_party"]), default="credential")
@click.option(
    "--redirect-uri", "redirect_uris", multiple=True, help="Where a third-party application may lead back to."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_reports_refusals
def create_client(
    *, name: str, email: str, scopes: str, kind: str, redirect_uris: tuple[str, ...], as_json: bool
) -> None:
    """Make a client. Its secret is printed once and not kept."""
    from portal.credentials import clients
    from portal.credentials.models import ClientKind
    from portal.db import transaction
    from portal.people import operations as people
    from portal.people.actor import actor_of
    from portal.scopes import Scope

    with _app().app_context(), transaction():
        found = people.find_by_email(email)
        if found is None:
            raise click.ClickException(f"There is no user {email}.")
        names = [name.strip() for name in scopes.split(",") if name.strip()]
        unknown = sorted(set(names) - set(Scope))
        if unknown:
            raise click.ClickException(f"There is no scope {unknown[0]}. There are: {', '.join(Scope)}.")
        client, secret = clients.create_client(
            user=found,
            by=actor_of(found),
            name=name,
            kind=ClientKind(kind),
            scopes=[Scope(name) for name in names] or clients.offered_scopes(found),
            redirect_uris=redirect_uris,
        )
        printed = {
            "client_id": client.client_id,
            "client_secret": secret,
            "name": client.name,
            "kind": client.kind.value,
            "user": found.email,
            "scopes": [scope.value for scope in client.scopes],
            "grant_types": client.grant_types,
            "redirect_uris": client.redirect_uris,
        }
    if as_json:
        click.echo(json.dumps(printed))
    else:
        click.echo(f"{printed['name']} may: {' '.join(client.scopes)}")
        click.echo(f"client_id      {printed['client_id']}")
        click.echo(f"client_secret  {printed['client_secret']}    (shown once: it is not kept)")


if __name__ == "__main__":
    main()
