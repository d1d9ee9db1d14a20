"""What the portal's pages do by themselves, between two requests."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from portal.clock import now
from portal.identifiers import new_id, new_uuid
from portal.rooms.models import Room
from tests.e2e.people import Person, follow
from tests.e2e.test_doors import rename_accounts
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def test_how_long_a_room_is_live_counts_on_while_nobody_is_asked(portal: Portal, person: Callable[..., Person]) -> None:
    guest, alice = person("Jun Tanaka"), person("Alice")
    guest.join(board_links(portal)["guest"])
    alice.sign_in()
    page = alice.page
    room = page.get_by_role("link", name="Board meeting", exact=True).get_attribute("href")
    assert room
    page.clock.install()
    for asked in ("**/live", "**/status*"):
        page.route(asked, lambda route: route.fulfill(status=204))  # no news from the portal
    for path, age in (("/manage/rooms", ".room-state time[data-for]"), (room, "#status time[data-for]")):
        shown = alice.go(path).locator(age)
        expect(shown).to_contain_text(re.compile(" (s|min)$"))
        page.clock.fast_forward("01:12:00")
        expect(shown).to_have_text(re.compile(r"^1 h 1\d min$"))


def more_rooms(portal: Portal, names: list[str], **values: object) -> None:
    """Rooms like one of Alice's, made one after the other."""
    engine = sa.create_engine(f"sqlite:///{portal.data / 'foyer.db'}")
    with engine.begin() as connection:
        like = connection.execute(sa.select(*sa.inspect(Room).columns).where(Room.room_name == "Board meeting")).one()
        for name in names:
            own = {"uuid": new_uuid(), "id": new_id(), "created_at": now(), "room_name": name}
            found = {"sort_name": name.casefold(), "name_words": name.casefold()}
            connection.execute(sa.insert(Room).values({**like._mapping, **own, **found, **values}))
    engine.dispose()


def test_rooms_are_filtered_sorted_paged_and_come_back(portal: Portal, person: Callable[..., Person]) -> None:
    more_rooms(portal, [f"Class {number:02}" for number in range(40)])
    more_rooms(portal, [f"Old {number:02}" for number in range(30)], status="inactive")
    alice = person("Alice", viewport={"width": 360, "height": 800})
    alice.sign_in()
    page = alice.page
    rooms = page.locator(".room-name")
    expect(rooms.first).to_have_text("Board meeting")
    page.get_by_role("searchbox", name="Search rooms").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # on a phone what to choose by is behind a word
    page.get_by_label("Status").select_option(label="Inactive")
    page.get_by_label("Sort").select_option(label="Newest first")
    follow(page.get_by_role("button", name="Search"))
    expect(rooms.first).to_have_text("Old 29")
    expect(rooms).to_have_count(25)
    expect(page.get_by_label("Status")).to_have_value("inactive")  # and is open
    asked = page.url
    follow(page.get_by_role("link", name="Next"))
    expect(rooms).to_have_text([f"Old {number:02}" for number in range(4, -1, -1)])
    expect(page.get_by_label("Sort")).to_have_value("newest")
    page.go_back()
    expect(rooms.first).to_have_text("Old 29")
    expect(page.get_by_label("Status")).to_have_value("inactive")
    page.go_back()
    expect(rooms.first).to_have_text("Board meeting")
    expect(page.get_by_label("Status")).to_be_hidden()
    alice.go(asked).get_by_role("searchbox", name="Search rooms").fill("class")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No room matches “class”")).to_be_visible()
    follow(page.get_by_role("link", name="Clear filter"))
    expect(rooms.first).to_have_text("Class 39")


@pytest.mark.parametrize("width", [768, 800, 991, 1280])
def test_a_long_account_does_not_push_search_into_a_line_of_its_own(
    portal: Portal, person: Callable[..., Person], width: int
) -> None:
    rename_accounts(portal, "Donaudampfschifffahrtsgesellschaft, Abteilung Öffentlichkeitsarbeit")
    staff = person("Admin", viewport={"width": width, "height": 700})
    staff.sign_in()
    page = staff.go("/manage/rooms")
    choices = page.get_by_role("combobox")
    expect(choices).to_have_count(3)  # the account is among them
    parts = [page.get_by_role("searchbox"), *choices.all(), page.get_by_role("button", name="Search")]
    boxes: list[Any] = [part.bounding_box() for part in parts]
    assert max(box["y"] for box in boxes) < min(box["y"] + box["height"] for box in boxes)  # one line
    assert all(box["x"] + box["width"] <= width for box in boxes)
    assert boxes[0]["width"] >= 150
    assert boxes[2]["width"] >= 70
