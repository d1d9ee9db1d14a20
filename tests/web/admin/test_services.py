"""The pages of services: connecting one, testing the connection, secrets that are never shown, and switching off."""

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from portal.clock import now
from portal.db import session, transaction
from portal.people.staff import StaffPermission
from portal.providers import registry
from portal.providers.mesh.adapter import Mesh
from portal.subscriptions.provider_models import ServiceProvider
from portal.subscriptions.services import bound_service
from tests.cast import Cast, Client
from tests.providers.standin.adapter import StandInAdapter
from tests.providers.standin.server import SECRET, StandIn, running
from tests.web.admin.staffing import with_role

NEW = "/admin/services/new?kind=standin"


@pytest.fixture
def service() -> Iterator[StandIn]:
    with running() as service:
        yield service


@pytest.fixture
def ada(cast: Cast) -> Client:
    registry.fill([Mesh([]), StandInAdapter()])  # what the next app's catalog replaces
    return cast.sign_in("admin")


@pytest.fixture
def page(ada: Client, service: StandIn) -> str:
    return connect(ada, service)


def connect(ada: Client, service: StandIn, name: str = "Elsewhere") -> str:
    fields = {"provider_name": name, "service_type": "meet", "host_url": service.url, "secret": SECRET}
    answer = ada.send(NEW, **fields)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def stored(cast: Cast, name: str = "Elsewhere") -> ServiceProvider:
    return session.scalars(sa.select(ServiceProvider).where(ServiceProvider.provider_name == name)).one()


def test_a_secret_is_stored_and_never_shown_again(cast: Cast, ada: Client, page: str) -> None:
    for path in (page, f"{page}/edit"):
        assert SECRET not in ada.get(path).text
    assert "Set, never shown again" in ada.get(page).text
    elsewhere = {"provider_name": "Renamed", "host_url": "https://x.example"}
    assert ada.send(f"{page}/edit", **elsewhere, secret="").status_code == 422
    assert ada.send(f"{page}/edit", **elsewhere, secret=SECRET).status_code == 303
    with cast.app.app_context():
        service = bound_service(stored(cast, "Renamed"))
        assert (service.origin, service._secret) == ("https://x.example", SECRET)


def test_a_property_that_nobody_set_is_shown_as_it_counts(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    typed = {"provider_name": "Meetings", "service_type": "meet", "host_url": "https://meet.example", "secret": SECRET}
    saved = ada.send("/admin/services/new?kind=bigbluebutton", **typed, checksum="sha256", hooks_auth="bearer")
    assert saved.status_code == 303
    shown = re.sub(r"<[^>]*>|\s+", " ", ada.get(saved.location).text)
    assert re.search(r"Signatures +SHA-256", shown)
    assert re.search(r"Proof in callbacks +Bearer", shown)
    assert re.search(r"This portal(.|&#39;)s address for the server +–", shown)


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"secret": "wrong"}, "secret", "refuses this secret"),
        ({"host_url": "http://127.0.0.1:9"}, "host_url", "No such service answers"),
        ({"host_url": "nonsense"}, "host_url", "begins with https://"),
        ({"host_url": ""}, "host_url", "This is required"),
    ],
)
def test_a_test_blames_the_right_field_and_saves_nothing(
    cast: Cast, ada: Client, page: str, service: StandIn, changed: dict[str, str], field: str, words: str
) -> None:
    fields = {"provider_name": "Elsewhere", "service_type": "meet", "host_url": service.url, "secret": SECRET}
    for path in (NEW, f"{page}/edit"):
        answer = ada.send(path, **fields | changed, test="y")
        assert answer.status_code == 422
        assert words in answer.text.split(f'id="error-{field}"')[1][:600]
        good = ada.send(path, **fields, test="y")
        assert "The service answers. Nothing is saved yet" in good.text
        assert "version 1.2" in good.text
    with cast.app.app_context():
        assert session.scalar(sa.select(sa.func.count()).select_from(ServiceProvider)) == 3  # two are built in


def test_what_is_stored_is_tested_from_the_page(cast: Cast, ada: Client, page: str, service: StandIn) -> None:
    ada.send(f"{page}/test", page=page)
    assert "The service answers: version 1.2." in ada.get(page).text
    service.dead = True
    ada.send(f"{page}/test", page=page)
    assert "No such service answers at this address." in ada.get(page).text
    with cast.app.app_context():
        built_in = session.scalars(sa.select(ServiceProvider).where(ServiceProvider.provider_type == "mesh")).one().id
    assert "Built in, nothing to test." in ada.get(f"/admin/services/{built_in}").text


def test_health_is_shown(cast: Cast, ada: Client, page: str) -> None:
    assert "Not asked yet" in ada.get(page).text
    with cast.app.app_context(), transaction():
        one = stored(cast)
        one.down_since = one.last_error_at = now()
        one.last_error = "status got no answer in 2.0 s"
    shown = ada.get(page).text
    assert "Does not answer" in shown
    assert "status got no answer in 2.0 s" in shown
    assert "Elsewhere" in ada.get("/admin/services?status=down").text
    assert "Services that do not answer" in ada.get("/admin").text
    with cast.app.app_context(), transaction():
        stored(cast).down_since = None
    assert "Services that do not answer" not in ada.get("/admin").text


def test_a_default_stays_on_and_what_is_attached_stays_and_both_say_where(cast: Cast, ada: Client, page: str) -> None:
    with cast.app.app_context():
        built_in = session.scalars(sa.select(ServiceProvider).where(ServiceProvider.provider_type == "mesh")).one().id
    used = f"/admin/services/{built_in}"
    shown = ada.get(used).text
    assert "This service is the default of the packages “Meet Pro”, “Meet Standard” and 2 subscriptions" in shown
    assert "It cannot be deleted now." in shown
    assert "/admin/packages/" in shown
    for act in ("deactivation", "deletion"):
        assert ada.send(f"{used}/{act}", page="/me").status_code == 303
    with cast.app.app_context():
        assert session.scalars(sa.select(ServiceProvider).where(ServiceProvider.id == built_in)).one().active
    for act in ("drain", "undrain", "deactivation", "activation"):
        assert ada.send(f"{page}/{act}", page=page).status_code == 303
    assert ada.send(f"{page}/deletion").status_code == 303
    assert ada.get(page).status_code == 404


def test_staff_see_only_the_controls_that_they_may_use(cast: Cast, page: str) -> None:
    bob = with_role(cast, "bob", StaffPermission.DASHBOARD_ACCESS, StaffPermission.PROVIDERS_READ)
    shown = bob.get(page).text
    for words in ("Edit", "Drain", "Deactivate", "Delete this service"):
        assert words not in shown, words
    assert bob.send(f"{page}/drain", page="/me").status_code == 403
