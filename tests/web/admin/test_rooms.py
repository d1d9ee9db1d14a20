"""The rooms of all customers, as platform staff list them."""

import re
from html import unescape

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.accounts.models import Account
from portal.audit.models import AuditEvent
from portal.db import db, session, transaction
from portal.people.actor import actor_of
from portal.providers.base import LiveState
from portal.rooms.models import RoomStatusWord
from portal.status.models import RoomStatus
from portal.web.admin import list_page
from tests.cast import Cast, Client, new_room
from tests.conftest import BOTH
from tests.house.test_statements import more_rooms
from tests.statements import statements

ROOMS = "/admin/rooms"


def names(client: Client, address: str = ROOMS) -> list[str]:
    answer = client.get(address)
    assert answer.status_code == 200
    return [unescape(one) for one in re.findall(r'<a dir="auto" href="/manage/rooms/\w+">(.*?)</a>', answer.text)]


@pytest.fixture
def globex(app: Flask, cast: Cast) -> str:
    """The id of Globex, which has an inactive room."""
    with app.app_context(), transaction():
        charlie = cast.user("charlie")
        account = next(one for one in _accounts() if one.owner_uuid == charlie.uuid)
        room = new_room(account=account, room_name="Zeppelin", by=actor_of(charlie))
        room.status = RoomStatusWord.INACTIVE
        return account.customer.id


def _accounts() -> list[Account]:
    return list(session.scalars(sa.select(Account)).unique())


@BOTH
def test_staff_see_the_rooms_of_all_customers(cast: Cast, globex: str) -> None:
    ada = cast.sign_in("admin")
    assert names(ada) == ["Board meeting", "Open house", "Zeppelin"]
    assert names(ada, f"{ROOMS}?sort=-name") == ["Zeppelin", "Open house", "Board meeting"]
    assert names(ada, f"{ROOMS}?sort=-created") == ["Zeppelin", "Open house", "Board meeting"]


@BOTH
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("search=hou", ["Open house"]),
        ("search=hou+nothing", []),
        ("status=inactive", ["Zeppelin"]),
        ("status=active", ["Board meeting", "Open house"]),
        ("status=live", ["Open house"]),
        ("type=meet&status=live", ["Open house"]),
        ("search=o&sort=-name", ["Open house"]),
    ],
)
def test_a_search_and_filters_narrow_the_list(cast: Cast, globex: str, asked: str, found: list[str]) -> None:
    with cast.app.app_context(), transaction():
        session.add(RoomStatus(room=cast.room(cast.open_house), state=LiveState.LIVE, count=1))
    assert names(cast.sign_in("admin"), f"{ROOMS}?{asked}") == found


@BOTH
def test_a_customer_an_account_a_subscription_and_a_service_narrow_it(cast: Cast, globex: str) -> None:
    ada = cast.sign_in("admin")
    with cast.app.app_context(), transaction():
        room = cast.room()
        acme = {
            "customer": room.customer.id,
            "account": room.account.id,
            "subscription": room.subscription.id,
        }
        service = room.subscription.provider.id
    for name, id in acme.items():
        assert names(ada, f"{ROOMS}?{name}={id}") == ["Board meeting", "Open house"]
        assert f'value="{id}" selected' in ada.get(f"{ROOMS}?{name}={id}").text
    assert names(ada, f"{ROOMS}?customer={globex}") == ["Zeppelin"]
    assert len(names(ada, f"{ROOMS}?service={service}")) == len(names(ada, f"{ROOMS}?customer=nobody")) == 3


def test_the_file_holds_what_the_list_shows(cast: Cast) -> None:
    lines = cast.sign_in("admin").get(f"{ROOMS}/export.csv?search=board").text.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("Board meeting,Acme,Main,Alice Moreau,Conference,Built in,Active,")


@BOTH
def test_more_rooms_take_no_more_statements(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    ada.get(ROOMS)
    with cast.app.app_context():
        engine = db.engine
    with statements(engine) as few:
        ada.get(ROOMS)
    more_rooms(cast, 30)
    with statements(engine) as many:
        assert len(names(ada)) == list_page.PAGE
    assert len(many) == len(few)


def test_what_staff_do_in_a_room_is_marked_for_its_people(cast: Cast) -> None:
    """As done on behalf of the customer in the audit, and on the room's page for its owner."""
    board = f"/manage/rooms/{cast.board}"
    alice, ada = cast.sign_in("alice"), cast.sign_in("admin")
    assert alice.send(f"{board}/links/new", role="guest", label="Hers").status_code == 303
    assert "Done by platform staff" not in alice.get(board).text
    assert ada.send(f"{board}/links/new", role="guest", label="Theirs").status_code == 303
    page = alice.get(board).text
    told = page[page.index("Done by platform staff") :]
    assert "Link created" in told
    assert "Ada Admin" in told
    with cast.app.app_context(), transaction():
        made = sa.select(AuditEvent).where(AuditEvent.action == "token.created").order_by(AuditEvent.uuid.desc())
        last, before = session.scalars(made.limit(2))
        assert (last.actor_uuid, last.on_behalf_of_uuid) == (cast.user("admin").uuid, cast.room().customer_uuid)
        assert (before.actor_uuid, before.on_behalf_of_uuid) == (cast.user("alice").uuid, None)


def test_a_room_is_made_for_the_account_that_the_address_names(
    cast: Cast, globex: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by staff, who may create rooms in more accounts than a form offers."""
    monkeypatch.setattr("portal.permissions.creatable_accounts.MOST", 1)
    with cast.app.app_context(), transaction():
        account_id = next(one.id for one in _accounts() if one.customer.id == globex)
    ada, new = cast.sign_in("admin"), f"/manage/rooms/new?account={account_id}"
    assert f'selected value="{account_id}"' in ada.get(new).text
    assert ada.send(new, room_name="For Globex", account=account_id).status_code == 303
    assert names(ada, f"{ROOMS}?customer={globex}&search=for") == ["For Globex"]
    assert cast.sign_in("alice").send(new, room_name="No", account=account_id).status_code == 422
