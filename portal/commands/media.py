"""`portal media …`: the files of videos, presentations and pictures."""

import click

from portal.commands import running


@click.group()
def media() -> None:
    """The files of videos, presentations and pictures."""


@media.command("verify")
@running.reports_refusals
def verify() -> None:
    """List files without rows, and rows without files. Changes nothing; exits with 1 if there are any."""
    from portal.db import reading, transaction
    from portal.videos.verification import files_without_rows, rows_without_files

    with running.app().app_context(), reading(), transaction():
        missing, left = list(rows_without_files()), list(files_without_rows())
    for key in missing:
        click.echo(f"missing  {key}")
    for key in left:
        click.echo(f"left     {key}")
    click.echo(f"{len(missing)} missing, {len(left)} left over")
    if missing or left:
        raise SystemExit(1)
