"""`portal user …`: people who sign in."""

import click

from portal.commands import running


@click.group()
def user() -> None:
    """People who sign in."""


@user.command("create")
@click.argument("email")
@click.option("--name", required=True)
@click.option("--admin", is_flag=True, help="Give the built-in platform role admin.")
@click.option("--password", help="Without it, a link is printed by which the person sets one.")
@running.reports_refusals
def create_user(email: str, name: str, admin: bool, password: str | None) -> None:
    """Make a user."""
    from portal.db import transaction
    from portal.people import operations as people
    from portal.people import passwords
    from portal.people.password_links import issue_password_link

    portal = running.app()
    hashed = passwords.checked_hash(password) if password is not None else None
    with portal.app_context(), transaction():
        made = people.create_user(email=email, name=name, password_hash=hashed)
        if admin:
            people.make_admin(made)
        if hashed is not None:
            click.echo(f"{made.email} can sign in.")
        else:
            click.echo(running.told(issue_password_link(made), email=made.email))


@user.command("password-link")
@click.argument("email")
@running.reports_refusals
def print_password_link(email: str) -> None:
    """Print a new link for somebody who has no password yet; an older one ends."""
    from portal.db import transaction
    from portal.people import operations as people
    from portal.people.password_links import issue_password_link

    with running.app().app_context(), transaction():
        found = people.find_by_email(email)
        if found is None:
            raise click.ClickException(f"There is no user {email}.")
        click.echo(running.told(issue_password_link(found), email=found.email))


@user.command("set-password")
@click.argument("email")
@click.password_option()
@running.reports_refusals
def set_password(email: str, password: str) -> None:
    """Replace a password. The user is signed out everywhere, and API credentials and authorised applications end."""
    from portal.credentials.clients import ending_with_password
    from portal.credentials.operations import authorised
    from portal.db import transaction
    from portal.people import operations as people
    from portal.people import passwords

    portal = running.app()
    hashed = passwords.checked_hash(password)
    with portal.app_context(), transaction():
        found = people.find_by_email(email)
        if found is None:
            raise click.ClickException(f"There is no user {email}.")
        ended = [client.name for client in ending_with_password(found)]
        ended += [application.client.name for application in authorised(found)]
        people.set_password(found, hashed)
        click.echo(f"{found.email} has a new password, and is signed out everywhere.")
        for name in ended:
            click.echo(f"  ended: {name}")


@user.command("set-email")
@click.argument("email")
@click.argument("new")
@running.reports_refusals
def set_email(email: str, new: str) -> None:
    """Replace the address with which somebody signs in."""
    from portal.db import transaction
    from portal.people import operations as people

    with running.app().app_context(), transaction():
        found = people.find_by_stored_email(email) or people.find_by_email(email)
        if found is None:
            raise click.ClickException(f"There is no user {email}.")
        people.change_email(found, email=new)
        click.echo(f"{found.name} signs in as {found.email} now.")
