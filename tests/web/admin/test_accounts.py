"""The pages of accounts: making one, and what changing, moving and deleting it says before it does that."""

import re

import pytest
import sqlalchemy as sa

from portal.accounts.models import Account, AccountStatus
from portal.audit.models import AuditEvent
from portal.customers.models import CustomerStatus
from portal.db import session, transaction
from portal.people.staff import StaffPermission
from portal.permissions.memberships import add_membership
from portal.status.customer_lifecycle import change_customer_status
from portal.subscriptions.models import Subscription
from portal.subscriptions.selling import create_subscription
from tests.cast import Cast
from tests.conftest import BOTH
from tests.web.admin.staffing import with_role


@pytest.fixture
def acme(cast: Cast) -> str:
    """The path of Acme's page."""
    with cast.app.app_context():
        return f"/admin/customers/{cast.room().customer.id}"


@pytest.fixture
def main(cast: Cast) -> str:
    """The path of the page of Acme's account."""
    with cast.app.app_context():
        return f"/admin/accounts/{cast.room().account.id}"


def subscription_id(cast: Cast) -> str:
    with cast.app.app_context():
        return cast.room().subscription.id


def accounts_named(name: str) -> list[Account]:
    return list(session.scalars(sa.select(Account).where(Account.account_name == name)))


def another_subscription(cast: Cast, **limits: int) -> str:
    """The id of a second subscription of Acme, with these limits."""
    with cast.app.app_context(), transaction():
        made = create_subscription(customer=cast.room().customer, package=cast.room().subscription.package, name="Pro")
        for feature in made.features:
            if feature.code in limits:
                feature.number = limits[feature.code]
        return made.id


@BOTH
def test_an_account_is_made_for_a_customer_by_staff_on_its_behalf(cast: Cast, acme: str) -> None:
    ada = cast.sign_in("admin")
    assert f'href="{acme}/accounts/new"' in ada.get(acme).text
    with cast.app.app_context(), transaction():
        add_membership(place=cast.room().customer, email="bob@demo.example", permissions=[], by=None)
    fields = {"account_name": "Events", "subscription_id": subscription_id(cast), "email": "bob@demo.example"}
    made = ada.send(f"{acme}/accounts/new", **fields)
    assert made.status_code == 303
    page = ada.get(made.location).text
    assert "Events" in page
    assert "bob@demo.example" in page
    with cast.app.app_context():
        [account] = accounts_named("Events")
        assert account.owner.email == "bob@demo.example"
        line = session.scalars(sa.select(AuditEvent).where(AuditEvent.thing_uuid == account.uuid)).one()
        assert (line.action, line.on_behalf_of_uuid) == ("account.created", account.customer_uuid)
    assert "Events" in ada.get(acme).text


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"account_name": ""}, "Fill this in."),
        ({"account_name": "x" * 300}, "This is too long: at most 80 characters."),
        ({"email": "nobody@demo.example"}, "Nobody with this address belongs to Acme."),
        ({"subscription_id": "1111111111"}, "Choose one that is listed."),
    ],
)
def test_what_is_wrong_with_a_new_account_is_said_beside_the_field(
    cast: Cast, acme: str, wrong: dict[str, str], words: str
) -> None:
    fields = {"account_name": "Events", "subscription_id": subscription_id(cast), "email": ""} | wrong
    answer = cast.sign_in("admin").send(f"{acme}/accounts/new", **fields)
    assert answer.status_code == 422
    assert words in answer.text
    with cast.app.app_context():
        assert len(session.scalars(sa.select(Account)).all()) == 2


def test_staff_do_not_make_themselves_the_owner_of_a_new_account(cast: Cast, acme: str) -> None:
    with cast.app.app_context(), transaction():
        add_membership(place=cast.room().customer, email="admin@demo.example", permissions=[], by=None)
    fields = {"account_name": "Mine", "subscription_id": subscription_id(cast), "email": "admin@demo.example"}
    answer = cast.sign_in("admin").send(f"{acme}/accounts/new", **fields)
    assert answer.status_code == 403
    assert "chooses another owner for it" in answer.text


def test_where_nothing_can_be_made_the_page_says_what_to_do_first(cast: Cast, acme: str) -> None:
    ada = cast.sign_in("admin")
    with cast.app.app_context(), transaction():
        change_customer_status(cast.room().customer, CustomerStatus.SUSPENDED)
    page = ada.get(f"{acme}/accounts/new").text
    assert "The customer is suspended. Make it active first." in page
    assert "Create account" not in page
    fields = {"account_name": "Events", "subscription_id": subscription_id(cast), "email": ""}
    assert ada.send(f"{acme}/accounts/new", **fields).status_code == 409


def test_an_account_is_renamed(cast: Cast, main: str) -> None:
    ada = cast.sign_in("admin")
    assert ada.send(f"{main}/edit", account_name="Head office", account_metadata='{"crm": 7}').status_code == 303
    assert "Head office" in ada.get(main).text
    answer = ada.send(f"{main}/edit", account_name="Head office", account_metadata="{")
    assert answer.status_code == 422
    assert "This is no JSON" in answer.text
    with cast.app.app_context():
        assert cast.room().account.account_metadata == {"crm": 7}


def test_a_change_of_status_says_before_to_how_many_rooms_and_people(cast: Cast, main: str) -> None:
    cast.join()
    ada = cast.sign_in("admin")
    page = ada.get(f"{main}/status").text
    assert "Its 2 rooms can no longer be entered." in page
    assert "1 person who is inside now may stay" in page
    assert ada.send(f"{main}/status", status="inactive").status_code == 303
    with cast.app.app_context():
        assert cast.room().account.status is AccountStatus.INACTIVE
    assert "Its 2 rooms can be used again." in ada.get(f"{main}/status").text
    with cast.app.app_context(), transaction():
        change_customer_status(cast.room().customer, CustomerStatus.INACTIVE)
    assert "“Acme” is inactive: make the customer active first." in ada.get(f"{main}/status").text
    assert ada.send(f"{main}/status", status="active").status_code == 409


def test_an_account_moves_after_the_page_has_shown_what_that_changes(cast: Cast, main: str) -> None:
    ada = cast.sign_in("admin")
    assert "There is nowhere to move it" in ada.get(f"{main}/subscription").text
    to = another_subscription(cast, max_participants=7)
    assert f'value="{to}"' in ada.get(f"{main}/subscription").text
    page = ada.get(f"{main}/subscription?to={to}").text
    assert "Its 2 rooms count there from then on." in page
    assert re.search(r'Now">\s*25\b', page)
    assert re.search(r'Then">\s*7\b', page)
    assert ada.send(f"{main}/subscription", f"{main}/subscription?to={to}", subscription_id=to).status_code == 303
    with cast.app.app_context():
        assert cast.room().subscription.id == to == cast.room().account.subscription.id


def test_an_account_moves_only_where_its_rooms_fit(cast: Cast, main: str) -> None:
    to, ada = another_subscription(cast, max_rooms=1), cast.sign_in("admin")
    page = ada.get(f"{main}/subscription?to={to}").text
    assert "The 2 rooms of this account do not fit" in page
    assert "Move account" not in page
    assert ada.send(f"{main}/subscription", subscription_id=to).status_code == 409
    with cast.app.app_context():
        theirs = session.scalars(sa.select(Subscription.id).where(Subscription.customer.has(company_name="Globex")))
        other = theirs.one()
    answer = ada.send(f"{main}/subscription", subscription_id=other)
    assert answer.status_code == 422
    assert "Choose another subscription of the same customer and type." in answer.text


@BOTH
def test_an_account_is_deleted_only_when_it_is_inactive(cast: Cast, acme: str, main: str) -> None:
    ada = cast.sign_in("admin")
    reason = "“Main” is active. Set its status to inactive first."
    assert reason in ada.get(main).text
    assert f'href="{main}/deletion"' not in ada.get(main).text
    assert "Delete account" not in ada.get(f"{main}/deletion").text
    assert ada.send(f"{main}/deletion", main).location.endswith(main)
    assert ada.send(f"{main}/status", status="inactive").status_code == 303
    assert f'href="{main}/deletion"' in ada.get(main).text
    assert "2 rooms" in ada.get(f"{main}/deletion").text
    assert ada.send(f"{main}/deletion").location.endswith(acme)
    assert ada.get(main).status_code == 404


def test_staff_see_only_the_buttons_of_accounts_that_open(cast: Cast, acme: str, main: str) -> None:
    reads = (StaffPermission.DASHBOARD_ACCESS, StaffPermission.CUSTOMERS_READ, StaffPermission.ACCOUNTS_READ)
    bob = with_role(cast, "bob", *reads)
    assert f'href="{main}"' in bob.get(acme).text
    page = bob.get(main).text
    for path in ("edit", "status", "deletion", "subscription"):
        assert f'href="{main}/{path}"' not in page
        assert bob.get(f"{main}/{path}").status_code == 403
    assert f'href="{acme}/accounts/new"' not in bob.get(acme).text
    charlie = with_role(cast, "charlie", *reads[:2], role="sellers")
    assert f'href="{main}"' not in charlie.get(acme).text
    assert charlie.get(main).status_code == 403
