"""Properties of provider rows: judged by what the adapter declares; secrets are sealed, and told to nobody again."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from portal.audit.models import AuditEvent
from portal.db import session
from portal.errors import Invalid
from portal.resources.packages import provider_properties
from portal.subscriptions.provider_models import ServiceProvider
from portal.subscriptions.service_providers import change_provider, create_provider
from portal.subscriptions.services import bound_service
from tests.conftest import BOTH
from tests.providers.declaring import registered

ENDPOINT = {"endpoint": "https://service.example/api"}
SECRET = "hunter2-hunter2"

pytestmark = pytest.mark.usefixtures("in_app", "_declaring")


@pytest.fixture
def _declaring(in_app: None) -> Iterator[None]:
    with registered():
        yield


def make(**properties: Any) -> ServiceProvider:
    return create_provider(provider_name="A service", provider_type="declaring", properties=ENDPOINT | properties)


def change(provider: ServiceProvider, **properties: Any) -> None:
    change_provider(provider, properties=properties)


@BOTH
def test_a_secret_is_sealed_in_the_row_and_plain_for_the_service_alone() -> None:
    provider = make(my_secret=SECRET, my_number=3)
    session.expire_all()
    assert SECRET not in repr(provider.properties)
    assert provider.properties["my_number"] == 3
    bound = bound_service(provider)
    assert (bound["my_secret"], bound["my_number"], bound["endpoint"]) == (SECRET, 3, ENDPOINT["endpoint"])


def test_a_secret_goes_to_another_address_only_from_whoever_knows_it() -> None:
    """Else whoever may change a provider would send its secret to a machine of his own, and read it there."""
    provider = make(my_secret=SECRET)
    elsewhere = "https://evil.example/api"
    with pytest.raises(Invalid) as refused:
        change(provider, endpoint=elsewhere)
    assert set(refused.value.fields) == {"properties.my_secret"}
    change(provider, my_number=4, **ENDPOINT)
    change(provider, endpoint=elsewhere, my_secret="another-one")
    assert bound_service(provider)["my_secret"] == "another-one"


def test_the_service_gets_the_default_of_what_is_not_set() -> None:
    bound = bound_service(make())
    assert (bound["my_number"], bound["my_switch"], bound["my_secret"]) == (7, False, "")


@BOTH
def test_a_secret_that_is_left_out_stays_and_null_removes_it() -> None:
    provider = make(my_secret=SECRET)
    change(provider, my_text="Hello")
    assert bound_service(provider)["my_secret"] == SECRET
    change(provider, my_secret="another one")
    assert bound_service(provider)["my_secret"] == "another one"
    change(provider, my_secret=None, my_text="")
    assert provider.properties == ENDPOINT


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({"nonsense": 1, "my_text": "Fine"}, {"nonsense"}),
        ({"my_secret_set": True}, {"my_secret_set"}),
        ({"x_free": "is for rooms"}, {"x_free"}),
        ({"my_number": True, "my_switch": 1, "my_color": "red"}, {"my_number", "my_switch", "my_color"}),
        ({"my_secret": 5}, {"my_secret"}),
        ({"endpoint": None}, {"endpoint"}),
        ({"endpoint": " "}, {"endpoint"}),
    ],
)
def test_what_the_adapter_does_not_take_is_refused_by_name(properties: dict[str, Any], named: set[str]) -> None:
    provider = make(my_text="Hello")
    for judged in (lambda: make(**properties), lambda: change(provider, **properties)):
        with pytest.raises(Invalid) as refused:
            judged()
        assert set(refused.value.fields) == {f"properties.{name}" for name in named}
    assert provider.properties == ENDPOINT | {"my_text": "Hello"}


def test_a_row_without_a_required_property_is_not_made() -> None:
    with pytest.raises(Invalid) as refused:
        create_provider(provider_name="A service", provider_type="declaring")
    assert set(refused.value.fields) == {"properties.endpoint"}


def test_the_audit_log_says_what_was_changed_and_holds_no_secret() -> None:
    provider = make(my_secret=SECRET, my_text="Hello")
    change(provider, my_secret="another one", my_text="Goodbye")
    session.commit()
    lines = session.scalars(sa.select(AuditEvent).where(AuditEvent.thing_uuid == provider.uuid)).all()
    assert {line.action: line.details for line in lines} == {
        "provider.created": {"kind": "declaring"},
        "provider.updated": {"changes": {"properties.my_text": ["Hello", "Goodbye"]}, "secrets": "my_secret"},
    }


def test_programs_read_whether_a_secret_is_set_and_never_what_it_is() -> None:
    provider = make(my_secret=SECRET, my_number=3, my_switch=False)
    shown = provider_properties(provider)
    assert shown == dict.fromkeys(
        [f"my_{kind}" for kind in ("text", "address", "choice", "color", "moment", "file")]
    ) | {
        "endpoint": ENDPOINT["endpoint"],
        "my_number": 3,
        "my_switch": False,
        "my_secret": None,
        "my_secret_set": True,
    }
    change(provider, my_secret=None)
    assert provider_properties(provider)["my_secret_set"] is False


def test_what_is_stored_and_no_longer_declared_is_told_to_nobody() -> None:
    provider = make()
    provider.properties = ENDPOINT | {"retired": "perhaps a secret"}
    assert "retired" not in provider_properties(provider)
    assert "retired" not in bound_service(provider)
