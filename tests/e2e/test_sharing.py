"""Making a room and sharing it, in as few clicks as they take, with the clipboard read back."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from portal.demo import CODE
from tests.e2e.people import Person, follow
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

CLIPBOARD = ["clipboard-read", "clipboard-write"]


def clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def press(page: Page, name: str | re.Pattern[str]) -> None:
    """Press a button of sharing, once the scripts are there."""
    page.wait_for_load_state()
    page.get_by_role("button", name=name).click()


def told(page: Page, words: str) -> None:
    """What the page says about copying, in place and to screen readers."""
    expect(page.locator(".share-said").filter(visible=True)).to_have_text(words)
    expect(page.locator("#said")).to_have_text(words)


@pytest.fixture
def alice(person: Callable[..., Person]) -> Person:
    alice = person("Alice", permissions=CLIPBOARD)
    alice.sign_in()
    return alice


def test_a_room_is_made_in_two_clicks_and_shared_in_a_third(alice: Person) -> None:
    page = alice.page
    page.get_by_role("link", name="New room").first.click()
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("Choir practice")
    page.get_by_role("button", name="Create room").click()
    expect(page.get_by_role("heading", name="Choir practice", level=1)).to_be_visible()
    press(page, re.compile("^Share attendee"))
    told(page, "Attendee link copied.")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/rooms/\w{10}/choir-practice\?token=\S+", clipboard(page))


def test_share_in_the_list_copies_link_and_code_in_one_click(portal: Portal, alice: Person) -> None:
    page, link = alice.page, board_links(portal)["attendee"]
    press(page, "Share attendee Board meeting")
    told(page, "Attendee link copied, with its access code.")
    assert clipboard(page) == f"{link}\nAccess code: {CODE}"
    expect(page.get_by_role("button", name="Share attendee Board meeting")).to_be_focused()

    page.get_by_role("button", name="Copy all for attendees").click()
    expect(page.locator("#said")).to_have_text("Copied")
    assert clipboard(page) == (f"Alice Moreau invites you to “Board meeting”\n\n{link}\nAccess code: {CODE}")
    page.get_by_role("button", name="Copy attendee link").click()
    expect(page.get_by_role("button", name="Copy attendee link")).to_contain_class("is-copied")
    assert clipboard(page) == link

    press(page, "Share as Guest")
    told(page, "Guest link copied.")
    assert clipboard(page) == board_links(portal)["guest"]
    expect(page.get_by_role("button", name="Share as Guest")).to_be_focused()
    page.get_by_role("button", name="Close sharing Board meeting").click()
    expect(page.get_by_role("button", name="Share attendee Board meeting")).to_be_focused()
    expect(page.get_by_role("heading", name="Share “Board meeting”")).to_have_count(0)


def test_the_menu_beside_share_has_the_other_roles(portal: Portal, alice: Person) -> None:
    page = alice.page
    page.get_by_label("More ways to share Board meeting").click()
    press(page, "Share moderator link")
    told(page, "Moderator link copied.")
    assert clipboard(page) == board_links(portal)["moderator"]


def test_two_clicks_make_one_link(alice: Person) -> None:
    room = alice.create_room("Double")
    alice.page.wait_for_load_state()
    alice.page.get_by_role("button", name=re.compile("^Share attendee")).dblclick()
    told(alice.page, "Attendee link copied.")
    first = clipboard(alice.page)
    press(alice.page, re.compile("^Share attendee"))
    told(alice.page, "Attendee link copied.")
    assert clipboard(alice.page) == first
    alice.go(f"{room}/links")
    expect(alice.page.get_by_role("row")).to_have_count(2)  # its head, and one link


def test_where_the_clipboard_is_refused_the_text_is_there_and_selected(
    portal: Portal, person: Callable[..., Person]
) -> None:
    alice = person("Alice")
    alice.context.add_init_script(
        "const refuse = () => Promise.reject(new DOMException('no', 'NotAllowedError'));"
        "navigator.clipboard.write = refuse; navigator.clipboard.writeText = refuse;"
        "document.execCommand = () => false;"
    )
    alice.sign_in()
    page = alice.page
    press(page, "Share attendee Board meeting")
    told(page, "Attendee link not copied: your browser refused. The text is selected, copy it yourself.")
    expect(page.get_by_label("Invitation with the attendee link")).to_be_focused()
    selected = page.evaluate("document.getSelection().toString()")
    assert board_links(portal)["attendee"] in selected
    assert CODE in selected
    page.get_by_role("button", name="Copy all for attendees").click()
    expect(page.locator("#said")).to_have_text("Your browser did not copy it")


def test_without_a_script_share_leads_to_the_text(portal: Portal, person: Callable[..., Person]) -> None:
    alice = person("Alice", java_script_enabled=False)
    alice.sign_in()
    follow(alice.page.get_by_role("button", name="Share attendee Board meeting"))
    text = alice.page.get_by_label("Invitation with the attendee link").input_value()
    assert board_links(portal)["attendee"] in text
    assert f"Access code: {CODE}" in text
    follow(alice.page.get_by_role("button", name="Share as Guest"))
    assert board_links(portal)["guest"] in alice.page.get_by_label("Invitation with the guest link").input_value()


def test_how_people_get_in_comes_first_on_a_phone_and_by_keyboard(alice: Person) -> None:
    page = alice.page
    page.set_viewport_size({"width": 360, "height": 640})
    follow(page.get_by_role("link", name="Board meeting", exact=True))
    titles = ["How people get in", "In the room now", "Limits in force"]
    headings = page.get_by_role("main").get_by_role("heading", level=2)
    expect(headings).to_have_text(titles)
    tops = headings.evaluate_all("all => all.map((one) => one.getBoundingClientRect().top)")
    assert tops == sorted(tops)


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/manage/rooms/new", "Name"),
        ("{room}/settings", "Name"),
        ("{room}/links/new", "Role"),
        ("{room}/codes/new", "Role"),
        ("{room}/people/new", "E-mail"),
        ("{room}/webhooks/new", "Address"),
    ],
)
def test_the_focus_of_a_form_leaves_the_heading_in_sight_on_a_phone(alice: Person, path: str, label: str) -> None:
    page = alice.page
    page.set_viewport_size({"width": 360, "height": 640})
    room = page.get_by_role("link", name="Board meeting", exact=True).get_attribute("href")
    alice.go(path.format(room=room))
    expect(page.get_by_label(label, exact=True).first).to_be_focused()
    expect(page.get_by_role("heading", level=1)).to_be_in_viewport(ratio=1)
    assert page.evaluate("scrollY") == 0


def test_pages_of_sharing(alice: Person, seen: Callable[[Page, str], None]) -> None:
    page = alice.page
    press(page, "Share attendee Board meeting")
    told(page, "Attendee link copied, with its access code.")
    seen(page, "rooms-share")
    page.get_by_label("More ways to share Open house").click()
    seen(page, "rooms-share-roles")
    page.keyboard.press("Escape")
    follow(page.get_by_role("link", name="Board meeting", exact=True))
    room = page.url
    press(page, "Share attendee Board meeting")
    told(page, "Attendee link copied, with its access code.")
    seen(page, "room-share")
    seen(alice.go(f"{room}/share?role=guest"), "share")
    alice.create_link(room, "Attendee", "Auditors")
    seen(page, "link-made")
    alice.create_room("Unused")
    seen(page, "room-unused")
