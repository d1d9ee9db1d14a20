"""Service providers: what guards them, how their connection is tested, and their health."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from portal.clock import now
from portal.db import db, session
from portal.errors import Conflict, Invalid
from portal.people.actor import Actor, actor_of
from portal.providers import registry
from portal.providers.base import ProviderError
from portal.providers.mesh.adapter import Mesh
from portal.subscriptions.package_models import ServicePackage
from portal.subscriptions.package_providers import add_package_provider, change_package_provider
from portal.subscriptions.packages import create_package
from portal.subscriptions.provider_health import record_answer, record_failure
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.selling import create_subscription
from portal.subscriptions.service_providers import (
    ALSO_CALLED,
    change_provider,
    create_provider,
    delete_provider,
    known_type,
    try_connection,
)
from tests.cast import Cast
from tests.conftest import BOTH
from tests.providers.standin.adapter import StandInAdapter
from tests.providers.standin.server import SECRET, StandIn, running
from tests.statements import statements

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


@pytest.fixture
def service() -> Iterator[StandIn]:
    with running() as service:
        yield service


def a_provider(url: str = "http://127.0.0.1:9", **more: Any) -> ServiceProvider:
    about = {"provider_name": "Elsewhere", "provider_type": "standin"}
    return create_provider(**about | {"properties": {"host_url": url, "secret": SECRET}} | more)


def a_package(provider: ServiceProvider) -> ServicePackage:
    return create_package(name="Endless", service_type=ServiceType.MEET, currency="EUR", provider=provider)


def test_a_default_is_not_deactivated_and_the_reason_names_where(cast: Cast, ada: Actor) -> None:
    provider, other = a_provider(), a_provider()
    package = a_package(provider)
    with pytest.raises(Conflict, match="default of the package “Endless”"):
        change_provider(provider, by=ada, active=False)
    create_subscription(customer=cast.room().customer, package=package)
    with pytest.raises(Conflict, match="the package “Endless” and 1 subscription"):
        change_provider(provider, by=ada, active=False)
    assert provider.active
    second = add_package_provider(package, provider=other, by=ada)
    change_provider(other, by=ada, active=False)
    with pytest.raises(Invalid) as refused:
        change_package_provider(package, second, by=ada, default=True)
    assert set(refused.value.fields) == {"default"}


@BOTH
def test_what_is_attached_is_not_deleted_and_the_rest_is(cast: Cast, ada: Actor) -> None:
    provider = a_provider()
    package = a_package(provider)
    with pytest.raises(Conflict, match="attached to the package “Endless”"):
        delete_provider(provider, by=ada)
    unused = a_provider()
    delete_provider(unused, by=ada)
    session.expire_all()
    assert session.get(ServiceProvider, unused.uuid) is None
    assert package.default_provider is not None


def test_a_type_may_have_another_name_and_an_unknown_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ALSO_CALLED, "bbb", "standin")
    assert known_type("bbb") == "standin"
    for about in ({"provider_type": "nonsense"}, {"provider_type": "mesh", "service_type": ServiceType.VIDEO}):
        with pytest.raises(Invalid) as refused:
            create_provider(provider_name="A service", **about)  # type: ignore[arg-type]
        assert set(refused.value.fields) == {min(about) if len(about) == 1 else "service_type"}


def test_all_that_is_wrong_is_told_at_once_and_nothing_is_saved(cast: Cast, ada: Actor) -> None:
    provider = a_provider()
    before = dict(provider.properties)
    with pytest.raises(Invalid) as refused:
        change_provider(
            provider, by=ada, provider_name="", properties={"host_url": "nowhere"}, metadata={"a": {"b": {}}}
        )
    assert set(refused.value.fields) == {"provider_name", "properties.host_url", "metadata"}
    assert (provider.provider_name, provider.properties) == ("Elsewhere", before)


def test_the_connection_is_tested_without_saving_anything(service: StandIn) -> None:
    provider = a_provider()
    session.commit()
    before = dict(provider.properties)
    good = try_connection(
        provider_type="standin", properties={"host_url": service.url, "secret": SECRET}, stored=provider
    )
    assert (good.tested, good.told) == (True, {"version": "1.2"})
    session.expire_all()
    assert provider.properties == before
    assert try_connection(provider_type="mesh", properties={}).tested is False


@pytest.mark.parametrize(
    ("properties", "blamed"),
    [
        ({"secret": "wrong"}, "properties.secret"),
        ({"host_url": "http://127.0.0.1:9"}, "properties.secret"),
        ({"host_url": "http://127.0.0.1:9", "secret": "any"}, "properties.host_url"),
        ({"host_url": "nonsense"}, "properties.host_url"),
        ({"host_url": None}, "properties.host_url"),
        ({"nonsense": 1}, "properties.nonsense"),
    ],
)
def test_a_wrong_address_is_told_from_a_wrong_secret(service: StandIn, properties: dict[str, Any], blamed: str) -> None:
    provider = a_provider(service.url)
    session.commit()
    with pytest.raises(Invalid) as refused:
        try_connection(provider_type="standin", properties=properties, stored=provider)
    assert set(refused.value.fields) == {blamed}


@pytest.mark.parametrize("how", ["dead", "lying"])
def test_a_service_that_answers_nonsense_is_not_taken_for_one(service: StandIn, how: str) -> None:
    setattr(service, how, True)
    provider = a_provider(service.url)
    session.commit()
    if how == "dead":
        with pytest.raises(Invalid) as refused:
            try_connection(provider_type="standin", properties={}, stored=provider)
        assert set(refused.value.fields) == {"properties.host_url"}
    else:
        assert try_connection(provider_type="standin", properties={}, stored=provider).tested


@BOTH
def test_a_test_of_what_is_stored_tells_the_health_and_one_of_other_properties_does_not(service: StandIn) -> None:
    provider = a_provider(service.url)
    record_failure(provider.uuid, ProviderError("no answer", permanent=False), now())
    session.commit()

    def down() -> bool:
        session.refresh(provider)
        return provider.down_since is not None

    try_connection(provider_type="standin", properties={"host_url": service.url}, stored=provider)
    assert down(), "what was typed was tested, not what is stored"
    try_connection(provider_type="standin", properties={}, stored=provider)
    assert not down()
    assert provider.last_answer_at is not None
    with pytest.raises(Invalid):
        try_connection(provider_type="standin", properties={"secret": "wrong"}, stored=provider)
    assert provider.last_error == "no answer"
    service.dead = True
    with pytest.raises(Invalid):
        try_connection(provider_type="standin", properties={}, stored=provider)
    session.rollback()  # as a request does that is refused
    assert down()
    assert provider.last_error != "no answer"


@BOTH
def test_health_tells_the_last_answer_the_last_error_and_since_when() -> None:
    provider, at = a_provider(), now()
    changed_at = provider.updated_at

    def health() -> tuple[Any, ...]:
        session.refresh(provider)
        return provider.last_answer_at, provider.last_error, provider.last_error_at, provider.down_since

    record_answer(provider.uuid, at)
    assert health() == (at, None, None, None)
    first, second = at + timedelta(seconds=10), at + timedelta(seconds=20)
    record_failure(provider.uuid, ProviderError("no answer in 2.0 s", permanent=False), first)
    assert health() == (at, "no answer in 2.0 s", first, first)
    record_failure(provider.uuid, ValueError("the secret is hunter2"), second)
    assert health() == (at, "ValueError", second, first)
    record_answer(provider.uuid, second)
    assert health() == (second, "ValueError", second, None)
    refused = ProviderError("refused", permanent=True)
    record_failure(provider.uuid, refused, second, is_down=False)
    assert health() == (second, "refused", second, None)
    assert provider.updated_at == changed_at


def test_the_same_is_written_seldom() -> None:
    provider, at = a_provider(), now()
    error = ProviderError("no answer", permanent=False)

    def rows_written(write: Any) -> int:
        seen: list[int] = []

        def note(_connection: Any, cursor: Any, *_rest: Any) -> None:
            seen.append(cursor.rowcount)

        engine: Engine = db.engine
        sa.event.listen(engine, "after_cursor_execute", note)
        try:
            write()
        finally:
            sa.event.remove(engine, "after_cursor_execute", note)
        return sum(seen)

    def answers(seconds: int) -> int:
        return rows_written(lambda: record_answer(provider.uuid, at + timedelta(seconds=seconds)))

    def fails(seconds: int) -> int:
        return rows_written(lambda: record_failure(provider.uuid, error, at + timedelta(seconds=seconds)))

    assert [answers(0), answers(1), answers(59), answers(61)] == [1, 0, 0, 1]
    assert [fails(70), fails(71), fails(99), fails(101)] == [1, 0, 0, 1]
    assert [answers(102), answers(103)] == [1, 0]
    with statements(db.engine) as seen:
        record_answer(provider.uuid, at)
    assert len(seen) == 1
