"""The pages of customers: taking one on, what a change of status does, and who may see and do what."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from portal.accounts.models import AccountStatus
from portal.app import create_app
from portal.customers.models import Customer, CustomerStatus
from portal.customers.operations import change_customer, create_customer
from portal.db import db, session, transaction
from portal.people.models import User
from portal.people.operations import create_user
from portal.people.staff import StaffPermission
from portal.permissions.memberships import add_membership
from portal.status.operations import present_participations
from portal.subscriptions.models import SubscriptionStatus
from portal.subscriptions.selling import create_subscription
from tests.cast import Cast, Client
from tests.conftest import BOTH, settings_for
from tests.web.admin.staffing import with_role

CUSTOMERS = "/admin/customers"
INITECH = {
    "customer_type": "business",
    "company_name": "Initech",
    "first_name": "Peter",
    "last_name": "Gibbons",
    "email": "peter@initech.example",
    "country": "DE",
    "currency": "EUR",
}


@pytest.fixture
def acme(cast: Cast) -> str:
    """The path of Acme's page."""
    with cast.app.app_context():
        return f"{CUSTOMERS}/{cast.room().customer.id}"


def customer(cast: Cast, company_name: str) -> Customer:
    return session.scalars(sa.select(Customer).where(Customer.company_name == company_name)).unique().one()


def test_a_new_customers_owner_gets_in_by_the_link_that_is_shown_once(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    made = ada.send(f"{CUSTOMERS}/new", **INITECH)
    assert made.status_code == 201
    link = re.search(r'value="[^"]*(/set-password\?token=[^"]+)"', made.text)
    assert link
    peter = cast.browser()
    assert peter.get(link[1], follow_redirects=True).status_code == 200
    with cast.app.app_context():
        found = customer(cast, "Initech")
        assert (found.owner.name, found.country, found.currency) == ("Peter Gibbons", "DE", "EUR")
        page = ada.get(f"{CUSTOMERS}/{found.id}").text
    assert "/set-password" not in page
    assert "Has a link to set a password" in page


def test_a_new_customer_begins_with_what_the_operator_set(database: str, tmp_path: Path) -> None:
    own = {"default_country": "DE", "default_currency": "EUR", "default_timezone": "Europe/Berlin"}
    app = create_app(settings_for(database, tmp_path, **own))
    app.test_client_class = Client
    cast = Cast(app)
    ada = cast.sign_in("admin")
    page = ada.get(f"{CUSTOMERS}/new").text
    for value in own.values():
        assert re.search(rf'<option[^>]*selected[^>]*value="{value}"', page), value
    assert re.search(r'<option[^>]*selected[^>]*value="EUR"', ada.get("/admin/packages/new").text)
    names = "customer_type", "company_name", "email"
    assert ada.send(f"{CUSTOMERS}/new", **{name: INITECH[name] for name in names}).status_code == 201
    other = {**INITECH, "company_name": "Umbrella", "email": "u@umbrella.example", "timezone": "Asia/Tokyo"}
    assert ada.send(f"{CUSTOMERS}/new", **other).status_code == 201
    with app.app_context(), transaction():
        plain = create_customer(company_name="Hooli", email="gavin@hooli.example")
        assert (plain.country, plain.currency, plain.timezone) == ("DE", "EUR", "Europe/Berlin")
        assert customer(cast, "Initech").timezone == "Europe/Berlin"
        assert customer(cast, "Umbrella").timezone == "Asia/Tokyo"
        db.engine.dispose()


@pytest.mark.parametrize("name", ["default_country", "default_currency", "default_timezone"])
def test_what_no_country_currency_or_time_zone_is_called_keeps_the_portal_from_starting(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(ValidationError, match=name.upper()):
        settings_for("sqlite://", tmp_path, **{name: "nowhere"})


def test_somebody_who_signs_in_already_becomes_the_owner_without_a_link(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    answer = ada.send(f"{CUSTOMERS}/new", **INITECH | {"email": "bob@demo.example"})
    assert answer.status_code == 303
    assert "Can sign in" in ada.get(answer.location).text


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"company_name": ""}, "A company needs its name."),
        ({"email": "x"}, "This is not an e-mail address."),
        ({"email": "alice@demo.example"}, "“Acme” has this e-mail address and is a customer already."),
        ({"first_name": "x" * 81}, "This is too long: at most 80 characters."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(cast: Cast, wrong: dict[str, str], words: str) -> None:
    answer = cast.sign_in("admin").send(f"{CUSTOMERS}/new", **INITECH | wrong)
    assert answer.status_code == 422
    assert words in answer.text
    with cast.app.app_context():
        assert session.scalar(sa.select(sa.func.count()).select_from(Customer)) == 2
        assert session.scalars(sa.select(User).where(User.email == "peter@initech.example")).all() == []


def test_a_customer_is_changed(cast: Cast, acme: str) -> None:
    ada = cast.sign_in("admin")
    fields = INITECH | {"email": "office@acme.example", "timezone": "Europe/Berlin", "external_id": "4711"}
    fields |= {"allowed_domains_registration": "acme.example\ndemo.example", "customer_metadata": '{"a": 1}'}
    assert ada.send(f"{acme}/edit", **fields).status_code == 303
    with cast.app.app_context():
        found = customer(cast, "Initech")
        assert (found.email, found.timezone, found.customer_metadata) == (
            "office@acme.example",
            "Europe/Berlin",
            {"a": 1},
        )
        assert found.allowed_domains_registration == ["acme.example", "demo.example"]
        assert found.owner.email == "alice@demo.example"
    answer = ada.send(f"{acme}/edit", **fields | {"customer_metadata": "{", "timezone": ""})
    assert answer.status_code == 422
    assert "This is no JSON" in answer.text


def test_a_change_of_status_says_before_what_it_does(cast: Cast, acme: str) -> None:
    cast.join()
    ada = cast.sign_in("admin")
    page = ada.get(f"{acme}/status").text
    said = (
        "2 rooms stop working",
        "1 person inside has to leave at once",
        "1 subscription becomes",
        "1 account becomes",
    )
    assert [words for words in said if words not in page] == []
    assert ada.send(f"{acme}/status", status="inactive").status_code == 303
    with cast.app.app_context():
        assert customer(cast, "Acme").status is CustomerStatus.INACTIVE
        assert present_participations(cast.room()) == []
    assert ada.send(f"{acme}/status", status="gone").status_code == 422


def test_before_and_after_terminating_it_is_said_that_nothing_below_comes_back(cast: Cast, acme: str) -> None:
    ada, after = cast.sign_in("admin"), "Its accounts and subscriptions stay as they are now."
    page = ada.get(f"{acme}/status").text
    assert page.count("Another status later does not bring its accounts and subscriptions back.") == 1
    assert after not in page
    ada.send(f"{acme}/status", status="terminated")
    page = ada.get(f"{acme}/status").text
    assert page.count(after) == 3, "of each other status"
    assert "Everything works." not in page
    ada.send(f"{acme}/status", status="active")
    with cast.app.app_context():
        assert cast.room().account.status is AccountStatus.INACTIVE


def test_only_a_terminated_customer_is_deleted(cast: Cast, acme: str) -> None:
    ada = cast.sign_in("admin")
    reason = "“Acme” is not terminated. Set its status to terminated first."
    assert reason in ada.get(f"{acme}/deletion").text
    assert reason in ada.get(acme).text
    assert f'href="{acme}/deletion"' not in ada.get(acme).text
    assert ada.send(f"{acme}/deletion").location.endswith(acme)
    ada.send(f"{acme}/status", status="terminated")
    assert f'href="{acme}/deletion"' in ada.get(acme).text
    assert "2 rooms" in ada.get(f"{acme}/deletion").text
    assert ada.send(f"{acme}/deletion").location.endswith(CUSTOMERS)
    assert ada.get(acme).status_code == 404
    assert "Globex" in ada.get(CUSTOMERS).text


def test_the_list_is_searched_filtered_and_downloaded(cast: Cast, acme: str) -> None:
    ada = cast.sign_in("admin")
    with cast.app.app_context(), transaction():
        customer(cast, "Globex").company_name = "=1+1"
    assert "Acme" in ada.get(f"{CUSTOMERS}?search=acm").text
    assert "Acme" not in ada.get(f"{CUSTOMERS}?search=globex").text
    assert "Acme" not in ada.get(f"{CUSTOMERS}?status=terminated").text
    file = ada.get(f"{CUSTOMERS}/customers.csv").text
    assert "Acme,alice@demo.example,Active,US,1," in file
    assert "'=1+1" in file


def test_staff_see_only_the_buttons_that_open(cast: Cast, acme: str) -> None:
    bob = with_role(cast, "bob", StaffPermission.DASHBOARD_ACCESS, StaffPermission.CUSTOMERS_READ)
    assert f'href="{acme}/edit"' not in bob.get(acme).text
    assert "New customer" not in bob.get(CUSTOMERS).text
    for path in ("edit", "status", "deletion"):
        assert bob.get(f"{acme}/{path}").status_code == 403
    assert f'href="{acme}/edit"' in cast.sign_in("admin").get(acme).text


def test_a_link_opens_nothing_that_whoever_makes_it_could_not_reach(cast: Cast) -> None:
    """Somebody who may only take customers on names an e-mail address: not that of staff, or of another customer."""
    with cast.app.app_context(), transaction():
        boss = create_user(email="boss@portal.example", name="Boss")
        boss.platform_roles = cast.user("admin").platform_roles
        other = create_user(email="hank@globex.example", name="Hank")
        customer(cast, "Globex").owner = other
    rights = (StaffPermission.DASHBOARD_ACCESS, StaffPermission.CUSTOMERS_READ, StaffPermission.CUSTOMERS_CREATE)
    bob = with_role(cast, "bob", *rights, StaffPermission.CUSTOMERS_UPDATE)
    for email in ("boss@portal.example", "hank@globex.example"):
        answer = bob.send(f"{CUSTOMERS}/new", **INITECH | {"email": email})
        assert answer.status_code == 303, answer.text
        page = answer.location
        assert "New password link" not in bob.get(page).text
        assert bob.send(f"{page}/owner/password-link", page=page).status_code == 403
    assert bob.send(f"{CUSTOMERS}/new", **INITECH).status_code == 201


@BOTH
def test_the_page_tells_what_is_used_of_each_subscription(cast: Cast, acme: str) -> None:
    cast.join()
    with cast.app.app_context(), transaction():
        ended = create_subscription(customer=cast.room().customer, package=cast.room().subscription.package, name="Old")
        ended.status = SubscriptionStatus.INACTIVE
        next(one for one in cast.room().subscription.features if one.code == "max_rooms").number = 2
    page = cast.sign_in("admin").get(acme).text
    usage = page[page.index('id="h-usage"') : page.index('id="h-owner"')]
    assert "2 of 2" in usage
    assert "Limit reached" in usage
    assert "1 of 25" in usage
    assert "1 person inside now" in usage
    assert "Old" not in usage
    assert f"/admin/rooms?customer={acme.rpartition('/')[2]}" in usage


@BOTH
def test_the_page_tells_what_was_done_last_for_whoever_reads_the_audit(cast: Cast, acme: str) -> None:
    ada = cast.sign_in("admin")
    with cast.app.app_context(), transaction():
        customer = cast.room().customer
        add_membership(place=customer, email="bob@demo.example", permissions=[], by=None)
        create_customer(company_name="Initech", owner=cast.user("bob"))
        for at in range(7):
            change_customer(customer, external_id=f"id {at}", by=None)
    cast.join()
    page = ada.get(acme).text
    history = page[page.index('id="h-history"') :]
    assert history.count("Customer changed") == 7
    assert re.search(r"<b>Person added</b>: <bdi>Bob", history)
    assert [words for words in ("Joined", "Initech", "Customer created") if words in history] == []
    assert f"/admin/audit?customer={acme.rpartition('/')[2]}" in history
    bob = with_role(cast, "bob", StaffPermission.DASHBOARD_ACCESS, StaffPermission.CUSTOMERS_READ)
    assert 'id="h-history"' not in bob.get(acme).text
