"""Nothing new is made for a customer that is suspended or worse, by a page or over the API, whoever asks.

Each line of the two tables is tried while the customer is active, when it has to make something, and otherwise.
"""

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.accounts.models import Account, AccountMember
from portal.admission.models import AccessCode, RoomToken
from portal.api.v1.core.endpoint import DESCRIPTION
from portal.customers.creating import why_nothing_new
from portal.customers.models import Customer, CustomerMember, CustomerStatus
from portal.db import Base, session, transaction
from portal.people.actor import actor_of
from portal.people.operations import create_user
from portal.permissions.members import RoomMember
from portal.permissions.memberships import add_membership
from portal.rooms.models import Room
from portal.rooms.operations import trash_room
from portal.subscriptions.models import Subscription, SubscriptionFeature
from portal.videos.models import RoomVideo
from portal.webhooks.models import WebhookEndpoint
from tests.api.conftest import NewProgram, program
from tests.cast import Cast, new_room
from tests.video_room import new_video_room

__all__ = ["program"]

ROOT = Path(__file__).parents[2]
STATUSES = [status for status in CustomerStatus if status is not CustomerStatus.ACTIVE]
COLLEAGUE = "cleo@demo.example"


@dataclass
class Making:
    """Something that is made, by sending `body` to `path`; both may name ids as in `{room}`."""

    makes: type[Base]
    path: str
    body: dict[str, Any] = field(default_factory=dict)
    by: str = "alice"
    says: str = ""
    """What the page says instead of the reason, because whoever sees it can do something about it."""

    def __str__(self) -> str:
        return self.path

    def filled(self, ids: dict[str, str]) -> tuple[str, dict[str, Any]]:
        given = {name: value.format(**ids) if isinstance(value, str) else value for name, value in self.body.items()}
        return self.path.format(**ids), given


MEMBER = {"email": COLLEAGUE, "permissions": []}
ROOM = "/manage/rooms/{room}"
PAGES = [
    Making(Room, "/manage/rooms/new", {"room_name": "More", "account": "{account}"}),
    Making(Room, "/manage/rooms/new", {"room_name": "More", "account": "{account}"}, by="admin"),
    Making(Room, "/manage/rooms/{trashed}/restoration"),
    Making(RoomToken, f"{ROOM}/links/new", {"role": "guest"}),
    Making(RoomToken, f"{ROOM}/links/new", {"role": "guest"}, by="admin"),
    Making(RoomToken, "/manage/rooms/{bare}/share", {"role": "guest"}),
    Making(AccessCode, f"{ROOM}/codes/new", {"role": "guest", "code": "more-of-it"}),
    Making(RoomMember, f"{ROOM}/people/new", {"email": COLLEAGUE, "permissions": ["status:view"]}),
    Making(CustomerMember, "/manage/customers/{customer}/people/new", {"email": "bob@demo.example"}, by="admin"),
    Making(AccountMember, "/manage/accounts/{account}/people/new", {"email": COLLEAGUE}),
    Making(WebhookEndpoint, f"{ROOM}/webhooks/new", {"url": "https://hooks.example/more", "events": "room.started"}),
    Making(Account, "/admin/customers/{customer}/accounts/new",
           {"account_name": "More", "subscription_id": "{subscription}"}, by="admin", says="Make it active first."),
    Making(Account, "/manage/customers/{customer}/accounts/new",
           {"account_name": "More", "subscription_id": "{subscription}"}),
    Making(Subscription, "/admin/subscriptions/new", {"customer": "{customer}", "package": "{package}"}, by="admin"),
]  # fmt: skip
API = [
    Making(Room, "/rooms", {"room_name": "More", "account_id": "{account}"}),
    Making(RoomToken, "/rooms/{room}/tokens", {"role": "guest"}),
    Making(AccessCode, "/rooms/{room}/access-codes", {"role": "guest", "code": "more-of-it"}),
    Making(RoomMember, "/rooms/{room}/users", {"email": COLLEAGUE, "permissions": ["status:view"]}),
    Making(CustomerMember, "/customers/{customer}/users", {"email": "bob@demo.example", "permissions": []}, by="admin"),
    Making(AccountMember, "/accounts/{account}/users", MEMBER),
    Making(WebhookEndpoint, "/webhooks",
           {"room_id": "{room}", "url": "https://hooks.example/more", "events": ["room.started"]}),
    Making(RoomVideo, "/rooms/{films}/videos", {"name": "More", "size": 10}),
    Making(Account, "/accounts", {"subscription_id": "{subscription}", "account_name": "More"}, by="admin"),
    Making(Subscription, "/subscriptions", {"package_id": "{package}", "subscriber_id": "{customer}"}, by="admin"),
]  # fmt: skip
NOT_OF_A_CUSTOMER = {"service-packages", "service-providers", "roles", "admins", "users", "customers"}
"""What belongs to the platform; and the customer itself."""
NOT_NEW = {
    "/rooms/<anyid:room_id>/tokens/<anyid:token_id>/rotate": "replaces a link that is there",
    "/rooms/<anyid:room_id>/videos/<anyid:video_id>/captions": "changes a video that is there",
    "/subscriptions/<anyid:subscription_id>/features": "changes a subscription that is there",
    "/subscriptions/<anyid:subscription_id>/providers": "changes a subscription that is there",
    "/webhooks/<anyid:webhook_id>/test": "sends a message by a webhook that is there",
    "/customers/<anyid:customer_id>/addresses": "says how the customer is reached, as its profile does",
    "/customers/<anyid:customer_id>/telephones": "says how the customer is reached, as its profile does",
    "/customers/<anyid:customer_id>/legal-documents": "says who the customer is, as its profile does",
}


@pytest.fixture
def ids(cast: Cast, app: Flask) -> dict[str, str]:
    """The ids of what is there in Acme, which may have any number of accounts: see `Making`."""
    with app.app_context(), transaction():
        room, alice = cast.room(), cast.user("alice")
        account = room.account
        session.execute(sa.delete(SubscriptionFeature).where(SubscriptionFeature.code == "max_accounts"))
        account.subscription.features.append(SubscriptionFeature(code="allow_create_account", switch=True))
        create_user(email=COLLEAGUE, name="Cleo")
        add_membership(place=account.customer, email=COLLEAGUE, permissions=[], by=None)
        made = [new_room(account=account, room_name=name, by=actor_of(alice)) for name in ("Bare", "Trashed")]
        trash_room(made[1], by=actor_of(alice))
        return {
            "room": room.id,
            "bare": made[0].id,
            "trashed": made[1].id,
            "films": new_video_room().id,
            "account": account.id,
            "customer": account.customer.id,
            "subscription": account.subscription.id,
            "package": account.subscription.package.id if account.subscription.package else "",
        }


def set_status(app: Flask, ids: dict[str, str], status: CustomerStatus) -> None:
    """Set it as it is stored only, so that nothing else stands in the way of what is tried."""
    with app.app_context(), transaction():
        session.execute(sa.update(Customer).where(Customer.id == ids["customer"]).values(status=status))


def number_of(app: Flask, kind: type[Base]) -> int:
    query = sa.select(sa.func.count()).select_from(kind)
    with app.app_context():
        return session.scalar(query.where(Room.trashed_at.is_(None)) if kind is Room else query) or 0


@pytest.mark.parametrize("making", PAGES, ids=str)
def test_no_page_makes_anything(cast: Cast, app: Flask, ids: dict[str, str], making: Making) -> None:
    path, body = making.filled(ids)
    browser = cast.sign_in(making.by)
    body["csrf_token"] = browser.token("/me")
    before = number_of(app, making.makes)
    for status in STATUSES:
        set_status(app, ids, status)
        answer = browser.post(path, data=body)
        shut_out = making.by != "admin" and not status.usable
        assert answer.status_code == (403 if shut_out else 303 if "restoration" in path else 409), answer.text
        if answer.status_code == 303:
            answer = browser.get(answer.location)
        assert ("Not available at present" if shut_out else making.says or _said(status)) in answer.text
        assert number_of(app, making.makes) == before
    set_status(app, ids, CustomerStatus.ACTIVE)
    assert browser.post(path, data=body).status_code == 303
    assert number_of(app, making.makes) == before + 1


@pytest.mark.parametrize("making", API, ids=str)
def test_no_operation_of_the_api_makes_anything(
    app: Flask, ids: dict[str, str], program: NewProgram, making: Making
) -> None:
    path, body = making.filled(ids)
    caller = program(making.by)
    before = number_of(app, making.makes)
    for status in STATUSES:
        set_status(app, ids, status)
        answer = caller.post(path, body)
        shut_out = making.by != "admin" and not status.usable
        assert answer.status_code == (403 if shut_out else 409), answer.text
        assert shut_out or answer.json["message"] == _said(status)
        assert number_of(app, making.makes) == before
    set_status(app, ids, CustomerStatus.ACTIVE)
    assert caller.post(path, body).status_code == 201
    assert number_of(app, making.makes) == before + 1


def _said(status: CustomerStatus) -> str:
    return str(why_nothing_new(status))


def test_what_is_there_can_be_changed(cast: Cast, app: Flask, ids: dict[str, str], program: NewProgram) -> None:
    set_status(app, ids, CustomerStatus.SUSPENDED)
    alice, link = program("alice"), next(iter(cast.link_ids.values()))
    assert alice.patch(f"/rooms/{cast.board}", {"room_name": "Renamed"}).status_code == 200
    assert alice.patch(f"/rooms/{cast.board}/tokens/{link}", {"label": "Renamed"}).status_code == 200
    assert alice.post(f"/rooms/{cast.board}/tokens/{link}/rotate", {}).status_code == 201


@pytest.mark.parametrize(
    "path",
    [
        "/manage/rooms", f"{ROOM}/links", f"{ROOM}/codes", f"{ROOM}/people", f"{ROOM}/webhooks", "/manage/rooms/new",
        "/manage/customers/{customer}/people", "/manage/accounts/{account}/people", "/manage/rooms/trash",
        "/manage/rooms/{bare}", "/manage/rooms/{bare}/share",
    ],
)  # fmt: skip
def test_each_page_says_why_beside_the_button(cast: Cast, app: Flask, ids: dict[str, str], path: str) -> None:
    alice, address = cast.sign_in("alice"), path.format(**ids)
    assert _said(CustomerStatus.SUSPENDED) not in alice.get(address).text
    set_status(app, ids, CustomerStatus.SUSPENDED)
    page = alice.get(address)
    assert page.status_code == 200
    assert _said(CustomerStatus.SUSPENDED) in page.text
    for new in ('/new"', '/restoration"'):
        assert new not in page.text


def test_the_tables_name_every_operation_of_the_api_that_makes_something(app: Flask) -> None:
    tried = {making.path.format_map(_Address()) for making in API}
    for rule in app.url_map.iter_rules():
        described = getattr(app.view_functions[rule.endpoint], DESCRIPTION, None)
        if described is None or described.status != 201 or "POST" not in (rule.methods or set()):
            continue
        path = rule.rule.removeprefix("/api/v1")
        platform = (path.split("/")[1] in NOT_OF_A_CUSTOMER and path.count("/") == 1) or "service-packages" in path
        if not platform and path not in NOT_NEW:
            assert _bare(path) in {_bare(one) for one in tried}, f"{path} stands in no table"


class _Address(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "<id>"


def _bare(path: str) -> str:
    """A path with `<id>` for each of its ids."""
    return "/".join("<id>" if part.startswith("<") else part for part in path.split("/"))


OF_THE_PLATFORM = {
    "user.created", "role.created", "package.created", "provider.created", "client.created", "customer.created",
    "task.created",
}  # fmt: skip
ASKS = {"lock_for_creating", "require_creating", "_require_room_left", "create_room"}


def test_every_function_that_makes_something_asks_whether_it_may() -> None:
    """Found by what it writes into the audit, so that no new one is forgotten."""
    found = 0
    for file in sorted((ROOT / "portal").rglob("*.py")):
        for function in ast.walk(ast.parse(file.read_text())):
            if not isinstance(function, ast.FunctionDef):
                continue
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            made = {
                call.args[0].value
                for call in calls
                if _name(call.func).startswith("record_event")
                and call.args
                and isinstance(call.args[0], ast.Constant)
                and str(call.args[0].value).endswith((".created", "member.added", "room.restored"))
            }
            if made - OF_THE_PLATFORM:
                found += 1
                assert ASKS & {_name(call.func) for call in calls}, f"{file.name}: {function.name} asks nobody"
    assert found >= 9


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
