"""Which services a subscription may use: those of its package, and exactly one of them is its default."""

import pytest
import sqlalchemy as sa

from portal.audit.models import AuditEvent
from portal.db import session
from portal.errors import Conflict, Invalid
from portal.status.models import RoomSession
from portal.subscriptions.models import Subscription
from portal.subscriptions.package_models import PackageProvider
from portal.subscriptions.package_providers import add_package_provider
from portal.subscriptions.selling import create_subscription
from portal.subscriptions.service_providers import create_provider
from portal.subscriptions.switching import (
    add_provider,
    change_provider,
    is_default,
    make_default,
    package_provider_of,
    providers_of,
    remove_provider,
    switch_service,
)
from tests.cast import Cast
from tests.conftest import BOTH
from tests.subscriptions.test_packages import a_package, acme

pytestmark = pytest.mark.usefixtures("in_app")


def another(subscription: Subscription, name: str = "Second") -> PackageProvider:
    """One more service that its package has."""
    provider = create_provider(provider_name=name, provider_type="mesh")
    return add_package_provider(subscription.package, provider=provider)


def names(subscription: Subscription) -> list[tuple[str, bool]]:
    """The services that it may use, each with whether it is the default."""
    session.expire_all()
    return [
        (one.package_provider.provider.provider_name, is_default(subscription, one))
        for one in providers_of(subscription)
    ]


@pytest.fixture
def sold(cast: Cast) -> Subscription:
    return create_subscription(customer=acme(cast), package=a_package())


@pytest.fixture
def first(sold: Subscription) -> str:
    return sold.provider.provider_name


@BOTH
def test_a_new_default_takes_that_from_the_one_before(cast: Cast) -> None:
    sold = create_subscription(customer=acme(cast), package=a_package())
    first, second = sold.provider.provider_name, another(sold)
    added = add_provider(sold, package_provider=second)
    assert names(sold) == [(first, True), ("Second", False)]
    make_default(sold, added)
    assert names(sold) == [(first, False), ("Second", True)]
    session.commit()
    lines = session.scalars(sa.select(AuditEvent.action).where(AuditEvent.thing_uuid == sold.uuid))
    assert {"subscription.provider_added", "subscription.provider_switched"} <= set(lines)


def test_only_services_of_the_package_can_be_used_and_each_once(sold: Subscription, cast: Cast) -> None:
    foreign = another(cast.room().subscription, "Elsewhere")
    with pytest.raises(Invalid) as refused:
        package_provider_of(sold, foreign.id)
    assert set(refused.value.fields) == {"package_provider_id"}
    own = package_provider_of(sold, another(sold).id)
    add_provider(sold, package_provider=own)
    with pytest.raises(Invalid) as refused:
        add_provider(sold, package_provider=own)
    assert set(refused.value.fields) == {"package_provider_id"}


def test_the_default_is_neither_switched_off_nor_taken_away(sold: Subscription, first: str) -> None:
    (default,) = providers_of(sold)
    for refused in (lambda: change_provider(sold, default, active=False), lambda: remove_provider(sold, default)):
        with pytest.raises(Conflict, match="another one the default first"):
            refused()
    assert names(sold) == [(first, True)]
    change_provider(sold, default, metadata={"region": "eu"})
    assert providers_of(sold)[0].provider_metadata == {"region": "eu"}


def test_what_is_not_active_anywhere_cannot_become_the_default(sold: Subscription, first: str) -> None:
    added = add_provider(sold, package_provider=another(sold), active=False)
    with pytest.raises(Conflict, match="not active"):
        make_default(sold, added)
    change_provider(sold, added, active=True)
    for inactive in (added.package_provider, added.package_provider.provider):
        inactive.active = False
        session.flush()
        with pytest.raises(Conflict, match="not active"):
            make_default(sold, added)
        inactive.active = True
    assert names(sold) == [(first, True), ("Second", False)]


def test_one_that_is_no_default_any_more_can_be_taken_away(sold: Subscription, first: str) -> None:
    (before,) = providers_of(sold)
    switch_service(sold, package_provider=another(sold))
    assert names(sold) == [(first, False), ("Second", True)]
    switch_service(sold, package_provider=before.package_provider)
    assert names(sold) == [(first, True), ("Second", False)], "it knows both, and none is there twice"
    switch_service(sold, package_provider=providers_of(sold)[1].package_provider)
    remove_provider(sold, before)
    assert names(sold) == [("Second", True)]


def test_a_running_room_stays_where_it_is(cast: Cast) -> None:
    cast.join()
    sold = cast.room().subscription
    before = sold.provider_uuid
    switch_service(sold, package_provider=another(sold))
    run = session.scalars(sa.select(RoomSession).where(RoomSession.ended_at.is_(None))).one()
    assert run.provider_uuid == before != sold.provider_uuid
