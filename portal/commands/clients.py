"""`portal client …`: programs that use the API."""

import json

import click

from portal.commands import running


@click.group()
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
@running.reports_refusals
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

    with running.app().app_context(), transaction():
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
