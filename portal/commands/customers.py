"""`portal customer …`: who pays, and may make rooms."""

import json

import click

from portal.commands import running


@click.group()
def customer() -> None:
    """Customers: who pays, and may make rooms."""


@customer.command("create")
@click.option("--name", required=True, help="The name of the company.")
@click.option("--owner-email", required=True, help="Who may do everything there. Made a user, unless there is one.")
@click.option("--owner-name", required=True, help="The owner's own name, if there is no such user yet.")
@click.option("--package", "named", default="small", show_default=True, help="A package, by its name or id.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@running.reports_refusals
def create_customer(*, name: str, owner_email: str, owner_name: str, named: str, as_json: bool) -> None:
    """Make a customer with its owner, a subscription of the package and its account, in which rooms can be made."""
    from portal.accounts.operations import sell_package
    from portal.customers.operations import create_customer_with_owner
    from portal.db import transaction
    from portal.people.password_links import issue_password_link
    from portal.public_url import public_url
    from portal.subscriptions.packages import find_package
    from portal.subscriptions.presets import PRESETS, package_of

    with running.app().app_context(), transaction():
        package = find_package(named) or (package_of(PRESETS[named]) if named in PRESETS else None)
        if package is None:
            raise click.ClickException(f"There is no active package {named}. Without one: {', '.join(PRESETS)}.")
        made = create_customer_with_owner(company_name=name, owner_email=owner_email, owner_name=owner_name)
        account = sell_package(customer=made, package=package)
        link = issue_password_link(made.owner) if made.owner.password_hash is None else None
        printed = {
            "customer_id": made.id,
            "name": made.display_name,
            "owner_id": made.owner.id,
            "owner_email": made.owner.email,
            "owner_name": made.owner.name,
            "package": package.name,
            "subscription_id": account.subscription.id,
            "account_id": account.id,
            "password_link": public_url(link.path) if link else None,
            "password_link_expires_at": link.expires_at.isoformat() if link else None,
        }
        sentence = running.told(link, email=made.owner.email) if link else f"{made.owner.email} has a password already."
    if as_json:
        click.echo(json.dumps(printed))
    else:
        click.echo(
            f"{printed['name']} can make rooms, with the package {package.name}. Its owner is {printed['owner_name']}."
        )
        click.echo(sentence)


@customer.command("add-member")
@click.argument("customer", metavar="CUSTOMER")
@click.argument("email")
@click.option("--name", required=True, help="The person's own name, if there is no such user yet.")
@running.reports_refusals
def add_member(*, customer: str, email: str, name: str) -> None:
    """Let a person belong to CUSTOMER, which is its id or its owner's e-mail, without any rights of his own.

    Whoever manages the people of a room there can make him a member of it from then on.
    """
    from portal.customers.operations import find_customer
    from portal.db import transaction
    from portal.people import operations as people
    from portal.people.password_links import issue_password_link
    from portal.permissions.memberships import add_membership

    with running.app().app_context(), transaction():
        found = find_customer(customer)
        person = people.find_by_email(email) or people.create_user(email=email, name=name)
        add_membership(place=found, email=person.email, permissions=[], by=None)
        click.echo(f"{person.name} belongs to {found.display_name}, and can be made a member of its rooms.")
        if person.password_hash is None:
            click.echo(running.told(issue_password_link(person), email=person.email))
        else:
            click.echo(f"{person.email} has a password already.")
