from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from portal.customers.models import Customer
from portal.db import session
from portal.errors import Conflict, Invalid
from portal.subscriptions.models import SubscriptionStatus
from portal.subscriptions.package_models import PackageStatus, ServicePackage
from portal.subscriptions.package_providers import add_package_provider
from portal.subscriptions.packages import create_package
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.selling import create_subscription
from portal.subscriptions.terms import Length, PeriodUnit, after
from tests.cast import Cast

pytestmark = pytest.mark.usefixtures("in_app")


def a_package(**more: object) -> ServicePackage:
    provider = session.scalars(sa.select(ServiceProvider).where(ServiceProvider.provider_type == "mesh")).one()
    about = {"name": "Endless", "service_type": ServiceType.MEET, "currency": "EUR", "provider": provider}
    return create_package(**about | more)  # type: ignore[arg-type]


def acme(cast: Cast) -> Customer:
    return cast.room().customer


def test_a_subscription_copies_what_the_package_grants(cast: Cast) -> None:
    package = a_package(features={"max_participants": True, "max_rooms": 3, "allow_create_account": False})
    sold = create_subscription(customer=acme(cast), package=package)
    session.expire(sold)
    assert sold.values == {"max_participants": None, "max_rooms": 3, "allow_create_account": False}
    assert (sold.currency, sold.name) == ("EUR", f"Endless {sold.tag}")
    package.features.clear()
    session.flush()
    session.expire(sold)
    assert sold.values["max_rooms"] == 3


@pytest.mark.parametrize(
    ("features", "field"),
    [({"max_viewers": 3}, "max_viewers"), ({"max_wings": 2}, "features"), ({"max_rooms": -1}, "max_rooms")],
)
def test_a_feature_that_does_not_fit_is_refused_beside_its_field(
    features: dict[str, int], field: str, cast: Cast
) -> None:
    with pytest.raises(Invalid) as refused:
        a_package(features=features)
    assert set(refused.value.fields) == {field}


def test_a_provider_serves_only_packages_of_its_own_type(cast: Cast) -> None:
    with pytest.raises(Invalid) as refused:
        a_package(service_type=ServiceType.VIDEO)
    assert set(refused.value.fields) == {"service_provider_id"}


def test_the_first_provider_is_the_default_and_none_is_there_twice(cast: Cast) -> None:
    package = a_package()
    assert [one.is_default for one in package.providers] == [True]
    with pytest.raises(Invalid) as refused:
        add_package_provider(package, provider=package.providers[0].provider)
    assert set(refused.value.fields) == {"service_provider_id"}


def test_only_what_is_active_and_served_and_in_stock_is_sold(cast: Cast) -> None:
    package = a_package()
    package.has_stock, package.stock_qty = True, 1
    session.flush()
    create_subscription(customer=acme(cast), package=package)
    with pytest.raises(Conflict, match="sold out"):
        create_subscription(customer=acme(cast), package=package)
    package.has_stock, package.status = False, PackageStatus.INACTIVE
    session.flush()
    with pytest.raises(Conflict, match="inactive"):
        create_subscription(customer=acme(cast), package=package)
    with pytest.raises(Conflict, match="no default service"):
        create_subscription(customer=acme(cast), package=a_package(name="Unserved", provider=None))


def test_days_begin_in_the_customers_zone(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    at = datetime(2026, 1, 30, 23, 30, tzinfo=UTC)  # in Berlin it is the 31st already
    monkeypatch.setattr("portal.subscriptions.selling.now", lambda: at)
    customer = acme(cast)
    customer.timezone = "Europe/Berlin"
    month, week = Length(1, PeriodUnit.MONTH), Length(1, PeriodUnit.WEEK)
    sold = create_subscription(customer=customer, package=a_package(period=month, grace=week))
    assert sold.starts_at == datetime(2026, 1, 30, 23, 0, tzinfo=UTC)
    assert sold.ends_at == datetime(2026, 2, 27, 23, 0, tzinfo=UTC)
    assert sold.grace_until == datetime(2026, 3, 6, 23, 0, tzinfo=UTC)
    assert sold.trial_ends_at is None
    tried = create_subscription(customer=customer, package=a_package(period=month, trial=week))
    assert tried.trial_ends_at == datetime(2026, 2, 6, 23, 0, tzinfo=UTC)
    assert tried.ends_at == datetime(2026, 3, 6, 23, 0, tzinfo=UTC)
    assert tried.status is SubscriptionStatus.ACTIVE


def test_months_keep_the_day_on_which_they_began() -> None:
    anchor, month = date(2026, 1, 31), Length(1, PeriodUnit.MONTH)
    assert [after(anchor, month, n) for n in (1, 2, 3)] == [date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]
    assert after(date(2024, 2, 29), Length(1, PeriodUnit.YEAR)) == date(2025, 2, 28)
