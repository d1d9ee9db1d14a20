"""Changing packages: what is refused says so beside its field, and nothing is half done."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.customers.models import Customer
from portal.db import session
from portal.errors import Conflict, Invalid, NotFound
from portal.people.actor import Actor, actor_of
from portal.providers import registry
from portal.providers.mesh.adapter import Mesh
from portal.subscriptions.package_features import (
    offered_features,
    remove_package_feature,
    set_package_feature,
    set_package_features,
)
from portal.subscriptions.package_models import PackageStatus, ServicePackage
from portal.subscriptions.package_providers import (
    add_package_provider,
    change_package_provider,
    find_package_provider,
    remove_package_provider,
)
from portal.subscriptions.packages import change_package, copy_package, create_package, delete_package
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.selling import create_subscription
from portal.subscriptions.terms import Length, PeriodUnit
from tests.admission.test_races import RACERS, race
from tests.cast import Cast
from tests.conftest import BOTH
from tests.providers.standin.adapter import StandInAdapter

pytestmark = pytest.mark.usefixtures("_standin")


@pytest.fixture
def _standin(in_app: None) -> Iterator[None]:
    before = [registry.adapter(key) for key in registry.known()]
    registry.fill([Mesh([]), StandInAdapter()])
    yield
    registry.fill(before)


@pytest.fixture
def ada(cast: Cast) -> Actor:
    return actor_of(cast.user("admin"))


def mesh() -> ServiceProvider:
    return session.scalars(sa.select(ServiceProvider).where(ServiceProvider.provider_type == "mesh")).one()


def standin(**more: Any) -> ServiceProvider:
    """A second service, which alone provides a chat."""
    made = ServiceProvider(
        provider_name="Elsewhere", provider_type="standin", service_type=ServiceType.MEET, properties={}, **more
    )
    session.add(made)
    session.flush()
    return made


def a_package(**more: Any) -> ServicePackage:
    about: dict[str, Any] = {"name": "Endless", "service_type": ServiceType.MEET, "currency": "EUR", "provider": mesh()}
    return create_package(**about | more)


def acme(cast: Cast) -> Customer:
    return cast.room().customer


def refused_fields(act: Any, **changes: Any) -> set[str]:
    with pytest.raises(Invalid) as refused:
        act(**changes)
    return set(refused.value.fields)


MONTH = Length(1, PeriodUnit.MONTH)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"price": Decimal("-1")}, {"price"}),
        ({"price": Decimal("0.001")}, {"price"}),
        ({"price": Decimal("9.5"), "currency": "JPY"}, {"price"}),
        ({"price": Decimal("NaN")}, {"price"}),
        ({"signup_fee": Decimal("-0.01")}, {"signup_fee"}),
        ({"currency": "EURO"}, {"currency"}),
        ({"period": Length(0, PeriodUnit.MONTH)}, {"periodicity"}),
        ({"trial": Length(0, PeriodUnit.DAY)}, {"trial_period"}),
        ({"period": MONTH, "grace": Length(-1, PeriodUnit.DAY)}, {"grace_period"}),
        ({"grace": MONTH}, {"grace_period"}),
        ({"tier": -1}, {"tier"}),
        ({"stock_qty": -1}, {"stock_qty"}),
        ({"name": " "}, {"name"}),
        ({"description": "x" * 5001}, {"description"}),
        ({"package_metadata": {"a": {"b": []}}}, {"package_metadata"}),
        ({"name": "", "price": Decimal(-1), "currency": "?"}, {"name", "price", "currency"}),
    ],
)
def test_bad_terms_are_refused_beside_their_fields(
    cast: Cast, ada: Actor, changes: dict[str, Any], fields: set[str]
) -> None:
    package = a_package()
    before = (package.name, package.price, package.currency, package.period)
    good = {} if "name" in changes else {"name": "Good"}
    assert refused_fields(lambda **given: change_package(package, by=ada, **given), **good | changes) == fields
    assert (package.name, package.price, package.currency, package.period) == before
    assert refused_fields(a_package, **changes) == fields


@BOTH
def test_everything_of_a_package_can_be_changed(cast: Cast, ada: Actor) -> None:
    package = a_package()
    about: dict[str, Any] = {
        "name": "Meet Plus", "short_description": "More.", "description": "Much more.", "tier": 3,
        "status": PackageStatus.INACTIVE, "hidden": True, "price": Decimal("19.90"), "signup_fee": Decimal("0.5"),
        "currency": "USD", "has_stock": True, "stock_qty": 7, "package_metadata": {"crm": 1},
    }  # fmt: skip
    lengths = {"period": MONTH, "trial": Length(2, PeriodUnit.WEEK), "grace": Length(3, PeriodUnit.DAY)}
    change_package(package, by=ada, **about, **lengths)  # type: ignore[arg-type]
    session.expire_all()
    assert {name: getattr(package, name) for name in about | lengths} == about | lengths
    change_package(package, by=ada, period=None, grace=None)
    assert (package.periodicity_type, package.grace) == (None, None)


def test_no_text_of_a_package_turns_letters_round(cast: Cast, ada: Actor) -> None:
    package, turned = a_package(), "safe\u202egpj.exe"
    texts = {"name": turned, "short_description": turned, "description": f"Two lines\n{turned}"}
    assert refused_fields(change_package, package=package, by=ada, **texts) == set(texts)
    change_package(package, by=ada, short_description="\u200e In  one line\u200b", description="Two\u200b\nlines")
    assert (package.short_description, package.description) == ("In one line", "Two\nlines")


def test_only_what_the_portal_or_a_service_of_the_package_provides_is_sold(cast: Cast, ada: Actor) -> None:
    package = a_package(features={"max_rooms": 5})
    codes = {feature.code for feature in offered_features(package.service_type, package.providers)}
    assert {"max_rooms", "max_participants", "allow_create_account"} <= codes
    assert not {"recording", "max_viewers"} & codes
    assert refused_fields(lambda: set_package_feature(package, code="recording", value=True, by=ada)) == {"recording"}
    one = add_package_provider(package, provider=standin(), by=ada)
    set_package_feature(package, code="recording", value=True, by=ada)
    assert package.values == {"max_rooms": 5, "recording": True}
    with pytest.raises(Conflict, match="Recording"):
        remove_package_provider(package, one, by=ada)
    remove_package_feature(package, code="recording", by=ada)
    remove_package_provider(package, one, by=ada)
    assert [each.provider for each in package.providers] == [mesh()]
    with pytest.raises(NotFound):
        remove_package_feature(package, code="recording", by=ada)


def test_features_are_set_together_or_not_at_all(cast: Cast, ada: Actor) -> None:
    package = a_package(features={"max_rooms": 5, "max_duration": 60})
    bad = {"max_rooms": -1, "max_viewers": 1, "max_participants": 3}
    assert refused_fields(lambda: set_package_features(package, values=bad, by=ada)) == {"max_rooms", "max_viewers"}
    assert package.values == {"max_rooms": 5, "max_duration": 60}
    set_package_features(package, values={"max_rooms": None, "max_participants": 3}, by=ada)
    session.expire_all()
    assert package.values == {"max_rooms": None, "max_participants": 3}


@BOTH
def test_a_package_has_one_default_and_it_works(cast: Cast, ada: Actor) -> None:
    package, other = a_package(), standin()
    first = package.providers[0]
    second = add_package_provider(package, provider=other, by=ada)
    changing = lambda one: lambda **given: change_package_provider(package, one, by=ada, **given)  # noqa: E731
    assert refused_fields(changing(first), active=False) == {"active"}
    assert refused_fields(changing(first), default=False) == {"default"}
    assert refused_fields(changing(second), default=True, active=False) == {"active"}
    with pytest.raises(Conflict, match="default"):
        remove_package_provider(package, first, by=ada)
    change_package_provider(package, second, by=ada, default=True, settings={"region": "eu"})
    session.expire_all()
    assert {one.provider.id: one.is_default for one in package.providers} == {mesh().id: False, other.id: True}
    assert find_package_provider(package, second.id).provider_settings == {"region": "eu"}
    remove_package_provider(package, first, by=ada)
    other.active = False
    assert refused_fields(lambda: a_package(provider=other)) == {"service_provider_id"}


def test_a_service_that_subscriptions_have_stays_with_the_package(cast: Cast, ada: Actor) -> None:
    package = a_package()
    create_subscription(customer=acme(cast), package=package)
    second = add_package_provider(package, provider=standin(), by=ada)
    change_package_provider(package, second, by=ada, default=True)
    first = next(one for one in package.providers if one is not second)
    with pytest.raises(Conflict, match="1 subscription has this service"):
        remove_package_provider(package, first, by=ada)
    change_package_provider(package, first, by=ada, active=False)


def test_a_copy_is_the_same_under_another_name_and_not_sold_yet(cast: Cast, ada: Actor) -> None:
    package = a_package(features={"max_rooms": 5}, price=Decimal("9.90"), period=MONTH, has_stock=True, stock_qty=4)
    add_package_provider(package, provider=standin(), by=ada)
    copied = copy_package(package, name="Endless 2", by=ada)
    assert (copied.name, copied.status, copied.price, copied.period) == (
        "Endless 2", PackageStatus.INACTIVE, Decimal("9.90"), MONTH,
    )  # fmt: skip
    assert copied.values == package.values
    assert [(one.provider, one.is_default) for one in copied.providers] == [
        (one.provider, one.is_default) for one in package.providers
    ]
    set_package_feature(copied, code="max_rooms", value=6, by=ada)
    assert package.values == {"max_rooms": 5}


@BOTH
def test_a_package_is_deleted_only_while_nothing_was_sold_of_it(cast: Cast, ada: Actor) -> None:
    package = a_package(features={"max_rooms": 5})
    sold = create_subscription(customer=acme(cast), package=package)
    with pytest.raises(Conflict, match="1 subscription was sold of this package"):
        delete_package(package, by=ada)
    unsold = copy_package(package, name="Never", by=ada)
    delete_package(unsold, by=ada)
    session.expire_all()
    assert session.get(ServicePackage, unsold.uuid) is None
    assert sold.package is package


@BOTH
def test_of_twenty_sales_at_once_as_many_succeed_as_are_in_stock(app: Flask, cast: Cast) -> None:
    package_uuid = a_package(has_stock=True, stock_qty=3).uuid
    session.commit()

    def sell(_number: int) -> str:
        package = session.get_one(ServicePackage, package_uuid)
        return create_subscription(customer=acme(cast), package=package).id

    results = race(app, sell)
    assert sum(isinstance(one, Conflict) for one in results) == RACERS - 3
    session.expire_all()
    assert session.get_one(ServicePackage, package_uuid).stock_qty == 0


@BOTH
def test_of_twenty_defaults_at_once_one_is_left(app: Flask, cast: Cast, ada: Actor) -> None:
    package = a_package()
    package_uuid = package.uuid
    others = [add_package_provider(package, provider=standin(), by=ada).id for _ in range(RACERS)]
    session.commit()

    def choose(number: int) -> str:
        found = session.get_one(ServicePackage, package_uuid)
        change_package_provider(found, find_package_provider(found, others[number]), by=ada, default=True)
        return others[number]

    race(app, choose)
    session.expire_all()
    assert sum(one.is_default for one in session.get_one(ServicePackage, package_uuid).providers) == 1
