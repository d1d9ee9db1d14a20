"""Subscriptions over the API: sold, changed, renewed, canceled, featured, switched and deleted; and the audit."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from portal.accounts.models import Account
from portal.db import session, transaction
from portal.scopes import Scope
from portal.subscriptions.models import Subscription, SubscriptionStatus
from tests.api.conftest import NewProgram, Program
from tests.cast import Cast
from tests.conftest import BOTH

AT_ONCE = 4

MONTHLY = {
    "name": "Monthly", "service_type": "meet", "price": "19.90", "currency": "EUR", "periodicity": 1,
    "periodicity_type": "month", "grace_period": 1, "grace_interval": "week",
}  # fmt: skip


def data(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json["data"]


def refused(answer: Any, status: int = 422) -> set[str]:
    assert answer.status_code == status, answer.text
    return set(answer.json["errors"])


@pytest.fixture
def ada(program: NewProgram) -> Program:
    return program("admin")


@pytest.fixture
def acme(ada: Program) -> str:
    return str(data(ada.get("/customers?search=company_name:Acme"))[0]["id"])


@pytest.fixture
def package(ada: Program) -> str:
    mesh = data(ada.get("/service-providers"))[0]["id"]
    made = data(ada.post("/service-packages", MONTHLY | {"service_provider_id": mesh}), 201)
    data(ada.post(f"/service-packages/{made['id']}/features", {"service_feature_code": "max_rooms", "value": 2}), 201)
    return str(made["id"])


@pytest.fixture
def sold(ada: Program, package: str, acme: str) -> str:
    """The address of what Acme bought."""
    body = {"package_id": package, "subscriber_id": acme, "starts_at": "2027-01-31"}
    return f"/subscriptions/{data(ada.post('/subscriptions', body), 201)['id']}"


@pytest.fixture
def running(ada: Program, package: str, acme: str) -> str:
    """The address of what Acme bought and uses from today on."""
    return (
        f"/subscriptions/{data(ada.post('/subscriptions', {'package_id': package, 'subscriber_id': acme}), 201)['id']}"
    )


def test_what_is_sold_is_a_copy_with_its_first_account(ada: Program, package: str, acme: str) -> None:
    body = {"package_id": package, "subscriber_id": acme, "starts_at": "2027-01-31"}
    answer = ada.post("/subscriptions", body)
    made = data(answer, 201)
    assert (made["package_id"], made["subscriber_id"], made["customer_id"]) == (package, acme, acme)
    assert (made["price"], made["feature_values"], made["grace_interval"]) == ("19.90", {"max_rooms": 2}, "week")
    assert (made["starts_at"][:10], made["ends_at"][:10]) == ("2027-01-31", "2027-02-28"), "through the 27th"
    assert answer.headers["Location"].endswith(f"/subscriptions/{made['id']}")
    accounts = data(ada.get("/accounts?limit=100"))
    assert [one["account_name"] for one in accounts if one["subscription_id"] == made["id"]] == ["Monthly"]
    data(ada.post("/subscriptions", body | {"account": False}), 201)
    assert len(data(ada.get("/accounts?limit=100"))) == len(accounts)


def test_what_is_sold_on_other_terms_than_the_packages_keeps_them(ada: Program, package: str, acme: str) -> None:
    body = {"package_id": package, "subscriber_id": acme, "starts_at": "2027-01-31"}
    own = {
        "price": "9.50", "currency": "USD", "tier": 3, "periodicity": 2, "trial_period": 1, "trial_interval": "week",
        "subscription_metadata": {"offer": "4711"},
    }  # fmt: skip
    made = data(ada.post("/subscriptions", body | own), 201)
    assert {name: made[name] for name in own} == own
    assert (made["periodicity_type"], made["grace_period"]) == ("month", 1)
    assert (made["trial_ends_at"][:10], made["ends_at"][:10]) == ("2027-02-07", "2027-04-07")
    assert data(ada.post("/subscriptions", body | {"ends_at": "2027-02-28"}), 201)["ends_at"][:10] == "2027-03-01"
    assert refused(ada.post("/subscriptions", body | {"price": "-1", "currency": "XXX"})) == {"price", "currency"}
    assert refused(ada.post("/subscriptions", body | {"ends_at": "2027-01-01"})) == {"ends_at"}
    assert refused(ada.post("/subscriptions", body | {"trial_period": 1})) == {"trial_interval"}


def test_who_or_what_is_unknown_is_said_by_its_field(ada: Program, package: str, acme: str) -> None:
    body = {"package_id": package, "subscriber_id": acme}
    assert refused(ada.post("/subscriptions", body | {"package_id": acme})) == {"package_id"}
    assert refused(ada.post("/subscriptions", body | {"subscriber_id": package})) == {"subscriber_id"}
    for wrong in ("soon", "2027-02-30", 5, "2027-01-31T10:00:00"):
        assert refused(ada.post("/subscriptions", body | {"starts_at": wrong})) == {"starts_at"}, wrong


def test_it_is_changed_renewed_and_canceled(ada: Program, sold: str) -> None:
    answer = ada.patch(sold, {"name": "Ours", "ends_at": "2027-03-31", "price": 12.5, "grace_period": None})
    changed = data(answer)
    assert (changed["name"], changed["ends_at"][:10], changed["price"]) == ("Ours", "2027-04-01", "12.50")
    assert (changed["grace_period"], changed["grace_interval"]) == (None, None)
    assert ada.patch(sold, {"name": "Later"}, If_Match='"other"').status_code == 412
    assert refused(ada.patch(sold, {"ends_at": "2020-01-01"})) == {"ends_at"}
    assert refused(ada.patch(sold, {"trial_period": 3})) == {"trial_interval"}
    assert refused(ada.patch(sold, {"service_type": "video"})) == {"service_type"}
    assert data(ada.post(f"{sold}/renew", {"renew": True, "cycles": 2}))["ends_at"][:10] == "2027-06-01"
    assert data(ada.post(f"{sold}/renew", {"renew": False}))["ends_at"][:10] == "2027-06-01"
    ignored = data(ada.post(f"{sold}/cancel", {"cancel": True}))
    assert ignored["status"] == "active", "it has not begun, so it is not active"
    data(ada.patch(sold, {"starts_at": "2026-01-01"}))
    canceled = data(ada.post(f"{sold}/cancel", {"cancel": True}))
    assert (canceled["status"], canceled["cancels_at"], canceled["is_active"]) == (
        "canceled",
        canceled["ends_at"],
        True,
    )
    assert ada.post(f"{sold}/renew", {"renew": True}).status_code == 409
    assert data(ada.post(f"{sold}/renew", {"renew": True, "uncancel": True}))["canceled_at"] is None
    assert data(ada.post(f"{sold}/cancel", {"cancel": True, "cancel_now": True}))["is_active"] is False


def test_a_status_is_set_by_the_operation_that_stands_for_it(ada: Program, sold: str, cast: Cast) -> None:
    def told() -> list[str]:
        lines = data(ada.get("/audit-events?limit=100"))
        return [line["action"] for line in reversed(lines) if line["action"].startswith("subscription.")]

    def put(status: str) -> Any:
        return data(ada.patch(sold, {"status": status}))

    sales = told()
    data(ada.patch(sold, {}))
    data(ada.patch(sold, {"status": "active"}))
    assert told() == sales, "nothing was changed"
    assert ada.patch(sold, {"name": "Ours", "status": "canceled"}).status_code == 409, "it has not begun"
    data(ada.patch(sold, {"starts_at": "2026-01-01"}))
    canceled = put("canceled")
    assert (canceled["status"], canceled["cancels_at"][:10]) == ("canceled", "2027-03-07"), "with its grace"
    assert put("suspended")["canceled_at"] == canceled["canceled_at"]
    assert ada.patch(sold, {"status": "inactive"}).status_code == 409
    assert (put("active")["canceled_at"], put("inactive")["is_active"]) == (None, False)
    for status in ("active", "canceled", "suspended"):
        assert ada.patch(sold, {"status": status}).status_code == 409, status
    assert data(ada.post(f"{sold}/renew", {"renew": True}))["status"] == "active"
    put("terminated")
    for status in ("active", "canceled", "suspended", "inactive"):
        assert ada.patch(sold, {"name": "Ours", "status": status}).status_code == 409, status
    assert data(ada.get(sold))["name"] != "Ours", "a refused change changes nothing"
    acts = ["updated", "canceled", "suspended", "resumed", "uncanceled", "ended", "renewed", "terminated"]
    assert told()[len(sales) :] == [f"subscription.{act}" for act in acts]


def test_features_are_granted_changed_removed_and_synced(ada: Program, sold: str) -> None:
    features = f"{sold}/features"
    added = {"service_feature_code": "max_participants", "value": True}
    assert data(ada.post(features, added), 201)["value"] is True
    assert ada.post(features, added).status_code == 409
    assert data(ada.patch(f"{features}/max_participants", {"value": "30"}))["value"] == 30
    assert refused(ada.patch(f"{features}/max_participants", {"value": -1})) == {"value"}
    assert refused(ada.post(features, {"service_feature_code": "max_wings", "value": 2})) == {"service_feature_code"}
    assert ada.patch(f"{features}/max_wings", {"value": 1}).status_code == 404
    assert ada.delete(f"{features}/max_rooms").status_code == 204
    assert ada.delete(f"{features}/max_rooms").status_code == 404
    assert [one["service_feature_code"] for one in data(ada.get(features))] == ["max_participants"]
    synced = data(ada.post(f"{features}/sync", {"sync": True}))
    assert [(one["id"], one["value"]) for one in synced] == [("max_rooms", 2)]
    (used,) = data(ada.get(f"{sold}/usage"))
    assert (used["code"], used["value"], used["used"], used["hits"], used["by"]) == ("max_rooms", 2, 0, False, [])


@BOTH
def test_of_many_who_add_a_feature_at_once_one_does(ada: Program, sold: str, package: str) -> None:
    def add(address: str) -> int:
        body = {"service_feature_code": "max_participants", "value": 5}
        return int(ada.post(f"{address}/features", body).status_code)

    for address in (sold, f"/service-packages/{package}"):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            assert sorted(pool.map(add, AT_ONCE * [address])) == [201, *((AT_ONCE - 1) * [409])], address


def test_where_a_part_is_said_to_be_it_can_be_read(ada: Program, sold: str) -> None:
    added = ada.post(f"{sold}/features", {"service_feature_code": "max_participants", "value": 5})
    (provider,) = data(ada.get(f"{sold}/providers"))
    for path, there in (
        (added.headers["Location"].partition("/api/v1")[2], data(added, 201)),
        (f"{sold}/providers/{provider['id']}", provider),
    ):
        answer = ada.get(path)
        assert (data(answer), bool(answer.headers["ETag"])) == (there, True), path
    assert ada.get(f"{sold}/features/max_wings").status_code == 404
    assert ada.get(f"{sold}/providers/nosuchone1").status_code == 404


def test_what_is_included_is_what_its_own_address_tells(ada: Program, running: str, program: NewProgram) -> None:
    everything = "customer,package,features,usage,providers,accounts,rooms"
    account = data(ada.get(f"{running}?include=accounts"))["accounts"]["data"][0]["id"]
    room = data(ada.post("/rooms", {"room_name": "One", "account_id": account}), 201)
    read = data(ada.get(f"{running}?include={everything}"))
    for part in ("features", "providers"):
        assert read[part]["data"] == data(ada.get(f"{running}/{part}")) != []
    assert read["customer"]["data"] == data(ada.get(f"/customers/{read['customer_id']}"))
    assert read["package"]["data"] == data(ada.get(f"/service-packages/{read['package_id']}"))
    assert read["accounts"]["data"] == [data(ada.get(f"/accounts/{account}"))]
    assert read["rooms"]["data"] == [data(ada.get(f"/rooms/{room['id']}"))]
    usage = [one | {"by": []} for one in data(ada.get(f"{running}/usage"))]
    assert read["usage"]["data"] == usage != []
    own = data(program("alice").get(f"{running}?include={everything}"))
    assert (own["providers"], own["package"]) == (None, None), "services and packages are for staff"
    for part in ("customer", "features", "usage", "accounts"):
        assert own[part] == read[part]
    assert [one["id"] for one in own["rooms"]["data"]] == [room["id"]]
    listed = {one["id"]: one for one in data(ada.get(f"/subscriptions?include={everything}&limit=100"))}
    assert listed[read["id"]] == read
    fewer = data(ada.get(f"{running}?include=rooms&filter=rooms.room_name"))
    assert fewer["rooms"]["data"] == [{"object": "Room", "id": room["id"], "room_name": "One"}]


def test_rooms_are_included_only_with_their_scope(sold: str, program: NewProgram) -> None:
    narrow = program("admin", Scope.CUSTOMERS_READ, Scope.ADMIN)
    assert narrow.get(f"{sold}?include=rooms").status_code == 403
    assert narrow.get(f"{sold}?include=accounts").status_code == 200


def test_who_owns_an_account_finds_no_others_in_its_subscription(
    ada: Program, running: str, program: NewProgram, cast: Cast
) -> None:
    first = data(ada.get(f"{running}?include=accounts"))["accounts"]["data"][0]["id"]
    second = data(ada.post("/accounts", {"subscription_id": running.rpartition("/")[2], "account_name": "Two"}), 201)[
        "id"
    ]
    room = data(ada.post("/rooms", {"room_name": "One", "account_id": first}), 201)["id"]
    with cast.app.app_context(), transaction():
        session.scalars(sa.select(Account).where(Account.id == second)).one().owner_uuid = cast.user("bob").uuid
    read = data(program("bob").get(f"{running}?include=customer,usage,accounts,rooms"))
    assert ([one["id"] for one in read["accounts"]["data"]], read["rooms"]["data"]) == ([second], [])
    assert (read["customer"], read["usage"]) == (None, None)
    assert room


def test_the_audit_is_searched_by_person_room_and_customer(ada: Program, cast: Cast, running: str) -> None:
    with cast.app.app_context():
        person, customer = cast.user("admin").id, cast.room().customer.id
    account = data(ada.get(f"{running}?include=accounts"))["accounts"]["data"][0]["id"]
    room = data(ada.post("/rooms", {"room_name": "Looked at", "account_id": account}), 201)["id"]
    for search in (f"actor_id:{person}", f"room_id:{room}", f"customer_id:{customer}"):
        name, value = search.split(":")
        lines = data(ada.get(f"/audit-events?search={search}&limit=100"))
        assert {line[name] for line in lines} == {value}
    assert {line["action"] for line in data(ada.get(f"/audit-events?search=room_id:{room}"))} == {"room.created"}


def test_services_are_added_made_the_default_and_removed(ada: Program, sold: str, package: str) -> None:
    providers, of_package = f"{sold}/providers", f"/service-packages/{package}/providers"
    other = data(ada.post("/service-providers", {"provider_name": "Other", "provider_type": "mesh"}), 201)["id"]
    chosen = data(ada.post(of_package, {"service_provider_id": other}), 201)["id"]
    (before,) = data(ada.get(providers))
    assert (before["default"], before["active"]) == (True, True)
    assert refused(ada.post(providers, {"package_provider_id": other})) == {"package_provider_id"}
    added = data(ada.post(providers, {"package_provider_id": chosen, "default": True}), 201)
    assert (added["service_provider_id"], added["default"]) == (other, True)
    assert ada.delete(f"{providers}/{added['id']}").status_code == 409
    assert refused(ada.patch(f"{providers}/{added['id']}", {"default": False})) == {"default"}
    assert data(ada.patch(f"{providers}/{before['id']}", {"active": False, "metadata": {"a": 1}}))["active"] is False
    assert ada.patch(f"{providers}/{before['id']}", {"default": True}).status_code == 409
    assert ada.delete(f"{providers}/{before['id']}").status_code == 204
    assert [one["id"] for one in data(ada.get(providers))] == [added["id"]]


def test_only_an_inactive_one_is_deleted_with_what_is_below(ada: Program, sold: str, cast: Cast) -> None:
    answer = ada.delete(sold)
    assert answer.status_code == 409
    assert "Cancel it" in answer.json["message"]
    with cast.app.app_context(), transaction():
        query = sa.select(Subscription).where(Subscription.id == sold.rpartition("/")[2])
        session.scalars(query).unique().one().status = SubscriptionStatus.INACTIVE
    before = len(data(ada.get("/accounts?limit=100")))
    assert ada.delete(sold).status_code == 204
    assert ada.delete(sold).status_code == 404
    assert len(data(ada.get("/accounts?limit=100"))) == before - 1


def test_the_audit_tells_staff_everything_and_owners_of_their_rooms(
    ada: Program, sold: str, program: NewProgram, cast: Cast
) -> None:
    data(ada.patch(sold, {"name": "Renamed"}))
    alice = program("alice")
    data(alice.patch(f"/rooms/{cast.board}", {"room_name": "Renamed, too"}))
    changed = data(ada.get("/audit-events?search=action:subscription.updated"))[0]
    assert changed["changes"]["name"][1] == "Renamed"
    assert changed["customer_id"] is not None
    theirs = data(alice.get("/audit-events?limit=100"))
    assert theirs[0]["room_id"] == cast.board, "the newest first"
    assert all(line["room_id"] and line["network"] is None for line in theirs)
    assert {line["network"] for line in data(ada.get("/audit-events"))} != {None}
    charlie = program("charlie")
    assert cast.board not in {line["room_id"] for line in data(charlie.get("/audit-events?limit=100"))}


def test_syncing_is_no_feature(ada: Program, sold: str) -> None:
    for method in ("PATCH", "DELETE"):
        answer = ada.call(method, f"{sold}/features/sync", {"value": 1} if method == "PATCH" else None)
        assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (405, {"POST", "OPTIONS"})
