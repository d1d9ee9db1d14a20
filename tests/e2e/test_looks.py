"""Every page in light and dark, at 360 and 1280 px: no violation that axe can find, nothing wider than the screen.

With SCREENSHOTS=folder the pictures are kept; the README's is one of them.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.people import Person, follow, sees
from tests.e2e.test_domain import entry_of
from tests.e2e.test_doors import change_board, change_link, change_webhooks, open_house
from tests.e2e.test_journeys import board_links
from tests.oauth.programs import CHALLENGE, VERIFIER
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(480)]

AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}
LOOKS = [("light", 360), ("light", 1280), ("dark", 360), ("dark", 1280)]


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def look(request: pytest.FixtureRequest) -> tuple[str, int]:
    scheme, width = request.param
    return scheme, width


@pytest.fixture
def seen(look: tuple[str, int]) -> Iterator[Callable[[Page, str], None]]:
    """Looks at a page; all complaints are told together at the end."""
    complaints: list[str] = []
    scheme, width = look

    def at(page: Page, name: str) -> None:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_load_state()
        if folder := os.environ.get("SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png", full_page=name != "conference")
        found = Axe().run(page, options=AXE).response["violations"]
        complaints.extend(f"{name}: {one['id']}: {one['nodes'][0]['html'][:160]}" for one in found)
        wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            complaints.append(f"{name}: {wide} px wider than the screen")

    yield at
    assert complaints == []


def test_pages_of_owners(
    portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None], look: tuple[str, int]
) -> None:
    links = board_links(portal)
    chair, guest, alice = person("Mo Silva"), person("Jun Tanaka"), person("Alice")
    chair.join(links["moderator"])
    guest.join(links["guest"])
    page = alice.go("/sign-in")
    seen(page, "sign-in")
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


def test_pages_about_programs(portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]) -> None:
    back = f"{portal.address}/livez"
    made = portal.run(
        *("client", "create", "--name", "Timetable of the music school", "--user", "charlie@demo.example"),
        *("--kind", "third_party", "--redirect-uri", back, "--json"),
    )
    said = json.loads(made)
    asked = {
        "response_type": "code",
        "client_id": said["client_id"],
        "redirect_uri": back,
        "scope": "rooms.read rooms.write access.read status.read",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    alice = person("Alice")
    alice.sign_in()
    page = alice.go("/me/credentials")
    seen(page, "credentials-none")
    seen(alice.go("/api/v1/docs"), "api-docs")
    alice.go("/me/credentials")
    page.get_by_role("link", name="New credential").click()
    page.get_by_role("button", name="Create credential").click()
    expect(page.get_by_text("Choose at least one")).to_be_visible()
    seen(page, "credential-new-refused")
    page.get_by_label("Name").fill("Timetable")
    page.get_by_label("Description").fill("Makes a room for each lesson and sends the links")
    for words in ("See your rooms", "Create, change", "See links", "Make, change"):
        page.get_by_role("checkbox", name=words).check()
    page.get_by_role("button", name="Create credential").click()
    expect(page.get_by_label("Client secret", exact=True)).to_have_value(re.compile("^fs_"))
    seen(page, "credential-made")
    follow(page.get_by_role("link", name="I have copied it"))
    seen(page, "credentials")
    follow(page.get_by_role("link", name="Revoke Timetable"))
    seen(page, "credential-revoke")
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("Revoked", exact=True)).to_be_visible()
    page.get_by_label("Account of Alice Moreau").click()
    seen(page, "account-menu")
    follow(page.get_by_role("link", name="Authorised applications"))
    seen(page, "applications-none")
    alice.go(f"/oauth/authorize?{urlencode(asked)}")
    seen(page, "consent")
    page.get_by_role("button", name="Allow", exact=True).click()
    page.wait_for_url("**/livez?code=fc_*")
    form = {name: said[name] for name in ("client_id", "client_secret")} | {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(page.url).query)["code"][0],
        "redirect_uri": back,
        "code_verifier": VERIFIER,
    }
    assert page.request.post(f"{portal.address}/oauth/token", form=form).ok  # type: ignore[arg-type]
    seen(alice.go("/me/applications"), "applications")
    follow(page.get_by_role("link", name="Revoke Timetable of the music school"))
    seen(page, "application-revoke")


def test_pages_of_webhooks(
    portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None], look: tuple[str, int]
) -> None:
    alice = person("Alice")
    alice.sign_in()
    page = alice.page
    page.get_by_role("link", name="Board meeting", exact=True).click()
    room = page.url
    follow(page.get_by_role("link", name="Webhooks"))
    seen(page, "webhooks-none")
    page.get_by_role("link", name="New webhook").click()
    page.get_by_label("Address", exact=True).fill("http://localhost/")
    page.get_by_role("button", name="Create webhook").click()
    expect(page.get_by_text("The address must begin with https://.")).to_be_visible()
    seen(page, "webhook-new-refused")
    page.get_by_label("Address", exact=True).fill(
        "https://localhost:9999/attendance/of/the/supervisory/board?from=foyer"
    )
    page.get_by_label("Description").fill("Attendance list of the works council")
    page.get_by_label("A link was revoked.").check()
    page.get_by_role("button", name="Create webhook").click()
    expect(page.get_by_text("Nothing was sent yet")).to_be_visible()
    seen(page, "webhook-made")
    webhook = page.url
    page.get_by_role("button", name="Send a test").click()
    said = page.get_by_text("The address leads into a private network")
    expect(said).to_be_visible(timeout=20_000)  # without a reload
    page.get_by_role("button", name="New secret").click()
    links = alice.go(f"{room}/links")
    links.get_by_label("More for Press").click()
    links.get_by_role("button", name="Revoke").click()
    expect(links.get_by_text("The link was revoked.")).to_be_visible()
    alice.go(webhook)
    expect(page.get_by_text("Is tried again")).to_be_visible(timeout=20_000)
    alice.go(webhook)
    expect(page.get_by_text("Nothing has got through since")).to_be_visible()
    seen(page, "webhook")
    seen(alice.go(f"{webhook}/edit"), "webhook-edit")
    seen(alice.go(f"{webhook}/deletion"), "webhook-deletion")
    alice.go(webhook).get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused since")).to_be_visible()
    seen(page, "webhook-paused")
    change_webhooks(portal, "paused_why = 'rights', created_by_uuid = NULL")
    alice.go(webhook)
    expect(page.get_by_text("in the name of somebody who could no longer keep it here")).to_be_visible()
    seen(page, "webhook-without-rights")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("It is not sent any more")).to_be_visible()
    seen(page, "webhook-taken-over")
    change_webhooks(portal, "created_by_uuid = NULL")
    alice.go(webhook)
    expect(page.get_by_text("So nothing more is sent.")).to_be_visible()
    seen(page, "webhook-without-keeper")
    seen(alice.go(f"{webhook}/edit"), "webhook-edit-without-keeper")
    seen(alice.go(f"{room}/webhooks"), "webhooks")


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
    host.page.get_by_role("button", name="People").click()
    seen(host.page, "conference-people")
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
    expect(page.get_by_role("alertdialog")).to_be_visible()
    seen(page, "player-removed")
    follow(page.get_by_role("link", name="Continue"))
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
    guest.page.route("**/js/player/*", lambda route: route.abort())
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
