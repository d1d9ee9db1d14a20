"""`portal customer …`: who pays, and who belongs to whom, from the command line."""

import json
import shlex
from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.accounts.models import Account
from portal.app import create_app
from portal.customers.models import CustomerMember
from portal.db import db, session, transaction
from portal.people.actor import actor_of
from portal.permissions.operations import add_member
from portal.subscriptions.presets import PRESETS
from tests.cast import new_room
from tests.conftest import settings_for
from tests.test_commands import CUSTOMER, run


def test_a_customer_is_made_with_all_that_rooms_need_and_a_link_for_the_owner(tmp_path: Path) -> None:
    run(tmp_path, "migrate")
    made = run(tmp_path, *CUSTOMER, "--package", "large", "--json")
    printed = json.loads(made.stdout)
    assert printed["password_link"].startswith("http://127.0.0.1:8000/set-password?token=pw_")
    assert (printed["name"], printed["owner_email"], printed["package"]) == ("Acme", "eva@example.org", "Large")
    again = run(tmp_path, *CUSTOMER[:-1], "Eve")
    assert again.returncode == 1
    assert "“Acme” has this e-mail address and is a customer already." in again.stderr
    link = run(tmp_path, "user", "password-link", "EVA@example.org")
    assert "eva@example.org sets a password here, once" in link.stdout
    assert printed["password_link"] not in link.stdout
    run(tmp_path, "user", "set-password", "eva@example.org", "--password", "a-long-password")
    assert "has a password already" in run(tmp_path, "user", "password-link", "eva@example.org").stderr
    second = run(tmp_path, "user", "create", "bob@example.org", "--name", "Bob", "--password", "a-long-password")
    assert "can sign in" in second.stdout
    theirs = ("customer", "create", "--name", "Acme", "--owner-email", "bob@example.org", "--owner-name", "Robert")
    made = run(tmp_path, *theirs)
    assert made.returncode == 0
    assert "bob@example.org has a password already." in made.stdout
    assert "Its owner is Bob." in made.stdout
    assert "set-password" not in made.stdout


def test_an_owner_makes_a_member_of_whom_the_operator_added_as_readme_says(tmp_path: Path) -> None:
    """README's own commands, from an empty folder to a member of a room."""
    readme = (Path(__file__).parents[1] / "README.md").read_text().partition("## Run it for others")[2]
    commands = [shlex.split(line, comments=True)[1:] for line in readme.splitlines() if line.startswith("    portal ")]
    printed = {" ".join(command[:2]): run(tmp_path, *command) for command in commands if command[0] != "serve"}
    assert {name: done.stderr for name, done in printed.items() if done.returncode} == {}
    assert "Bob belongs to Acme" in printed["customer add-member"].stdout
    assert "/set-password?token=pw_" in printed["customer add-member"].stdout
    assert run(tmp_path, "doctor").returncode == 0
    again = run(tmp_path, "customer", "add-member", "eva@example.org", "bob@example.org", "--name", "Bob")
    assert "Bob is a member already" in again.stderr
    nobody = run(tmp_path, "customer", "add-member", "x@example.org", "bob@example.org", "--name", "Bob")
    assert "There is no customer x@example.org." in nobody.stderr
    app = create_app(settings_for(f"sqlite:///{tmp_path / 'foyer.db'}", tmp_path))
    with app.app_context(), transaction():
        account = session.scalars(sa.select(Account)).one()
        eva = actor_of(account.owner)
        room = new_room(account=account, room_name="First room", by=eva)
        member = add_member(room=room, email="bob@example.org", permissions=[], by=eva)
        assert member.user.name == "Bob"
        assert session.scalars(sa.select(CustomerMember)).one().permissions == []
    with app.app_context():
        session.remove()
        db.engine.dispose()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--owner-email", "eva", "--owner-name", "Eva"), "--owner-email: This is not an e-mail address"),
        (("--owner-email", "eva@example.org", "--owner-name", " "), "--owner-name: Fill this in"),
        (
            ("--owner-email", "eva@example.org", "--owner-name", "Eva", "--name", " "),
            "--name: A company needs its name",
        ),
    ],
)
def test_a_customer_that_cannot_be_made_is_refused_in_a_sentence(
    tmp_path: Path, more: tuple[str, ...], words: str
) -> None:
    run(tmp_path, "migrate")
    refused = run(tmp_path, "customer", "create", "--name", "Acme", *more)
    assert refused.returncode == 1
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_package_that_nobody_made_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    run(tmp_path, "migrate")
    refused = run(tmp_path, *CUSTOMER, "--package", "Huge")
    assert refused.returncode == 1
    assert "There is no active package Huge." in refused.stderr
    assert ", ".join(PRESETS) in refused.stderr
