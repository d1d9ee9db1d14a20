"""Every page in light and dark, at 360 and 1280 px: no violation that axe can find, nothing wider than the screen.

The README's picture is one of those that these tests make.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import Person, follow, sees
from tests.e2e.test_chat import open_chat, write
from tests.e2e.test_domain import entry_of
from tests.e2e.test_doors import change_board, change_link, open_house
from tests.e2e.test_journeys import board_links
from tests.e2e.test_tiles import MODULE
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(480)]

UNMEASURED = """(() => {
  const every = setInterval;
  window.setInterval = (call, pause) => (pause === 2000 ? 0 : every(call, pause));
})()"""
"""No connection is measured, so that signs stay as they are."""
WEAK = f"""async () => {{
  for (const module of [await {MODULE % "tiles.js"}, await {MODULE % "people.js"}]) {{
    module.showWeak(document.getElementById("player").dataset.id, true);
  }}
}}"""


def contest_settings(alice: Person, room: str) -> None:
    """Save the settings of a room in a page that another tab has made out of date."""
    page, other = alice.go(f"{room}/settings"), alice.new_tab()
    other.goto(page.url)
    for tab, name in ((other, "Supervisory board"), (page, "Board meeting with the external auditors")):
        tab.get_by_label("Name", exact=True).fill(name)
        tab.get_by_label("Description").fill(f"{name}. " * 12)
        follow(tab.get_by_role("button", name="Save"))
    expect(page.get_by_role("button", name="Take theirs")).to_be_visible()
    other.close()


def test_pages_of_owners(portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]) -> None:
    links = board_links(portal)
    chair, guest, alice = person("Mo Silva"), person("Jun Tanaka"), person("Alice")
    chair.join(links["moderator"])
    guest.join(links["guest"])
    page = alice.go("/sign-in")
    seen(page, "sign-in")
    seen(alice.go("/help/conversations"), "help")
    alice.sign_in()
    seen(page, "rooms")
    page.get_by_role("link", name="New room").first.click()
    page.get_by_role("button", name="Create room").click()
    expect(page.get_by_text("Give the room a name.")).to_be_visible()
    seen(page, "room-new-refused")
    alice.create_room(
        "Quarterly supervisory board meeting with the external auditors of Globex Verwaltungsgesellschaft mbH"
    )
    seen(page, "room-new")
    alice.go("/manage/rooms").get_by_role("link", name="Board meeting", exact=True).click()
    expect(page.get_by_text("Jun Tanaka")).to_be_visible()
    seen(page, "room")
    room = page.url
    for name, path in (
        ("links", "/links"),
        ("link-new", "/links/new"),
        ("codes", "/codes"),
        ("code-new", "/codes/new"),
        ("people", "/people"),
        ("person-new", "/people/new"),
        ("settings", "/settings"),
        ("deletion", "/deletion"),
        ("sessions", "/sessions"),
        ("ending", "/ending"),
    ):
        seen(alice.go(room + path), name)
    alice.go(f"{room}/sessions").get_by_role("link", name="Who was in").click()
    expect(page.get_by_role("row").filter(has_text="Jun Tanaka")).to_be_visible()
    seen(page, "session")
    page = alice.go(f"{room}/settings")
    page.get_by_text("For other programs").click()
    page.get_by_label("Metadata").fill('{"crm": {"id": [456]}}')
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("crm.id is nested too deeply")).to_be_visible()
    seen(page, "settings-refused")
    contest_settings(alice, room)
    seen(page, "settings-contested")
    alice.go(f"{room}/links").get_by_label("More for Chair").click()
    follow(page.get_by_role("link", name="Rotate"))
    seen(page, "link-rotate")
    follow(page.get_by_role("button", name="Make the new link"))
    seen(page, "link-rotated")
    follow(alice.go(f"{room}/links").get_by_role("link", name="Test Members"))
    seen(page, "link-test")
    page.get_by_label("More for Press").click()
    seen(page, "link-menu")
    follow(page.get_by_role("button", name="Revoke"))
    seen(page, "link-revoke")
    follow(page.get_by_role("button", name="Revoke"))
    seen(page, "link-revoked")
    for name, path in (
        ("me", "/me"),
        ("rooms-none", "/manage/rooms?search=nothing+like+it"),
        ("rooms-none-fits", "/manage/rooms?status=inactive"),
        ("rooms-filtered", "/manage/rooms?status=active&sort=newest"),
    ):
        seen(alice.go(path), name)
    charlie = person("Charlie")
    charlie.sign_in()
    seen(charlie.page, "rooms-first")
    seen(charlie.go(room.removeprefix(portal.address)), "not-found")


def test_pages_of_an_unused_room_and_of_one_that_is_deleted(
    person: Callable[..., Person], seen: Callable[[Page, str], None]
) -> None:
    alice = person("Alice")
    alice.sign_in()
    seen(alice.go("/manage/rooms/trash"), "trash-none")
    follow(alice.go("/manage/rooms").get_by_role("link", name="Open house", exact=True))
    room = alice.page.url
    seen(alice.go(f"{room}/sessions"), "sessions-none")
    follow(alice.go(f"{room}/deletion").get_by_role("button", name="Delete room"))
    seen(alice.go("/manage/rooms/trash"), "trash")


def test_the_way_to_the_content_covers_no_other(
    person: Callable[..., Person], seen: Callable[[Page, str], None]
) -> None:
    alice = person("Alice")
    alice.sign_in()
    alice.page.keyboard.press("Tab")
    expect(alice.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    seen(alice.page, "skip")
    alice.page.get_by_role("link", name="New room").first.click()  # the page did not move away under the pointer
    expect(alice.page.get_by_label("Name")).to_be_visible()


def test_the_view_of_a_conversation(
    portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]
) -> None:
    mo = person("Mo Moderator")
    mo.page.add_init_script(UNMEASURED)
    mo.join(board_links(portal)["moderator"])
    mo.page.get_by_role("button", name="React").click()
    seen(mo.page, "conference-reactions")
    mo.page.get_by_role("button", name="Applause").click()
    mo.page.get_by_role("button", name="View").click()
    seen(mo.page, "conference-view")
    mo.page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(mo.page.get_by_role("dialog")).to_be_visible()
    seen(mo.page, "conference-shortcuts")
    mo.page.keyboard.press("Escape")
    mo.page.get_by_role("button", name="View").click()
    mo.page.get_by_role("button", name="Copy figures").click()
    seen(mo.page, "conference-figures")
    mo.page.keyboard.press("Escape")
    mo.page.get_by_role("button", name="People").click()
    mo.page.evaluate(WEAK)
    expect(mo.page.get_by_role("listitem").get_by_text("Weak connection")).to_be_visible()
    seen(mo.page, "conference-weak")


def test_pages_of_guests(portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]) -> None:
    links = board_links(portal)
    host, guest = person("Mo Moderator"), person("Jun Tanaka")
    page = guest.go(links["attendee"])
    seen(page, "join")
    page.get_by_label("Your name").fill("Jun Tanaka")
    page.get_by_label("Access code").fill("KDTM-4QXB")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("That code does not fit this link")).to_be_visible()
    seen(page, "join-wrong-code")
    host.join(links["moderator"])
    guest.join(links["attendee"], code="DEMO-2026")
    sees(page, "Mo Moderator")
    sees(host.page, "Jun Tanaka")
    seen(host.page, "conference")
    guest.page.get_by_role("button", name="Raise hand").click()
    host.page.get_by_role("button", name="People").click()
    expect(host.page.get_by_role("button", name="Lower the hand of Jun Tanaka")).to_be_visible()
    seen(host.page, "conference-people")
    open_chat(host)
    seen(host.page, "conference-chat-empty")
    write(host, "The minutes are at https://example.org/minutes/2026-11-30, please read point 4.")
    open_chat(guest)
    write(guest, "I have them open.\nMay I say something about point 4 first?", to="Mo Moderator")
    expect(host.page.get_by_text("to you only")).to_be_visible()
    seen(host.page, "conference-chat")
    guest.leave()
    seen(page, "left")
    alice = person("Alice")
    alice.sign_in()
    alice.page.get_by_role("link", name="Board meeting", exact=True).click()
    room = alice.page.url
    seen(alice.go(f"{portal.address}/rooms/{room.rsplit('/', 1)[1]}/-/entry"), "entry")
    alice.go(f"{room}/settings").get_by_label("Wait for a moderator").check()
    alice.page.get_by_role("button", name="Save").click()
    host.leave()
    guest.go(entry_of(portal, "Jun Tanaka"))
    expect(page.get_by_text("The host is not here yet")).to_be_visible()
    seen(page, "entry-waits")
    seen(guest.go(entry_of(portal, "Jun Tanaka", spent=True)), "entry-spent")
    alice.go(f"{room}/links").get_by_label("More for Press").click()
    alice.page.get_by_role("link", name="Rotate").click()
    follow(alice.page.get_by_role("button", name="Make the new link"))
    seen(guest.go(links["guest"]), "join-replaced")
    alice.go(f"{room}/links").get_by_label("More for Press").first.click()
    follow(alice.page.get_by_role("button", name="Pause"))
    seen(guest.go(links["guest"]), "refused")
    seen(guest.go("/rooms/1111111111/nowhere"), "nothing")


def test_doors_of_guests(portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]) -> None:
    links = board_links(portal)
    change_board(portal, settings='{"wait_for_host": true}', features='{"max_participants": 2}')
    guest, host, late = person("Jun Tanaka"), person("Mo Silva"), person("Lena Late")
    page = guest.go(links["attendee"])
    expect(page.get_by_text("Press Join to wait")).to_be_visible()
    seen(page, "door-host")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("This link needs an access code.")).to_be_visible()
    seen(page, "door-errors")
    guest.go(links["guest"])
    page.get_by_label("Your name").fill("Jun Tanaka")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("you come in by yourself as soon as")).to_be_visible()
    seen(page, "door-asked")
    host.join(links["moderator"])
    expect(host.page.get_by_text("You are the only one here.")).to_be_visible()
    seen(host.page, "player-alone")
    page.wait_for_url("**/-/conference")
    sees(page, "Mo Silva")
    second = guest.new_tab()
    second.goto(page.url)
    expect(second.get_by_role("link", name="Leave this tab")).to_be_visible()
    seen(second, "player-elsewhere")
    follow(second.get_by_role("link", name="Leave this tab"))
    seen(second, "door-elsewhere")
    second.goto(links["guest"].split("?")[0])
    expect(second.get_by_text("This device still has its place")).to_be_visible()
    seen(second, "door-inside")
    late.go(links["guest"])
    expect(late.page.get_by_text("This page tells you when there is a place again.")).to_be_visible()
    seen(late.page, "door-full")
    host.page.get_by_role("button", name="People").click()
    seen(host.page, "player-people")
    host.page.get_by_role("button", name="Remove Jun Tanaka").click()
    seen(host.page, "player-asks")
    host.page.get_by_role("button", name="Remove Jun Tanaka").click()
    expect(host.page.get_by_role("button", name="Let back in: Jun Tanaka")).to_be_visible()
    seen(host.page, "player-removed")
    expect(page.get_by_role("heading", name="A moderator removed you from the room.")).to_be_visible()
    seen(page, "door-removed")
    seen(guest.go(links["guest"]), "door-stays-removed")
    host.leave()
    seen(host.page, "door-left")
    guest.go(entry_of(portal, "Jun Tanaka"))
    expect(page.get_by_text("The host is not here yet")).to_be_visible()
    seen(page, "door-continue")


def test_closed_doors_of_guests(
    portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]
) -> None:
    guest, link = person("Lena Late"), board_links(portal)["guest"]
    page = guest.go(open_house(portal))
    guest.context.clear_cookies()
    page.get_by_label("Your name").fill("Lena Late")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("Your browser kept no cookie")).to_be_visible()
    seen(page, "door-no-cookies")
    for name, change in (
        ("opening", "not_before = datetime('now', '+20 minutes')"),
        ("opening-days", "not_before = datetime('now', '+4000 minutes')"),
        ("paused", "not_before = NULL, paused_at = datetime('now')"),
        ("expired", "expires_at = datetime('now', '-1 day')"),
        ("revoked", "revoked_at = datetime('now')"),
    ):
        change_link(portal, change)
        seen(guest.go(link), f"door-{name}")


def test_the_player_without_a_script(
    portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]
) -> None:
    guest = person("Jun Tanaka")
    guest.page.route("**/providers/mesh/*.js", lambda route: route.abort())
    guest.join(board_links(portal)["guest"])
    expect(guest.page.get_by_role("heading", name="A conversation needs JavaScript")).to_be_visible()
    seen(guest.page, "player-no-script")


def test_members_who_wait_and_the_owner_who_sees_it(
    portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]
) -> None:
    change_board(portal, settings='{"wait_for_host": true}')
    bob, alice = person("Bob"), person("Alice")
    bob.sign_in()
    follow(bob.page.get_by_role("button", name="Enter Board meeting"))
    seen(bob.page, "door-member")
    alice.sign_in()
    follow(alice.page.get_by_role("link", name="Board meeting", exact=True))
    expect(alice.page.get_by_text("1 person is waiting for a moderator")).to_be_visible()
    seen(alice.page, "room-waits")
