"""Packages and service providers over the API: what is sent, answered, and refused by name."""

from collections.abc import Iterator
from typing import Any

import pytest

from portal.people.staff import StaffPermission
from portal.providers import registry
from portal.providers.mesh.adapter import Mesh
from tests.api.conftest import NewProgram, Program
from tests.cast import Cast
from tests.providers.standin.adapter import StandInAdapter
from tests.providers.standin.server import SECRET, StandIn, running
from tests.web.admin.staffing import with_role

PACKAGE = {
    "name": "Meet Plus", "service_type": "meet", "price": 19.9, "signup_fee": "5", "currency": "EUR", "periodicity": 1,
    "periodicity_type": "month", "trial_period": 2, "trial_interval": "week", "package_metadata": [],
}  # fmt: skip


@pytest.fixture
def service() -> Iterator[StandIn]:
    with running() as service:
        yield service


@pytest.fixture
def ada(program: NewProgram) -> Program:
    made = program("admin")
    registry.fill([Mesh([]), StandInAdapter()])  # what the next app's catalog replaces
    return made


def data(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json["data"]


def refused(answer: Any) -> set[str]:
    assert answer.status_code == 422, answer.text
    return set(answer.json["errors"])


def mesh(ada: Program) -> str:
    return str(data(ada.get("/service-providers?search=provider_type:mesh"))[0]["id"])


def test_a_package_is_made_read_changed_and_deleted(ada: Program) -> None:
    made = data(ada.post("/service-packages", PACKAGE | {"service_provider_id": mesh(ada)}), 201)
    assert (made["price"], made["signup_fee"], made["package_metadata"]) == ("19.90", "5.00", {})
    assert (made["trial_period"], made["trial_interval"], made["grace_period"]) == (2, "week", None)
    address = f"/service-packages/{made['id']}"
    answer = ada.patch(address, {"grace_period": 3, "grace_interval": "day", "periodicity": 3, "price": "24.90"})
    changed = data(answer)
    assert (changed["grace_interval"], changed["periodicity_type"], changed["price"]) == ("day", "month", "24.90")
    assert data(ada.patch(address, {"trial_period": None}))["trial_interval"] is None
    assert ada.patch(address, {"hidden": True}, If_Match=answer.headers["ETag"]).status_code == 412
    found = data(ada.get(f"{address}?include=features,providers"))
    assert [one["default"] for one in found["providers"]["data"]] == [True]
    assert found["features"]["data"] == []
    assert [one["name"] for one in data(ada.get("/service-packages?search=name:Plus&orderBy=name"))] == ["Meet Plus"]
    assert ada.delete(address).status_code == 204
    assert ada.get(address).status_code == 404


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"price": -1}, {"price"}), ({"price": "cheap"}, {"price"}), ({"price": True}, {"price"}),
        ({"price": "0.001"}, {"price"}), ({"currency": "ZZZ"}, {"currency"}), ({"periodicity": 0}, {"periodicity"}),
        ({"grace_period": 2}, {"grace_interval"}), ({"service_type": "dance"}, {"service_type"}),
        ({"service_provider_id": "nobody"}, {"service_provider_id"}), ({"name": " "}, {"name"}),
        ({"periodicity": None, "periodicity_type": None, "grace_period": 1, "grace_interval": "day"}, {"grace_period"}),
        ({"id": "mine"}, {"id"}), ({"stock_qty": -1}, {"stock_qty"}),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_name(ada: Program, changes: dict[str, Any], fields: set[str]) -> None:
    assert refused(ada.post("/service-packages", PACKAGE | changes)) == fields
    assert data(ada.get("/service-packages?search=name:Plus")) == []


def test_features_are_rows_by_their_code(ada: Program) -> None:
    made = data(ada.post("/service-packages", PACKAGE | {"service_provider_id": mesh(ada)}), 201)
    features = f"/service-packages/{made['id']}/features"
    row = data(ada.post(features, {"service_feature_code": "max_rooms", "value": "10"}), 201)
    assert (row["id"], row["service_feature_code"], row["value"]) == ("max_rooms", "max_rooms", 10)
    assert ada.post(features, {"service_feature_code": "max_rooms", "value": 1}).status_code == 409
    assert refused(ada.post(features, {"service_feature_code": "max_wings", "value": 1})) == {"service_feature_code"}
    for code in ("max_viewers", "recording"):
        assert refused(ada.post(features, {"service_feature_code": code, "value": 1})) == {"value"}
    assert data(ada.patch(f"{features}/max_rooms", {"value": True}))["value"] is True
    assert refused(ada.patch(f"{features}/max_rooms", {})) == {"value"}
    endless = ada.patch(f"{features}/max_rooms", {"value": "9" * 5000})
    assert refused(endless) == {"value"}
    assert "sys." not in endless.text
    assert [one["value"] for one in data(ada.get(features))] == [True]
    assert ada.delete(f"{features}/max_rooms").status_code == 204
    assert ada.delete(f"{features}/max_rooms").status_code == 404


def test_one_provider_of_a_package_is_the_default(ada: Program, service: StandIn) -> None:
    other = data(ada.post("/service-providers", connection(service)), 201)["id"]
    made = data(ada.post("/service-packages", PACKAGE | {"service_provider_id": mesh(ada)}), 201)
    providers = f"/service-packages/{made['id']}/providers"
    added = data(ada.post(providers, {"service_provider_id": other, "settings": {"region": "eu"}}), 201)
    [first] = [one["id"] for one in data(ada.get(providers)) if one["default"]]
    assert (added["default"], added["settings"]) == (False, {"region": "eu"})
    assert refused(ada.patch(f"{providers}/{first}", {"active": False})) == {"active"}
    assert ada.delete(f"{providers}/{first}").status_code == 409
    assert data(ada.patch(f"{providers}/{added['id']}", {"default": True}))["default"] is True
    assert ada.delete(f"{providers}/{first}").status_code == 204


def connection(service: StandIn, **properties: Any) -> dict[str, Any]:
    return {
        "provider_name": "Elsewhere",
        "provider_type": "standin",
        "properties": {"host_url": service.url, "secret": SECRET} | properties,
    }


def test_a_secret_goes_in_and_never_out(ada: Program, service: StandIn) -> None:
    made = data(ada.post("/service-providers", connection(service)), 201)
    assert made["properties"] == {"host_url": service.url, "secret": None, "secret_set": True}
    address = f"/service-providers/{made['id']}"
    assert SECRET not in ada.get(address).text
    elsewhere = {"provider_name": "Renamed", "properties": {"host_url": "https://x.example"}}
    assert refused(ada.patch(address, elsewhere)) == {"properties.secret"}
    elsewhere["properties"]["secret"] = "another-secret"  # type: ignore[index]
    changed = data(ada.patch(address, elsewhere))
    assert (changed["provider_name"], changed["properties"]["secret_set"]) == ("Renamed", True)
    assert refused(ada.patch(address, {"properties": {"host_url": None}})) == {"properties.host_url"}
    assert refused(ada.post("/service-providers", {"provider_name": "x", "provider_type": "no"})) == {"provider_type"}


def test_a_connection_is_tested_by_properties_or_as_stored(ada: Program, service: StandIn) -> None:
    body = connection(service)
    del body["provider_name"]
    answer = data(ada.post("/service-providers/test", body))
    assert (answer["ok"], answer["tested"], answer["version"]) == (True, True, "1.2")
    for wrong in ({"secret": "wrong"}, {"host_url": "http://127.0.0.1:9"}):
        [field] = wrong
        sent = body | {"properties": body["properties"] | wrong}
        assert refused(ada.post("/service-providers/test", sent)) == {f"properties.{field}"}
    made = data(ada.post("/service-providers", connection(service)), 201)
    address = f"/service-providers/{made['id']}"
    assert data(ada.post(f"{address}/test"))["version"] == "1.2"
    assert data(ada.post(f"/service-providers/{mesh(ada)}/test"))["tested"] is False
    service.dead = True
    assert refused(ada.post(f"{address}/test")) == {"properties.host_url"}
    health = data(ada.get(f"{address}/health"))
    assert (health["object"], health["id"]) == ("ServiceProviderHealth", made["id"])
    assert health["last_error"] == "No such service answers at this address."
    assert health["last_answer_at"] < health["last_error_at"] == health["down_since"]
    service.dead = False
    data(ada.post(f"{address}/test"))
    after = data(ada.get(f"{address}/health"))
    assert (after["down_since"], after["last_error_at"]) == (None, health["last_error_at"])
    assert after["last_answer_at"] > health["last_answer_at"]


def test_a_provider_that_is_used_stays_and_the_refusal_names_where(ada: Program) -> None:
    address = f"/service-providers/{mesh(ada)}"
    for answer in (ada.patch(address, {"active": False}), ada.delete(address)):
        assert answer.status_code == 409
        assert "Meet Standard" in answer.json["message"]
    assert data(ada.patch(address, {"draining": True}))["draining"] is True


def test_staff_need_the_permission_and_the_scopes(cast: Cast, program: NewProgram) -> None:
    from portal.scopes import Scope

    with_role(cast, "bob", StaffPermission.DASHBOARD_ACCESS, StaffPermission.PACKAGES_READ)
    bob = program("bob", Scope.CUSTOMERS_READ, Scope.CUSTOMERS_WRITE, Scope.ADMIN)
    assert bob.get("/service-packages").status_code == 200
    assert bob.post("/service-packages", PACKAGE).status_code == 403
    assert bob.get("/service-providers").status_code == 403
    assert program("bob", Scope.CUSTOMERS_READ).get("/service-packages").status_code == 404
