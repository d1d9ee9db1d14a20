"""Ways from one page of staff to the next: to making rooms, to what was deleted, to what was done, and back."""

from typing import Any

import pytest
import sqlalchemy as sa

from portal.accounts.models import AccountStatus
from portal.customers.models import CustomerStatus
from portal.db import session, transaction
from portal.people.staff import StaffPermission
from portal.rooms.models import Room
from tests.cast import Cast
from tests.web.admin.staffing import with_role

ROOMS = "/admin/rooms"
S = StaffPermission


def account_of(cast: Cast) -> str:
    with cast.app.app_context():
        return cast.room().account.id


def test_staff_makes_a_room_from_the_list_of_rooms_and_finds_deleted_ones(cast: Cast) -> None:
    ada, account = cast.sign_in("admin"), account_of(cast)
    page = ada.get(ROOMS).text
    assert 'href="/manage/rooms/new"' in page
    assert 'href="/manage/rooms/trash"' in page
    assert f'href="/manage/rooms/new?account={account}"' in ada.get(f"{ROOMS}?account={account}").text
    reader = with_role(cast, "bob", S.DASHBOARD_ACCESS, S.ROOMS_READ).get(ROOMS).text
    assert "/manage/rooms/new" not in reader
    assert "/manage/rooms/trash" not in reader


def test_no_room_is_offered_where_there_is_no_account_that_could_have_it(cast: Cast) -> None:
    with cast.app.app_context(), transaction():
        session.execute(sa.delete(Room))
    assert "/manage/rooms/new" not in cast.sign_in("admin").get(ROOMS).text


def test_staff_makes_a_room_in_an_account_from_its_page(cast: Cast) -> None:
    ada, account = cast.sign_in("admin"), account_of(cast)
    way = f"/manage/rooms/new?account={account}"
    assert f'href="{way}"' in ada.get(f"/admin/accounts/{account}").text
    assert f'<option selected value="{account}">' in ada.get(way).text
    with cast.app.app_context(), transaction():
        cast.room().account.status = AccountStatus.INACTIVE
    assert way not in ada.get(f"/admin/accounts/{account}").text
    with cast.app.app_context(), transaction():
        cast.room().account.status = AccountStatus.ACTIVE
        cast.room().customer.status = CustomerStatus.SUSPENDED
    assert way not in ada.get(f"/admin/accounts/{account}").text


@pytest.mark.parametrize("noun", ["subscriptions", "packages", "services", "accounts"])
def test_what_was_done_to_a_thing_is_one_step_from_its_page(cast: Cast, noun: str) -> None:
    with cast.app.app_context():
        room = cast.room()
        subscription = room.subscription
        things: dict[str, Any] = {
            "subscriptions": subscription, "packages": subscription.package, "services": subscription.provider,
            "accounts": room.account,
        }  # fmt: skip
        page, history = f"/admin/{noun}/{things[noun].id}", f'href="/admin/audit?thing={things[noun].uuid}"'
    assert history in cast.sign_in("admin").get(page).text
    readers = (S.SUBSCRIPTIONS_READ, S.PACKAGES_READ, S.PROVIDERS_READ, S.ACCOUNTS_READ)
    assert history not in with_role(cast, "bob", S.DASHBOARD_ACCESS, *readers).get(page).text


def test_the_people_of_a_place_lead_staff_back_to_its_page_and_its_owner_to_the_list(cast: Cast) -> None:
    ada, alice, account = cast.sign_in("admin"), cast.sign_in("alice"), account_of(cast)
    with cast.app.app_context():
        customer = cast.room().customer.id
    for noun, one in (("customers", customer), ("accounts", account)):
        back = f'<a class="crumb" href="/admin/{noun}/{one}">'
        assert back in ada.get(f"/manage/{noun}/{one}/people").text
        owners = alice.get(f"/manage/{noun}/{one}/people").text
        assert back not in owners
        assert '<a class="crumb" href="/manage/places">' in owners
