"""`portal …`: the portal's commands, thin over operations.

The app is imported by the commands that need it, not by this module: `serve` must leave everything to
its worker processes, in which gevent patches the standard library before anything else is imported.
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portal import loopback
from portal.commands import clients, customers, media, running, users
from portal.settings import DemoSettings, Settings, settings_in

if TYPE_CHECKING:
    from flask import Flask


@click.group()
def cli() -> None:
    """Foyer: a portal over video rooms."""


for group in (users.user, customers.customer, clients.client, media.media):
    cli.add_command(group)


def main() -> None:
    """The console script. Whatever it writes is for the portal's own user only."""
    os.umask(0o077)
    cli()


@cli.command()
def migrate() -> None:
    """Bring the database up to date."""
    from portal import doctor as checks

    app = running.app()
    _migrate(app)
    with app.app_context():
        message = checks.ended_credentials()
    if message:
        click.echo(message)


@cli.command()
@click.option("--bind", default="127.0.0.1:8000", show_default=True, help="Address and port, or unix:PATH.")
@click.option("--workers", default=1, show_default=True, help="Web processes; more than one needs REDIS_URL.")
@click.option("--certfile", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--keyfile", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def serve(bind: str, workers: int, certfile: Path | None, keyfile: Path | None) -> None:
    """Serve the portal."""
    from portal import server

    settings = running.settings()
    settings.folder()
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

    settings = running.settings()
    if not settings.redis_url:
        raise click.ClickException("Without REDIS_URL the web process works on the jobs itself.")
    consumer.run(running.app(), settings)


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
@running.reports_refusals
def demo(port: int | None, data: Path | None) -> None:
    """A portal to try out, on this machine only: migrated, furnished, served. Other settings do not reach it."""
    from portal import demo as world
    from portal.app import configure_logs, create_app
    from portal.demo_video import furnish_with_video

    given = {name: value for name, value in (("port", port), ("data", data)) if value is not None}
    with running.reports_settings():
        demo_settings = DemoSettings(**given)  # type: ignore[arg-type]
    if not loopback.is_free(demo_settings.port):
        raise click.ClickException(
            f"Something on this machine listens on port {demo_settings.port} already. "
            "Choose another port: `make demo PORT=8001`."
        )
    environment = demo_settings.environment()
    configure_logs()
    app = create_app(settings_in(environment))
    _migrate(app)
    with app.app_context():
        world.furnish()
        furnish_with_video()
        lines = world.lines()
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


if __name__ == "__main__":
    main()
