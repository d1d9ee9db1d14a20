"""The pages of packages: making, changing, copying and deleting them, with their features and services."""

import re
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa

from portal.db import lock, session, transaction
from portal.people.staff import StaffPermission
from portal.subscriptions.package_models import PackageFeature, PackageStatus, ServicePackage
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.service_providers import create_provider
from portal.web import edit_forms
from tests.cast import Cast, Client
from tests.conftest import BOTH
from tests.web.admin.staffing import with_role

NEW = {"name": "Meet Plus", "price": "19,90", "currency": "EUR", "periodicity": "1", "periodicity_type": "month"}
LIMITS = {"max_rooms": "", "max_participants": "50", "max_duration": "90", "max_accounts": ""}


@pytest.fixture
def ada(cast: Cast) -> Client:
    return cast.sign_in("admin")


def made(cast: Cast, name: str = "Meet Plus") -> ServicePackage:
    return session.scalars(sa.select(ServicePackage).where(ServicePackage.name == name)).one()


def create(client: Client, **more: str) -> str:
    answer = client.send("/admin/packages/new", **NEW | LIMITS | {"allow_create_account": "y"} | more)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def service_id(cast: Cast) -> str:
    with cast.app.app_context():
        return session.scalars(sa.select(ServiceProvider.id).where(ServiceProvider.provider_type == "mesh")).one()


@pytest.fixture
def page(cast: Cast, ada: Client) -> str:
    return create(ada, service_id=service_id(cast))


def test_a_package_is_made_by_name_price_and_features(cast: Cast, ada: Client, page: str) -> None:
    with cast.app.app_context():
        package = made(cast)
        assert f"{package.price:.2f} {package.currency}" == "19.90 EUR"
        assert package.values == {
            "max_rooms": None, "max_participants": 50, "max_duration": 90, "allow_create_account": True,
        }  # fmt: skip
        assert package.default_provider is not None
    shown = ada.get(page).text
    for words in ("19.90 EUR for 1 month", "Unlimited", "90 min", "Default", "Nobody yet"):
        assert words in shown, words
    assert "Recording" not in shown
    assert "Meet Plus" in ada.get("/admin/packages?search=plus").text
    assert "Meet Plus" in ada.get("/admin/packages/export.csv").text


def test_a_new_package_starts_with_what_a_small_one_grants(cast: Cast, ada: Client) -> None:
    page = ada.get("/admin/packages/new").text
    for switch in ("public_chat", "private_chat", "screen_sharing"):
        assert re.search(rf'<input[^>]*checked[^>]*name="{switch}"', page), switch
    assert not re.search(r'<input[^>]*checked[^>]*name="allow_create_account"', page)
    for limit, value in (("max_rooms", "10"), ("max_participants", "25"), ("max_duration", ""), ("max_accounts", "")):
        assert re.search(rf'<input[^>]*name="{limit}"[^>]*value="{value}"', page), limit


def test_a_new_package_of_videos_starts_with_what_a_small_one_grants(cast: Cast, ada: Client) -> None:
    page = ada.get("/admin/packages/new?type=video").text
    for limit, value in (("max_rooms", "10"), ("max_viewers", "50"), ("max_storage", "5")):
        assert re.search(rf'<input[^>]*name="{limit}"[^>]*value="{value}"', page), limit
    assert 'name="max_participants"' not in page


def test_a_new_package_grants_what_the_service_chosen_for_it_provides(cast: Cast, ada: Client) -> None:
    built_in = service_id(cast)
    with cast.app.app_context(), transaction():
        elsewhere = create_provider(
            provider_name="Elsewhere",
            provider_type="bigbluebutton",
            properties={"host_url": "https://meet.example", "secret": "a-secret"},
        ).id
    page = ada.get("/admin/packages/new").text
    assert 'name="recording"' in page
    assert re.search(r'<input[^>]*name="max_recordings"[^>]*value="0"', page)
    recorded = NEW | LIMITS | {"recording": "y", "max_recordings": "5", "record_expiration": "30"}
    refused = ada.send("/admin/packages/new", **recorded, service_id=built_in)
    assert refused.status_code == 422
    assert "provides this" in refused.text.split('id="error-recording"')[1][:700]
    assert re.search(
        r'<input aria-describedby="error-recording" aria-invalid="true"[^>]*name="recording"', refused.text
    )
    create(ada, **recorded, service_id=elsewhere)
    with cast.app.app_context():
        package = made(cast)
        assert package.values["recording"] is True
        assert package.values["max_recordings"] == 5


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("price", "-1", "Use an amount from 0"),
        ("price", "19.999", "Use at most 2 digits after the point"),
        ("price", "cheap", "Write an amount like 19.90."),
        ("currency", "ZZZ", "Choose one that is listed."),
        ("periodicity", "0", "Use a whole number from 1 to 1000"),
        ("periodicity", "often", "Use a whole number, like 12."),
        ("name", "", "Give the package a name."),
        ("max_rooms", "-5", "Use a whole number, 0 or more. Empty means unlimited."),
        ("max_participants", "many", "Use a whole number, like 12."),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(
    cast: Cast, ada: Client, field: str, value: str, words: str
) -> None:
    answer = ada.send("/admin/packages/new", **NEW | LIMITS | {"service_id": service_id(cast)} | {field: value})
    assert answer.status_code == 422
    beside = re.search(rf'id="error-{field}"[^>]*>(.*?)</p>', answer.text, re.DOTALL)
    assert beside is not None
    assert words in beside[1]
    with cast.app.app_context():
        assert session.scalars(sa.select(ServicePackage).where(ServicePackage.name == NEW["name"])).first() is None


@BOTH
def test_of_two_who_change_features_at_once_the_second_keeps_what_the_first_did(
    cast: Cast, ada: Client, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = ada.get(f"{page}/edit").text
    version = unescape(re.search('name="version" value="([^"]*)"', shown)[1])  # type: ignore[index]
    sent = NEW | LIMITS | {"price": "19.90", "allow_create_account": "y", "active": "y", "max_duration": ""}

    def wait_for_another(package: ServicePackage, **options: bool) -> None:
        features: Any = PackageFeature.__table__
        own = features.c.package_uuid == package.uuid
        session.execute(sa.update(features).where(own, features.c.code == "max_participants").values(number=77))
        session.execute(sa.delete(features).where(own, features.c.code == "max_duration"))
        lock(package, **options)

    monkeypatch.setattr(edit_forms, "lock", wait_for_another)
    answer = ada.send(f"{page}/edit", **sent | {"name": "Meet Plus", "max_rooms": "9", "version": version})
    assert answer.status_code == 303, answer.text
    with cast.app.app_context():
        assert made(cast).values == {"max_rooms": 9, "max_participants": 77, "allow_create_account": True}


def test_all_of_it_can_be_changed_and_what_was_left_alone_stays(cast: Cast, ada: Client, page: str) -> None:
    shown = ada.get(f"{page}/edit").text
    fields = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*type="(?:text|number)"[^>]*value="([^"]*)"', shown))
    fields |= {"currency": "USD", "periodicity_type": "year", "trial_interval": "week", "grace_interval": "day"}
    fields |= {"max_participants": "60", "grace_period": "14", "hidden": "y", "signup_fee": "5", "price": "20"}
    fields |= {"name": "Meet Plus", "max_rooms": "", "max_duration": "90", "max_accounts": ""}
    fields |= {"package_metadata": '{"crm": 7}'}
    assert ada.send(f"{page}/edit", **fields).status_code == 303
    assert '{\n  "crm": 7\n}' in unescape(ada.get(f"{page}/edit").text)
    with cast.app.app_context():
        package = made(cast)
        assert package.package_metadata == {"crm": 7}
        assert (package.status, package.hidden, package.currency) == (PackageStatus.INACTIVE, True, "USD")
        assert (str(package.period), str(package.grace)) != ("None", "None")
        assert package.values["max_participants"] == 60
        assert package.values["allow_create_account"] is False
    refused = ada.send(f"{page}/edit", **fields | {"price": "-1", "grace_period": "0", "periodicity": ""})
    assert refused.status_code == 422
    assert 'id="error-price"' in refused.text
    refused = ada.send(f"{page}/edit", **fields | {"package_metadata": "[]"})
    assert (refused.status_code, "Metadata is a JSON object" in refused.text) == (422, True)


def test_a_copy_is_looked_at_before_it_is_sold(cast: Cast, ada: Client, page: str) -> None:
    answer = ada.send(f"{page}/copy", name="Meet Max")
    assert "is inactive: nothing new of it is sold" in ada.get(answer.location).text
    with cast.app.app_context():
        assert made(cast, "Meet Max").values == made(cast).values


def test_what_was_sold_is_not_deleted_and_the_page_says_why(cast: Cast, ada: Client, page: str) -> None:
    assert ada.send(f"{page}/deletion").status_code == 303
    assert ada.get(page).status_code == 404
    with cast.app.app_context():
        sold = f"/admin/packages/{made(cast, 'Meet Standard').id}"
    shown = ada.get(sold).text
    assert "2 subscriptions were sold of this package" in shown
    assert "Acme" in shown
    assert f"{sold}/deletion" not in shown
    ada.send(f"{sold}/deletion", page="/me")
    assert ada.get(sold).status_code == 200


def test_services_of_a_package_are_managed_on_its_page(cast: Cast, ada: Client, page: str) -> None:
    with cast.app.app_context(), transaction():
        other = ServiceProvider(provider_name="Second", provider_type="mesh", service_type=ServiceType.MEET)
        session.add(other)
        session.flush()
        second = other.id
    assert "Second" in ada.get(page).text
    ada.send(f"{page}/services", page=page, service_id=second)
    with cast.app.app_context():
        ids = {one.provider.provider_name: one.id for one in made(cast).providers}
        [first] = [one.id for one in made(cast).providers if one.is_default]
    ada.send(f"{page}/services/{first}/removal", page=page)
    assert "Make another service the default first" in ada.get(page).text
    ada.send(f"{page}/services/{ids['Second']}/default", page=page)
    ada.send(f"{page}/services/{first}/deactivation", page=page)
    assert "Cannot be chosen" in ada.get(page).text
    ada.send(f"{page}/services/{first}/activation", page=page)
    ada.send(f"{page}/services/{first}/removal", page=page)
    with cast.app.app_context():
        assert [(one.provider.provider_name, one.is_default) for one in made(cast).providers] == [("Second", True)]


def test_without_a_service_the_way_to_one_is_shown(cast: Cast, ada: Client) -> None:
    with cast.app.app_context(), transaction():
        session.execute(sa.update(ServiceProvider).values(active=False))
    assert "First connect a service" in ada.get("/admin/packages/new").text


def test_staff_see_only_the_controls_that_they_may_use(cast: Cast, page: str) -> None:
    bob = with_role(cast, "bob", StaffPermission.DASHBOARD_ACCESS, StaffPermission.PACKAGES_READ)
    shown = bob.get(page).text
    for words in ("Copy package", "Edit", "Make default", "Add service", "Delete this package", "/admin/services/"):
        assert words not in shown, words
    assert bob.send(f"{page}/edit", page="/me", name="Mine").status_code == 403
