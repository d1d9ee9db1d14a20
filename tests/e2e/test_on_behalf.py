"""Staff help a customer in its rooms: what they do is theirs, marked as done on its behalf, and its owner sees it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import Person, follow

pytestmark = pytest.mark.e2e
NAME, RENAMED = "Support call", "Support call of Acme"


def test_staff_act_on_behalf_and_the_owner_sees_what_they_did(person: Callable[..., Person]) -> None:
    """Ada makes a room, a link and a code for Alice, changes the room, deletes it and brings it back."""
    ada, alice = person("Admin"), person("Alice")
    ada.sign_in()
    make_room(ada)
    room = ada.page.url
    follow(ada.page.get_by_role("link", name="Links", exact=True))
    follow(ada.page.get_by_role("link", name="New link"))
    ada.page.get_by_label("Label").fill("From support")
    follow(ada.page.get_by_role("button", name="Create link"))
    follow(ada.page.get_by_role("link", name="Codes", exact=True))
    follow(ada.page.get_by_role("link", name="New code"))
    ada.page.get_by_label("Code", exact=True).fill("SUPP-ORTS")
    follow(ada.page.get_by_role("button", name="Create code"))
    follow(ada.page.get_by_role("link", name="Settings", exact=True))
    ada.page.get_by_label("Name", exact=True).fill(RENAMED)
    follow(ada.page.get_by_role("button", name="Save"))

    alice.sign_in()
    assert acts_seen_by(alice, room) == ["Room changed", "Access code created", "Link created"]

    delete_and_bring_back(ada)
    assert acts_seen_by(alice, room) == ["Room restored", "Room deleted", "Room changed"]
    expect(alice.page.get_by_text("Owner Alice")).to_be_visible()
    require_audited(ada.go("/admin/audit"))


def make_room(ada: Person) -> None:
    """A room in the account of Acme, which belongs to Alice."""
    page = ada.go("/manage/rooms/new")
    page.get_by_label("Name").fill(NAME)
    accounts = page.get_by_label("Account", exact=True)
    accounts.select_option(accounts.locator("option").filter(has_text="Acme").get_attribute("value"))
    follow(page.get_by_role("button", name="Create room"))
    expect(page.get_by_role("heading", name=NAME, level=1)).to_be_visible()


def delete_and_bring_back(ada: Person) -> None:
    page = ada.page
    follow(page.get_by_role("link", name="Delete room"))
    follow(page.get_by_role("button", name="Delete room"))
    ada.go("/manage/rooms/trash")
    follow(page.get_by_role("button", name=f"Bring back {RENAMED}"))
    expect(page.get_by_role("heading", name=RENAMED, level=1)).to_be_visible()


def acts_seen_by(owner: Person, room: str) -> list[str]:
    """What the room's page lists, which is signed with the name of whoever did it."""
    owner.go(room)
    card = owner.page.get_by_role("region", name="Done by platform staff")
    rows = card.get_by_role("listitem").all_text_contents()
    assert all("Ada" in row for row in rows)
    return [row.strip().split("\n")[0].strip() for row in rows]


def require_audited(audit: Page) -> None:
    """Each of these acts stands in the audit as Ada's own, on behalf of Acme."""
    for what in (
        "Room created",
        "Link created",
        "Access code created",
        "Room changed",
        "Room deleted",
        "Room restored",
    ):
        line = audit.get_by_role("row").filter(has_text=what).filter(has_text="Ada").first
        expect(line).to_contain_text("Acme")
