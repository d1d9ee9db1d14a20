"""What guests meet at the door and in the player besides the conversation itself: other tabs, waiting, the end."""

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.people import Person, sees
from tests.e2e.test_domain import entry_of
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

NewPerson = Callable[..., Person]

SLOW_CAMERA = """
  window.asked = 0;
  const get = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wish) => {
    window.asked += 1;
    await new Promise((allow) => { window.allow = allow; });
    window.got = await get(wish);
    return window.got;
  };
"""
GOT_AND_STOPPED = (
    "() => window.got?.getTracks().length > 0 && got.getTracks().every((one) => one.readyState === 'ended')"
)
TOO_WIDE = """() => [...document.querySelectorAll("button, a, h1, .tile-name, .p-note")]
  .filter((one) => one.checkVisibility() && (one.scrollWidth > one.clientWidth + 1
    || one.getBoundingClientRect().right > innerWidth || one.getBoundingClientRect().left < 0))
  .map((one) => one.textContent.trim())"""


def change_board(portal: Portal, *, settings: str = "{}", features: str = "{}") -> None:
    """Write settings and features of the board room into the database, as its owner would on the page."""
    words = "UPDATE rooms SET room_settings = :s, room_features = :f WHERE room_name = 'Board meeting'"
    _write(portal, words, s=settings, f=features)


def change_link(portal: Portal, change: str) -> None:
    """The same for the board room's guest link: columns and their values in SQL."""
    _write(portal, f"UPDATE room_tokens SET {change} WHERE role = 'guest' AND NOT automatic")


def change_webhooks(portal: Portal, change: str) -> None:
    """The same for all webhooks."""
    _write(portal, f"UPDATE webhook_endpoints SET {change}")


def change_messages(portal: Portal, change: str) -> None:
    """The same for all messages to webhooks."""
    _write(portal, f"UPDATE webhook_deliveries SET {change}")


def rename_accounts(portal: Portal, name: str) -> None:
    """Call all accounts by this name."""
    _write(portal, "UPDATE accounts SET account_name = :name", name=name)


def open_house(portal: Portal) -> str:
    """The address of the public room."""
    engine = sa.create_engine(f"sqlite:///{portal.data / 'foyer.db'}")
    with engine.connect() as connection:
        room = connection.execute(sa.text("SELECT id, slug FROM rooms WHERE room_name = 'Open house'")).one()
    engine.dispose()
    return f"{portal.address}/rooms/{room.id}/{room.slug}"


def _write(portal: Portal, statement: str, **values: str) -> None:
    engine = sa.create_engine(f"sqlite:///{portal.data / 'foyer.db'}", connect_args={"timeout": 10})
    with engine.begin() as connection:
        connection.execute(sa.text(statement), values)
    engine.dispose()


def test_a_second_tab_leaves_camera_and_microphone_alone(portal: Portal, person: NewPerson) -> None:
    guest = person("Gus Guest")
    first = guest.page
    first.add_init_script(SLOW_CAMERA)
    with first.expect_request(re.compile("/stream\\?tab=.*&after=")):  # from where the mailbox stood
        guest.join(board_links(portal)["guest"])
    first.wait_for_function("() => window.asked === 1")

    second = guest.new_tab()
    second.add_init_script(SLOW_CAMERA)
    second.goto(first.url)
    expect(second.get_by_role("heading", name="You are already in: take over here")).to_be_visible()
    for _ in range(5):  # what lies below is out of the keyboard's reach
        second.keyboard.press("Tab")
        assert second.evaluate("document.activeElement.matches('body, #elsewhere *')")
    second.get_by_role("link", name="Leave this tab").click()
    expect(second.get_by_role("heading", name="You are in the room in another tab.")).to_be_visible()
    second.go_back()
    expect(second.get_by_role("button", name="Take over here")).to_be_focused()
    assert second.evaluate("window.asked") == 0

    second.get_by_role("button", name="Take over here").click()
    expect(first.get_by_role("heading", name="You are already in: take over here")).to_be_visible()
    first.evaluate("window.allow()")  # the answer to the browser's question comes late
    first.wait_for_function(GOT_AND_STOPPED)


def test_the_player_says_what_holds_and_no_longer(portal: Portal, person: NewPerson) -> None:
    change_board(portal, settings='{"mute_on_start": true}')
    links = board_links(portal)
    host, guest = person("Mo Moderator"), person("Wolfeschlegelsteinhausenbergerdorff-von-und-zu-Hohenlohe Maximiliane")
    host.join(links["moderator"])
    page = host.page
    expect(page.get_by_text("You are the only one here.")).to_be_visible()
    expect(page.get_by_text("Microphones are off at first")).to_be_visible()
    page.get_by_role("button", name="Unmute microphone").click()
    expect(page.get_by_text("Microphones are off at first")).to_be_hidden()
    expect(page.get_by_text("You are the only one here.")).to_be_visible()
    guest.join(links["guest"])
    sees(page, guest.name)
    expect(page.locator("#note")).to_be_hidden()

    people = page.get_by_role("button", name="People")
    people.click()
    panel = page.get_by_role("complementary", name="People")
    expect(panel).to_be_focused()
    name = panel.get_by_text(guest.name)
    assert name.evaluate("(one) => one.scrollWidth <= one.clientWidth")
    for button in panel.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(people).to_be_focused()

    page.set_viewport_size({"width": 320, "height": 640})
    page.get_by_role("button", name="Mute microphone").click()
    page.get_by_role("button", name="Stop camera").click()
    assert page.evaluate(TOO_WIDE) == []
    people.click()
    panel.get_by_role("button", name=re.compile("^Remove")).click()
    assert page.evaluate(TOO_WIDE) == []
    panel.get_by_role("button", name=re.compile("^Remove")).click()
    expect(guest.page.get_by_role("heading", name="A moderator removed you from the room.")).to_be_visible()
    expect(guest.page.get_by_text("You can come again when the next conversation starts.")).to_be_visible()


def test_who_pressed_join_comes_in_with_the_host_and_a_free_place_is_told(portal: Portal, person: NewPerson) -> None:
    change_board(portal, settings='{"wait_for_host": true}', features='{"max_participants": 2}')
    links = board_links(portal)
    host, guest, late = person("Mo Moderator"), person("Gus Guest"), person("Lena Late")
    page = guest.go(links["attendee"])
    expect(page.get_by_text("Press Join to wait")).to_be_visible()
    page.get_by_label("Your name").fill("Gus Guest")
    page.get_by_label("Access code").fill("DEMO-2026")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("you come in by yourself as soon as somebody is")).to_be_visible()
    host.join(links["moderator"])
    page.wait_for_url("**/-/conference")  # within seconds, without a click

    waiting = late.go(links["guest"])
    expect(waiting.get_by_text("This page tells you when there is a place again.")).to_be_visible()
    waiting.get_by_label("Your name").fill("Lena Late")
    guest.leave()
    expect(waiting.get_by_text("Open now, 1 person is in")).to_be_visible(timeout=15_000)
    expect(waiting.get_by_label("Your name")).to_have_value("Lena Late")
    waiting.get_by_role("button", name="Join").click()
    waiting.wait_for_url("**/-/conference")


def test_a_one_time_entry_waits_for_the_host_too(portal: Portal, person: NewPerson) -> None:
    change_board(portal, settings='{"wait_for_host": true}')
    host, guest = person("Mo Moderator"), person("Jun Tanaka")
    page = guest.go(entry_of(portal, "Jun Tanaka"))
    expect(page.get_by_text("you come in by yourself as soon as somebody is")).to_be_visible()
    host.join(board_links(portal)["moderator"])
    page.wait_for_url("**/-/conference")


def test_a_member_who_pressed_enter_comes_in_with_the_host(portal: Portal, person: NewPerson) -> None:
    change_board(portal, settings='{"wait_for_host": true}')
    host, bob = person("Mo Moderator"), person("Bob")
    bob.sign_in()
    page = bob.page
    page.get_by_role("link", name="Board meeting", exact=True).click()
    page.get_by_role("button", name="Enter", exact=True).click()
    expect(page.get_by_text("you come in by yourself as soon as somebody is")).to_be_visible()
    host.join(board_links(portal)["moderator"])
    page.wait_for_url("**/-/conference")  # within seconds, without a click


def test_a_member_who_only_looked_is_told_of_the_host_and_not_taken_in(portal: Portal, person: NewPerson) -> None:
    change_board(portal, settings='{"wait_for_host": true}')
    host, bob = person("Mo Moderator"), person("Bob")
    bob.sign_in()
    bob.page.get_by_role("link", name="Board meeting", exact=True).click()
    page = bob.go(f"/rooms/{bob.page.url.rsplit('/', 1)[1]}/-/entry")
    expect(page.get_by_text("Press Enter to wait")).to_be_visible()
    host.join(board_links(portal)["moderator"])
    expect(page.get_by_text("You enter as Attendee")).to_be_visible(timeout=15_000)
    assert page.title().startswith("●")
    page.get_by_role("button", name="Enter", exact=True).click()
    page.wait_for_url("**/-/conference")


def test_who_signs_out_and_in_enters_again(portal: Portal, person: NewPerson) -> None:
    alice = person("Alice")
    alice.sign_in()
    alice.page.get_by_role("link", name="Board meeting", exact=True).click()
    room = alice.page.url
    inside = alice.enter(room, alice.new_tab())
    expect(inside.get_by_text("You are the only one here.")).to_be_visible()
    alice.page.get_by_label("Account of Alice Moreau").click()
    alice.page.get_by_role("button", name="Sign out").click()
    over = inside.get_by_role("alertdialog")
    expect(over.get_by_role("heading", name="You signed out, so you left the room.")).to_be_visible()
    over.get_by_role("link", name="Continue").click()
    expect(inside.get_by_role("link", name="Sign in again")).to_be_visible()
    alice.sign_in()
    alice.enter(room)
    expect(alice.page.get_by_text("You are the only one here.")).to_be_visible()


def test_back_out_of_the_player_tells_nobody_that_he_is_in(portal: Portal, person: NewPerson) -> None:
    guest = person("Gus Guest")
    guest.join(board_links(portal)["guest"])
    page = guest.page
    expect(page.get_by_text("You are the only one here.")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Your name")).to_have_value("Gus Guest")
    expect(page.get_by_text("already in")).to_have_count(0)
    expect(page.get_by_text("Open, nobody is in yet")).to_be_visible(timeout=15_000)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("You are the only one here.")).to_be_visible()


@pytest.mark.parametrize("days", [0, 3])
def test_an_opening_far_away_counts_in_days(portal: Portal, person: NewPerson, days: int) -> None:
    links = board_links(portal)
    change_link(portal, f"not_before = datetime('now', '+{days * 24 * 60 + 90} minutes')")
    page = person().go(links["guest"])
    expect(page.get_by_role("timer")).to_have_text(re.compile("^3 days 1 hour$" if days else r"^1:\d\d:\d\d$"))
    expect(page.get_by_text("you will hear a sound")).to_be_visible()


def test_without_a_script_the_waiting_page_promises_no_sound(
    portal: Portal, new_context: Callable[..., BrowserContext]
) -> None:
    change_board(portal, settings='{"wait_for_host": true}')
    plain = Person(new_context(java_script_enabled=False), portal.address, "Nora Noscript")
    page: Page = plain.go(board_links(portal)["guest"])
    page.get_by_label("Your name").fill("Nora Noscript")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("This page looks again every ten seconds.")).to_be_visible()
    page.wait_for_url("**?asked=1", timeout=15_000)  # it did
    expect(page.get_by_text("Nora Noscript")).to_be_visible()


def test_without_a_script_the_player_says_what_is_needed_and_leads_back(
    portal: Portal, new_context: Callable[..., BrowserContext]
) -> None:
    plain = Person(new_context(java_script_enabled=False), portal.address, "Nora Noscript")
    plain.join(board_links(portal)["guest"])
    page = plain.page
    said = page.get_by_role("heading", name="A conversation needs JavaScript")
    expect(said).to_have_count(1)  # at once, and not twice
    expect(said).to_be_visible()
    expect(page.get_by_role("button")).to_have_text(["Leave"])  # and none that would do nothing
    page.get_by_role("link", name="Back to the entrance").click()
    expect(page.get_by_text("This device still has its place in the room.")).to_be_visible()
