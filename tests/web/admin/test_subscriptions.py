"""The pages of subscriptions: selling a package, and everything that staff do with what was sold."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.accounts.models import Account
from portal.audit.models import AuditEvent
from portal.clock import now
from portal.customers.models import Customer
from portal.db import db, session, transaction
from portal.people.staff import StaffPermission
from portal.status.models import Participation
from portal.subscriptions.models import Subscription, SubscriptionStatus
from portal.subscriptions.package_models import PackageStatus, ServicePackage
from portal.subscriptions.packages import create_package
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.terms import Length, PeriodUnit
from tests.cast import Cast, Client
from tests.conftest import BOTH
from tests.statements import statements
from tests.web.admin.staffing import with_role

LIST = "/admin/subscriptions"
ACTS = ("renewal", "cancellation", "uncancellation", "suspension", "resumption", "termination", "service", "edit",
        "features", "features/sync", "deletion")  # fmt: skip


@pytest.fixture
def package(app: Flask, cast: Cast) -> str:
    """The id of a monthly package with a trial and grace."""
    with app.app_context(), transaction():
        provider = session.scalars(sa.select(ServiceProvider).where(ServiceProvider.provider_type == "mesh")).first()
        made = create_package(
            name="Monthly", service_type=ServiceType.MEET, currency="EUR", provider=provider,
            period=Length(1, PeriodUnit.MONTH), grace=Length(1, PeriodUnit.WEEK),
            features={"max_rooms": 2, "max_participants": 10},
        )  # fmt: skip
        return made.id


def sell(ada: Client, package: str, **more: str) -> str:
    """Sell it to Acme, though that pays in dollars; the path of what was sold."""
    sent = {"customer": "alice@demo.example", "package": package, "account": "y", "other_currency": "y"} | more
    answer = ada.send(f"{LIST}/new", **sent)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def only(path: str) -> Subscription:
    return session.scalars(sa.select(Subscription).where(Subscription.id == path.rsplit("/", 1)[1])).unique().one()


def test_nothing_is_sold_in_another_currency_than_the_customers_without_saying_so(cast: Cast, package: str) -> None:
    ada = cast.sign_in("admin")
    with cast.app.app_context():
        room = cast.room()
        acme, own = room.customer.id, room.subscription.package.id
        sold = sa.select(sa.func.count()).select_from(Subscription)
        before = session.scalar(sold)
    assert "To Acme, who pays in USD." in ada.get(f"{LIST}/new?customer={acme}").text
    assert "other_currency" not in ada.get(f"{LIST}/new").text
    sale = {"customer": acme, "package": package, "account": "y"}
    refused = ada.send(f"{LIST}/new", **sale)
    assert refused.status_code == 422
    assert "“Monthly” has its price in EUR, and Acme pays in USD." in refused.text
    assert re.search(r'<input[^>]*name="other_currency"[^>]*type="checkbox"', refused.text)
    with cast.app.app_context():
        assert session.scalar(sold) == before
    agreed = ada.send(f"{LIST}/new", **sale, other_currency="y")
    assert agreed.status_code == 303
    with cast.app.app_context():
        assert only(agreed.location).currency == "EUR"
    assert ada.send(f"{LIST}/new", **sale | {"package": own}).status_code == 303


def test_a_package_is_sold_with_its_first_account(cast: Cast, package: str) -> None:
    ada = cast.sign_in("admin")
    path = sell(ada, package)
    page = ada.get(path).text
    assert "Sold to Acme." in page
    assert "0 of 2" in page
    with cast.app.app_context():
        sold = only(path)
        accounts = session.scalars(sa.select(Account).where(Account.subscription_uuid == sold.uuid)).all()
        assert [one.account_name for one in accounts] == ["Monthly"]
        line = session.scalars(sa.select(AuditEvent).where(AuditEvent.thing_uuid == sold.uuid)).one()
        assert (line.action, line.on_behalf_of_uuid) == ("subscription.created", sold.customer_uuid)


def test_no_account_is_made_if_told_not_to(cast: Cast, package: str) -> None:
    ada = cast.sign_in("admin")
    sent = {"customer": "alice@demo.example", "package": package, "starts_at": "2027-01-31", "other_currency": "y"}
    path = str(ada.send(f"{LIST}/new", **sent).location)
    assert "It has no account yet" in ada.get(path).text
    with cast.app.app_context():
        assert only(path).starts_at.isoformat() == "2027-01-31T00:00:00+00:00"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("customer", "nobody@demo.example", "There is no customer"),
        ("customer", "", "Fill this in"),
        ("package", "1111111111", "Choose one that is listed."),
        ("starts_at", "soon", "There is no such day. Write it like 2027-01-31."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(cast: Cast, package: str, field: str, value: str, words: str) -> None:
    sent = {"customer": "alice@demo.example", "package": package, "account": "y", "other_currency": "y"} | {
        field: value
    }
    answer = cast.sign_in("admin").send(f"{LIST}/new", **sent)
    assert answer.status_code == 422
    assert words in unescape(answer.text)


def test_a_customer_is_named_by_what_staff_see(cast: Cast, package: str) -> None:
    ada = cast.sign_in("admin")
    with cast.app.app_context():
        key, acme = cast.room().customer.customer_key, cast.room().customer.id
    for named in ("acme", key, acme):
        sold = ada.send(f"{LIST}/new", customer=named, package=package, other_currency="y")
        assert sold.status_code == 303, sold.text
        with cast.app.app_context():
            assert only(str(sold.location)).customer.id == acme
    with cast.app.app_context(), transaction():
        for one in session.scalars(sa.select(Customer)).unique():
            one.company_name = "Twins"
    assert "Several customers are called Twins" in ada.send(f"{LIST}/new", customer="Twins", package=package).text


def test_the_list_is_searched_filtered_and_downloaded(cast: Cast, package: str) -> None:
    ada = cast.sign_in("admin")
    path = sell(ada, package)
    assert path in ada.get(f"{LIST}?search=monthly").text
    assert path not in ada.get(f"{LIST}?search=nothing").text
    assert path not in ada.get(f"{LIST}?status=ending").text
    with cast.app.app_context(), transaction():
        only(path).ends_at = now() + timedelta(days=3)
        acme = session.scalars(sa.select(Customer).where(Customer.company_name == "Acme")).one().id
    for asked in ("status=ending", "status=usable", f"package={package}", f"customer={acme}", "sort=end"):
        assert path in ada.get(f"{LIST}?{asked}").text, asked
    assert path in ada.get("/admin").text, "Home tells what ends soon"
    head, *rows = csv.reader(io.StringIO(ada.get(f"{LIST}/export.csv").text.removeprefix("\ufeff")))
    assert head[:2] == ["Subscription", "Customer"]
    assert len(rows) == 3


@BOTH
def test_every_page_tells_the_same_last_day_and_the_list_is_sorted_by_it(cast: Cast, package: str) -> None:
    ada = cast.sign_in("admin")
    paths = [sell(ada, package, starts_at="2027-01-01", account="") for _ in range(3)]
    with cast.app.app_context(), transaction():
        first, second, third = map(only, paths)
        first.ends_at, second.ends_at, third.ends_at = (at("2027-02-01"), at("2027-03-01"), at("2027-04-01"))
        third.status, third.cancels_at = SubscriptionStatus.CANCELED, at("2027-02-15")
        third.starts_at = third.canceled_at = now()
        customer = first.customer.id
    for page in (f"{LIST}?sort=end", f"/admin/customers/{customer}", f"{LIST}/export.csv"):
        html = ada.get(page).text
        for day in ("31 Jan 2027", "14 Feb 2027", "28 Feb 2027"):
            assert day in html, (page, day)
        assert "31 Mar 2027" not in html, page
    assert "Canceled" in ada.get(f"/admin/customers/{customer}").text
    assert "14 Feb 2027" in ada.get(paths[2]).text
    for sort, expected in (("end", [0, 2, 1]), ("-end", [1, 2, 0])):
        html = ada.get(f"{LIST}?sort={sort}").text
        found = [path for path in re.findall(r'href="([^"]+)"', html) if path in paths]
        assert found == [paths[number] for number in expected], sort


@BOTH
def test_a_page_of_the_list_takes_few_statements(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    ada.get(LIST)
    with cast.app.app_context(), statements(db.engine) as seen:
        ada.get(f"{LIST}?sort=end")
    assert len(seen) <= 3, seen


def test_renewing_says_beforehand_until_when(cast: Cast, package: str) -> None:
    ada = cast.sign_in("admin")
    path = sell(ada, package, starts_at="2027-01-31")
    page = ada.get(f"{path}/renewal").text
    assert "It now ends after 27 Feb 2027." in page
    assert "With one period more it ends after 30 Mar 2027." in page
    assert ada.send(f"{path}/renewal", cycles="0").status_code == 422
    assert ada.send(f"{path}/renewal", cycles="2").location == path
    assert "Renewed: it ends after 29 Apr 2027." in ada.get(path).text


def test_what_cannot_be_renewed_offers_no_button(cast: Cast) -> None:
    with cast.app.app_context():
        path = f"{LIST}/{cast.room().subscription.id}"
    ada = cast.sign_in("admin")
    page = ada.get(f"{path}/renewal").text
    assert "This subscription has no end, so there is nothing to renew." in page
    assert 'type="submit">Renew<' not in page
    assert ada.send(f"{path}/renewal", cycles="1").status_code == 409


def test_selling_from_a_customers_page_asks_for_no_customer_and_leads_back(cast: Cast, package: str) -> None:
    ada = cast.sign_in("admin")
    with cast.app.app_context():
        acme = cast.room().customer.id
    page = ada.get(f"{LIST}/new?customer={acme}").text
    assert re.search(r"<p>To \W*Acme\W*, who pays in \W*USD\W*</p>", page)
    assert f'href="/admin/customers/{acme}"' in page
    assert f'name="customer" value="{acme}"' in page
    answer = ada.send(f"{LIST}/new?customer={acme}", customer=acme, package=package, other_currency="y")
    assert answer.status_code == 303, answer.text
    assert 'list="customers"' in ada.get(f"{LIST}/new?customer=1111111111").text


def test_canceling_at_the_end_and_taking_it_back(cast: Cast, package: str) -> None:
    ada = cast.sign_in("admin")
    path = sell(ada, package)
    assert "It has no rooms." in ada.get(f"{path}/cancellation").text
    ada.send(f"{path}/cancellation", when="end")
    assert "Canceled" in ada.get(path).text
    assert "has to take that back" in ada.send(f"{path}/renewal", cycles="1").text
    ada.send(f"{path}/uncancellation")
    with cast.app.app_context():
        assert only(path).status is SubscriptionStatus.ACTIVE


def test_suspending_stops_rooms_and_resuming_opens_them(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    with cast.app.app_context():
        path = f"{LIST}/{cast.room().subscription.id}"
    cast.join()
    for act in ("suspension", "termination", "cancellation"):
        assert "1 person who is inside now may stay, and nobody new comes in." in ada.get(f"{path}/{act}").text, act
    ada.send(f"{path}/suspension")
    with cast.app.app_context():
        assert session.scalars(sa.select(Participation)).one().left_at is None, (
            "the page promised that whoever is inside may stay"
        )
    refused = cast.browser().send(cast.open_path, name="Late")
    assert refused.status_code != 303
    assert "not available right now" in refused.text, refused.text
    ada.send(f"{path}/resumption")
    assert cast.browser().send(cast.open_path, name="Late").status_code == 303


def test_features_are_changed_and_synced(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    with cast.app.app_context():
        path = f"{LIST}/{cast.room().subscription.id}"
    form = ada.get(f"{path}/features").text
    fields = dict(re.findall(r'name="(max_\w+)"[^>]* value="([^"]*)"', form))
    fields |= dict.fromkeys(re.findall(r'name="(\w+)"[^>]* checked', form), "y")
    assert ada.send(f"{path}/features", **fields | {"max_participants": "many"}).status_code == 422
    assert ada.send(f"{path}/features", **fields | {"max_participants": "1"}).status_code == 303
    assert "Differs" in ada.get(path).text
    cast.join(name="First")
    refused = cast.browser().send(cast.open_path, name="Second")
    assert "full" in refused.text, "the next entry is judged by the new limit"
    ada.send(f"{path}/features/sync")
    assert "Differs" not in ada.get(path).text


def test_an_empty_limit_is_unlimited_and_what_is_not_granted_is_told(cast: Cast, package: str) -> None:
    ada = cast.sign_in("admin")
    path = sell(ada, package)
    form = ada.get(f"{path}/features").text
    assert "An empty number means unlimited, 0 means none." in form
    assert re.search(r'name="allow_create_account"', form)
    assert re.search(r'id="hint-allow_create_account">Not granted\.<', form)
    assert re.search(r'name="max_duration"[^>]* value=""', form)
    assert re.search(r'id="hint-max_duration">Not limited\.<', form)
    assert 'id="hint-max_rooms"' not in form, "it is granted"
    sent = {"max_rooms": "", "max_participants": "0", "max_duration": "", "max_accounts": ""}
    assert ada.send(f"{path}/features", **sent | {"allow_create_account": "y"}).location == path
    with cast.app.app_context():
        assert only(path).values == {"max_rooms": None, "max_participants": 0, "allow_create_account": True}


def sent_by(form: str) -> dict[str, str]:
    """What a browser sends of the page on which a subscription is changed, if only its texts are filled in."""
    fields = dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', form))
    units = {"currency": "EUR", "periodicity_type": "month", "trial_interval": "day", "grace_interval": "week"}
    return {name: value for name, value in fields.items() if name not in {"csrf_token", "version"}} | units


def test_what_contradicts_is_refused_beside_its_field(cast: Cast, package: str) -> None:
    ada = cast.sign_in("admin")
    path = sell(ada, package)
    fields = sent_by(ada.get(f"{path}/edit").text)
    for change, words in (
        ({"ends_at": "2020-01-01"}, "before it starts"),
        ({"ends_at": "9999-12-31"}, "a year from 2000 to"),
        ({"starts_at": "0001-01-01"}, "a year from 2000 to"),
        ({"periodicity": "0"}, "from 1 to"),
        ({"price": "-1"}, "from 0 to"),
        ({"price": "much"}, "an amount like 19.90"),
        ({"currency": "XYZ"}, "Choose one that is listed."),
        ({"trial_period": "90"}, "trial would last longer"),
        ({"tier": "-1"}, "from 0 to"),
        ({"subscription_metadata": "{"}, "This is no JSON"),
    ):
        answer = ada.send(f"{path}/edit", **fields | change)
        assert answer.status_code == 422, change
        assert words in unescape(answer.text), change
    assert ada.send(f"{path}/edit", **fields | {"price": "12.50", "name": "Other"}).status_code == 303
    page = ada.get(path).text
    assert "Other" in page
    assert "12.50 EUR for 1 month<" in page


@BOTH
def test_rank_and_metadata_are_changed_and_what_is_wrong_is_said_at_once(cast: Cast, package: str) -> None:
    ada = cast.sign_in("admin")
    path = sell(ada, package)
    fields = sent_by(ada.get(f"{path}/edit").text)
    given = {"tier": "3", "subscription_metadata": '{"order": "A-17", "tags": ["new"]}'}
    refused = ada.send(
        f"{path}/edit", **fields | given | {"price": "much", "subscription_metadata": '{"a": {"b": []}}'}
    )
    assert refused.status_code == 422
    for words in ("an amount like 19.90", "a.b is nested too deeply"):
        assert words in unescape(refused.text), words
    for _again in range(2):  # the second time nothing is changed
        assert ada.send(f"{path}/edit", **fields | given).status_code == 303
    with cast.app.app_context():
        sold = only(path)
        assert (sold.tier, sold.subscription_metadata) == (3, {"order": "A-17", "tags": ["new"]})
        [line] = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "subscription.updated"))
        assert line.details["changes"]["tier"] == [0, 3]
        assert line.details["changes"]["subscription_metadata"] == [{}, sold.subscription_metadata]
    form = unescape(ada.get(f"{path}/edit").text)
    assert re.search(r'name="tier"[^>]* value="3"', form)
    assert '"order": "A-17"' in form
    assert ada.send(f"{path}/edit", **fields | {"subscription_metadata": ""}).status_code == 303
    with cast.app.app_context():
        assert (only(path).tier, only(path).subscription_metadata) == (0, {})


@pytest.mark.parametrize("price", ["20", "100", "19.9"])
def test_a_price_is_written_alike_wherever_it_stands(cast: Cast, package: str, price: str) -> None:
    ada = cast.sign_in("admin")
    path = sell(ada, package)
    with cast.app.app_context(), transaction():
        only(path).price = only(path).package.price = Decimal(price)
    written = f"{Decimal(price):.2f}"
    assert f'value="{written}"' in ada.get(f"{path}/edit").text
    words = f"{written} EUR for 1 month"
    assert f"Monthly: {words}<" in ada.get(f"{LIST}/new").text
    for page in (path, LIST, f"{LIST}/export.csv", "/admin/packages"):
        assert words in ada.get(page).text, page


def test_of_a_subscription_without_rooms_no_page_counts_them(cast: Cast, package: str) -> None:
    ada = cast.sign_in("admin")
    path = sell(ada, package, account="")
    for act in ("suspension", "termination"):
        page = ada.get(f"{path}/{act}").text
        assert "<p>It has no rooms.</p>" in page, act
        assert "inside" not in page, act
    assert "Its period goes on meanwhile." in ada.get(f"{path}/suspension").text
    with cast.app.app_context(), transaction():
        only(path).ends_at = None
    assert "<p>Resume it when the reason is gone.</p>" in ada.get(f"{path}/suspension").text
    assert ada.send(f"{path}/suspension").status_code == 303
    assert "<p>It has no rooms.</p>" in ada.get(f"{path}/resumption").text
    with cast.app.app_context(), transaction():
        only(path).status = SubscriptionStatus.INACTIVE
    page = ada.get(f"{path}/deletion").text
    assert "<p>It has no accounts.</p>" in page
    assert "goes with it" not in page


def test_whoever_only_reads_sees_no_buttons_and_may_not_act(cast: Cast) -> None:
    with cast.app.app_context():
        path = f"{LIST}/{cast.room().subscription.id}"
    bob = with_role(cast, "bob", StaffPermission.DASHBOARD_ACCESS, StaffPermission.SUBSCRIPTIONS_READ)
    page = bob.get(path).text
    assert f"{path}/" not in page
    assert "Sell package" not in bob.get(LIST).text
    for act in ACTS:
        assert bob.get(f"{path}/{act}").status_code == 403, act
        assert bob.send(f"{path}/{act}", page="/me").status_code == 403, act


def test_an_inactive_one_is_deleted_and_every_other_says_beside_the_button_why_not(cast: Cast, package: str) -> None:
    ada = cast.sign_in("admin")
    path = sell(ada, package)
    why = "Cancel it: it is inactive once it has ended."
    for page in (path, f"{path}/deletion"):
        assert why in ada.get(page).text, page
    assert f'href="{path}/deletion"' not in ada.get(path).text
    refused = ada.send(f"{path}/deletion", page=f"{path}/edit")
    assert (refused.status_code, why in refused.text) == (409, True)
    with cast.app.app_context(), transaction():
        only(path).status = SubscriptionStatus.INACTIVE
    assert f'href="{path}/deletion"' in ada.get(path).text
    assert "Its 1 account goes with it." in ada.get(f"{path}/deletion").text
    assert ada.send(f"{path}/deletion").location == LIST
    assert "was deleted." in ada.get(LIST).text
    assert ada.get(path).status_code == 404
    with cast.app.app_context():
        line = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "subscription.deleted")).one()
        assert (
            line.on_behalf_of_uuid
            == session.scalars(sa.select(Customer.uuid).where(Customer.company_name == "Acme")).one()
        )


def test_a_package_leads_to_selling_it_where_it_can_be_sold(cast: Cast, package: str) -> None:
    ada, address = cast.sign_in("admin"), f"/admin/packages/{package}"
    link = f'href="{LIST}/new?package={package}"'
    assert link in ada.get(address).text
    assert f'<option selected value="{package}"' in ada.get(f"{LIST}/new?package={package}").text
    with cast.app.app_context(), transaction():
        session.scalars(
            sa.select(ServicePackage).where(ServicePackage.id == package)
        ).one().status = PackageStatus.INACTIVE
    assert link not in ada.get(address).text
    bob = with_role(cast, "bob", StaffPermission.DASHBOARD_ACCESS, StaffPermission.PACKAGES_READ)
    assert "Sell package" not in bob.get(address).text


def test_one_that_has_not_begun_is_canceled_at_once_and_then_deleted(cast: Cast, package: str) -> None:
    ada = cast.sign_in("admin")
    path = sell(ada, package, starts_at=f"{now() + timedelta(days=60):%Y-%m-%d}")
    assert "Cancel subscription" in ada.get(path).text
    page = ada.get(f"{path}/cancellation").text
    assert 'value="end"' not in page
    assert ada.send(f"{path}/cancellation", when="now").status_code == 303
    with cast.app.app_context():
        assert only(path).status is SubscriptionStatus.INACTIVE
    assert ada.send(f"{path}/deletion").status_code == 303
