"""The main job, as people do it: real clicks, real servers, real media."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import BrowserContext, Page, expect

from tests import servers
from tests.e2e.people import Person, follow, hears, remove, sees
from tests.servers import Portal, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

NewPerson = Callable[..., Person]


def live_badge(page: Page, words: str, *, seconds: float = 10) -> None:
    expect(page.locator("#live-badge")).to_have_text(re.compile(words), timeout=seconds * 1000)


def board_links(portal: Portal) -> dict[str, str]:
    """The demo world's links, as its owner copies them."""
    engine = sa.create_engine(f"sqlite:///{portal.data / 'foyer.db'}")
    from portal import vault

    vault.use((servers.SECRET_KEY,))
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT t.role, t.token_sealed, r.id, r.slug FROM room_tokens t JOIN rooms r ON r.uuid = t.room_uuid"
            )
        )
        links = {
            role: f"{portal.address}/rooms/{room}/{slug}?token={vault.unseal(sealed, purpose='room-token')}"
            for role, sealed, room, slug in rows
        }
    engine.dispose()
    return links


def test_1_a_link_leads_into_a_real_conversation(portal: Portal, person: NewPerson) -> None:
    alice, guest = person("Alice"), person("Gus Guest")
    alice.sign_in()
    room = alice.create_room("Quarterly review")
    alice.create_code(room, "Attendee", "KDTM-4QXA")
    link = alice.create_link(room, "Attendee", "Auditors")

    watching = alice.go(room)
    live_badge(watching, "Idle")
    guest.join(link, code="kdtm 4qxa")
    talking = alice.enter(room, alice.new_tab())
    sees(talking, "Gus Guest")
    sees(guest.page, "Alice Moreau")
    hears(talking, "Gus Guest")
    hears(guest.page, "Alice Moreau")
    live_badge(watching, "Live.*2 in")
    expect(watching.locator("#status")).to_contain_text("Gus Guest")
    expect(watching.locator("#status")).to_contain_text("checked")

    began = time.monotonic()
    wait_for(lambda: time.monotonic() - began > 60, seconds=70, what="a minute")
    sees(talking, "Gus Guest")
    sees(guest.page, "Alice Moreau")

    guest.page.close()
    live_badge(watching, "Live.*1 in")
    expect(talking.locator("#people-count")).to_have_text("1", timeout=10_000)


def test_2_a_revoked_link_refuses_the_next_visitor(portal: Portal, person: NewPerson) -> None:
    alice = person("Alice")
    alice.sign_in()
    room = alice.create_room("Short-lived")
    link = alice.create_link(room, "Guest", "Press")
    first = person("Fay First")
    first.join(link)
    page = alice.go(f"{room}/links")
    page.get_by_label("More for Press").click()
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("The link was revoked.")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="Press")).to_contain_text("Revoked")
    second = person("Sam Second")
    second.go(link)
    expect(second.page.get_by_role("heading", name="This link no longer works")).to_be_visible()
    assert second.page.get_by_label("Your name").count() == 0
    expect(first.page.get_by_role("button", name="Leave")).to_be_visible()
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="Press")).to_contain_text("Works")


def test_3_the_public_room_gives_one_browser_one_link(portal: Portal, person: NewPerson) -> None:
    alice, guest = person("Alice"), person("Pat Public")
    alice.sign_in()
    alice.page.get_by_role("link", name="Open house", exact=True).click()
    room = alice.page.url
    address = alice.page.get_by_label("Address of the room").input_value()
    guest.join(address)
    guest.leave()
    guest.page.get_by_role("link", name="Rejoin").click()
    expect(guest.page.get_by_label("Your name")).to_have_value("Pat Public")
    guest.page.get_by_role("button", name="Join").click()
    guest.page.wait_for_url("**/-/conference")
    alice.go(f"{room}/links")
    expect(alice.page.get_by_text("1 automatic guest link of this public room is hidden")).to_be_visible()


def test_4_joining_needs_no_script_up_to_the_player(portal: Portal, new_context: Callable[..., BrowserContext]) -> None:
    plain = Person(new_context(java_script_enabled=False), portal.address, "Nora Noscript")
    page = plain.go(board_links(portal)["attendee"])
    assert "token" not in page.url
    page.get_by_label("Your name").fill("Nora Noscript")
    page.get_by_label("Access code").fill("wrong")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("That code does not fit this link")).to_be_visible()
    expect(page.get_by_label("Your name")).to_have_value("Nora Noscript")
    page.get_by_label("Access code").fill("demo 2026")
    follow(page.get_by_role("button", name="Join"))  # to its end: without its styles the page says it twice
    expect(page.get_by_role("heading", name="A conversation needs JavaScript")).to_be_visible()
    page.get_by_role("button", name="Leave").click()
    expect(page.get_by_role("heading", name="You left the room.")).to_be_visible()


def test_6_after_kill_minus_9_people_go_on_and_there_are_no_ghosts(portal: Portal, person: NewPerson) -> None:
    alice, guest, other = person("Alice"), person("Gus Guest"), person("Fay")
    link = board_links(portal)["guest"]
    alice.sign_in()
    alice.page.get_by_role("link", name="Board meeting", exact=True).click()
    watching, room = alice.page, alice.page.url
    guest.join(link)
    other.join(link)
    talking = alice.enter(room, alice.new_tab())
    sees(talking, "Gus Guest")
    live_badge(watching, "Live.*3 in")
    watching.goto("about:blank")
    portal.kill()
    expect(guest.page.get_by_text("The connection to the portal is lost")).to_be_visible(timeout=15_000)
    other.page.close()  # nobody hears of it
    portal.start()
    sees(talking, "Gus Guest")
    sees(guest.page, "Alice Moreau")
    watching.goto(room)
    expect(watching.locator("#status li").filter(has_text="Fay")).to_contain_text("connecting again", timeout=30_000)
    live_badge(watching, "Live.*2 in", seconds=90)
    expect(talking.locator("#people-count")).to_have_text("2")


def test_7_eight_open_owner_pages_still_answer(portal: Portal, person: NewPerson) -> None:
    alice, guest = person("Alice"), person("Gus Guest")
    link = board_links(portal)["guest"]
    alice.sign_in()
    alice.page.get_by_role("link", name="Board meeting", exact=True).click()
    room = alice.page.url
    pages = [alice.page, *(alice.new_tab() for _ in range(7))]
    for page in pages[1:]:
        page.goto(room)
        live_badge(page, "Idle")
    guest.join(link)
    for page in pages:
        live_badge(page, "Live.*1 in")
    pages[0].close()  # the tab that listened for all of them
    guest.leave()
    for page in pages[1:]:
        live_badge(page, "Idle", seconds=15)
    pages[3].get_by_role("link", name="Settings", exact=True).click()
    expect(pages[3].get_by_label("Name", exact=True)).to_have_value("Board meeting")


def test_reload_second_tab_takeover_and_back(portal: Portal, person: NewPerson) -> None:
    moderator, guest = person("Mo Moderator"), person("Gus Guest")
    links = board_links(portal)
    moderator.join(links["moderator"])
    guest.join(links["guest"])
    sees(moderator.page, "Gus Guest")
    for beacons in ("arrive", "are lost"):
        if beacons == "are lost":
            guest.page.evaluate("navigator.sendBeacon = () => true")
        guest.page.reload()
        sees(moderator.page, "Gus Guest")
        sees(guest.page, "Mo Moderator")
        expect(moderator.page.locator("#people-count")).to_have_text("2")

    second = guest.new_tab()
    second.goto(guest.page.url)
    expect(second.get_by_role("heading", name="You are already in: take over here")).to_be_visible()
    second.get_by_role("button", name="Take over here").click()
    sees(second, "Mo Moderator")
    sees(moderator.page, "Gus Guest")
    expect(guest.page.get_by_role("heading", name="You are already in: take over here")).to_be_visible()

    guest.leave(second)
    second.go_back()
    expect(second.get_by_role("link", name="Rejoin")).to_be_visible()


def test_microphone_camera_mute_and_remove(portal: Portal, person: NewPerson) -> None:
    moderator, guest = person("Mo Moderator"), person("Gus Guest")
    links = board_links(portal)
    moderator.join(links["moderator"])
    guest.join(links["guest"])
    sees(moderator.page, "Gus Guest")
    guest.page.get_by_role("button", name="Stop camera").click()
    expect(guest.page.get_by_role("button", name="Start camera")).to_be_visible()
    tile = moderator.page.locator(".tile").filter(has_text="Gus Guest")
    expect(tile).not_to_have_class(re.compile("has-picture"))
    guest.page.get_by_role("button", name="Start camera").click()
    expect(tile).to_have_class(re.compile("has-picture"))
    sees(moderator.page, "Gus Guest")

    moderator.page.get_by_role("button", name="People").click()
    assert guest.page.get_by_role("button", name="Remove").count() == 0
    moderator.page.get_by_role("button", name="Mute Gus Guest").click()
    expect(guest.page.get_by_text("A moderator muted your microphone")).to_be_visible()
    guest.page.get_by_role("button", name="Unmute microphone").click()
    remove(moderator.page, "Gus Guest")
    expect(guest.page.get_by_role("heading", name="A moderator removed you from the room.")).to_be_visible()
    expect(moderator.page.locator("#people-count")).to_have_text("1")


def test_three_people_see_each_other(portal: Portal, person: NewPerson) -> None:
    links = board_links(portal)
    people = [person(name) for name in ("Ann One", "Ben Two", "Cleo Three")]
    for one in people:
        one.join(links["guest"])
    for one in people:
        for other in people:
            if one is not other:
                sees(one.page, other.name, seconds=40)


def test_without_camera_one_watches_and_is_told_what_to_do(portal: Portal, person: NewPerson) -> None:
    links = board_links(portal)
    sender, watcher = person("Sid Sender"), person("Wim Watcher", permissions=[])
    watcher.context.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))"
    )
    sender.join(links["moderator"])
    watcher.join(links["guest"])
    expect(watcher.page.get_by_text("Your browser was told not to use camera and microphone")).to_be_visible()
    expect(watcher.page.get_by_role("button", name="Try again")).to_be_visible()
    sees(watcher.page, "Sid Sender")


def test_a_connection_that_cannot_be_made_says_so(portal: Portal, person: NewPerson) -> None:
    links = board_links(portal)
    one, other = person("Ann One"), person("Ben Two")
    other.context.add_init_script("RTCPeerConnection.prototype.addIceCandidate = async () => {}")
    one.context.add_init_script("RTCPeerConnection.prototype.addIceCandidate = async () => {}")
    for each in (one, other):  # descriptions carry candidates too once they are gathered
        each.context.add_init_script(
            "const set = RTCPeerConnection.prototype.setRemoteDescription;"
            "RTCPeerConnection.prototype.setRemoteDescription = function (d) {"
            " return set.call(this, {type: d.type, sdp: d.sdp.replace(/a=candidate.*\\r\\n/g, '')}); };"
        )
    one.join(links["guest"])
    other.join(links["guest"])
    expect(one.page.get_by_text("No connection to Ben Two could be made")).to_be_visible(timeout=120_000)


def press_to(page: Page, name: str, *, key: str = "Tab") -> None:
    """Go by the keyboard to the control with this accessible name."""
    for _ in range(60):
        page.keyboard.press(key)
        found = page.evaluate(
            """() => {
              const one = document.activeElement;
              const words = one.getAttribute("aria-label") ?? one.labels?.[0]?.textContent ?? one.textContent;
              return [words.trim(), getComputedStyle(one).outlineStyle];
            }"""
        )
        if found[0] == name:
            assert found[1] != "none", f"nothing shows that {name} has the focus"
            return
    raise AssertionError(f"the keyboard does not reach {name}")


def test_everything_by_keyboard(portal: Portal, person: NewPerson) -> None:
    alice, guest = person("Alice"), person("Gus Guest")
    page = alice.go("/sign-in")
    page.keyboard.type("alice@demo.example")  # the first field has the focus
    page.keyboard.press("Tab")
    page.keyboard.type("demo-demo-demo")
    page.keyboard.press("Enter")
    page.wait_for_url("**/manage/rooms")
    press_to(page, "New room")
    page.keyboard.press("Enter")
    page.wait_for_url("**/rooms/new")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("By keys")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="By keys", level=1)).to_be_visible()
    press_to(page, "Links")
    page.keyboard.press("Enter")
    page.wait_for_url("**/links")
    press_to(page, "New link")
    page.keyboard.press("Enter")
    page.wait_for_url("**/links/new")
    expect(page.get_by_label("Role")).to_be_focused()
    page.keyboard.type("Guest")
    press_to(page, "Label")
    page.keyboard.type("Keys")
    page.keyboard.press("Enter")
    page.wait_for_url("**/links?made=*")
    press_to(page, "More for Keys")
    page.keyboard.press("Enter")
    press_to(page, "Address")
    link = page.evaluate("document.activeElement.value")
    page.keyboard.press("Escape")
    expect(page.get_by_label("More for Keys")).to_be_focused()

    page = guest.go(link)
    press_to(page, "Your name")
    page.keyboard.type("Gus Guest")
    page.keyboard.press("Enter")
    page.wait_for_url("**/-/conference")
    expect(page.get_by_role("button", name="Mute microphone")).to_be_enabled()
    press_to(page, "Mute microphone")
    page.keyboard.press("Space")
    press_to(page, "People")
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="People")).to_be_visible()
    press_to(page, "Leave")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Rejoin")).to_be_visible()


@pytest.fixture
def scaled(tmp_path: Path, furnished_sqlite: Path, valkey_server: str) -> Iterator[list[Portal]]:
    """One portal as two servers that share a database and Valkey."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shutil.copy(furnished_sqlite, shared / "foyer.db")
    environment = {"REDIS_URL": valkey_server, "DATABASE_URL": f"sqlite:///{shared / 'foyer.db'}"}
    portals = [Portal(tmp_path / f"web{number}", environment=dict(environment)) for number in (1, 2)]
    for portal in portals:
        portal.start()
    yield portals
    for portal in portals:
        portal.stop()


def test_5_peers_on_different_processes_meet(scaled: list[Portal], new_context: Callable[..., BrowserContext]) -> None:
    first, second = scaled
    alice = Person(new_context(), first.address, "Alice")
    guest = Person(new_context(), second.address, "Gus Guest")
    alice.sign_in()
    room = alice.create_room("Across processes")
    link = alice.create_link(room, "Guest", "Far away").replace(first.address, second.address)
    watching = alice.go(room)
    guest.join(link)
    talking = alice.enter(room, alice.new_tab())
    sees(talking, "Gus Guest")
    sees(guest.page, "Alice Moreau")
    live_badge(watching, "Live.*2 in")
    guest.page.close()
    live_badge(watching, "Live.*1 in")
    assert alice.complaints == guest.complaints == []
