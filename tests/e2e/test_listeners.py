"""More people than send: the others listen, may send when a place is free, and past all places the room is full."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import Person, hears, sees
from tests.e2e.test_journeys import board_links
from tests.e2e.test_tiles import MODULE
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

LISTENS = "As many people send pictures and sound already"
DROPPED = f"""async () => {{
  const {{ Peer }} = await {MODULE % "peer.js"};
  const canvas = document.createElement("canvas");
  canvas.getContext("2d");
  let forger = null;
  const listener = {{ id: "forger", sends: false, camera: true }};
  const peer = new Peer(listener, {{ polite: false, ice: [], send: async (kind, data) => forger.hear(kind, data) }});
  forger = new Peer({{ id: "me", sends: true }}, {{ polite: true, ice: [], send: async (kind, data) => peer.hear(kind, data) }});
  forger.share(canvas.captureStream(10), ["audio", "video"]);
  const came = new Promise((resolve) => peer.addEventListener("stream", () => peer.stream.getTracks().length && resolve()));
  peer.share(new MediaStream(), ["audio", "video"]);
  await came;
  const enabled = () => peer.stream.getTracks().map((track) => track.enabled);
  const before = enabled();
  peer.person = {{ ...listener, sends: true }};
  peer.drop();
  return [before, enabled()];
}}"""


@pytest.fixture
def portal(tmp_path: Path, furnished_sqlite: Path) -> Iterator[Portal]:
    """The portal, with one who sends in a conversation, and three who are in."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(furnished_sqlite, data / "foyer.db")
    portal = Portal(data, environment={"MESH_PEOPLE": "1,3"})
    portal.start()
    yield portal
    portal.stop()
    print(portal.log()[-6000:])  # shown beside what failed


def test_listeners_see_and_hear_and_one_sends_when_a_place_is_free(
    portal: Portal, person: Callable[..., Person]
) -> None:
    links = board_links(portal)
    ann, ben, cleo, dan = (person(name) for name in ("Ann One", "Ben Two", "Cleo Three", "Dan Four"))
    ann.join(links["moderator"])
    expect(ann.page.get_by_role("button", name="Stop camera")).to_be_enabled()
    for one in (ben, cleo):
        one.join(links["guest"])
        expect(one.page.get_by_text(LISTENS)).to_be_visible()
        for button in ("Mute microphone", "Stop camera"):
            expect(one.page.get_by_role("button", name=button)).to_be_disabled()
        sees(one.page, ann.name)
        hears(one.page, ann.name)
    expect(ben.page.locator(".tile-says:visible")).to_have_count(0)  # also listeners are connected
    ben.page.get_by_role("button", name="Raise hand").click()
    ann.page.get_by_role("button", name="People").click()
    people = ann.page.get_by_role("complementary", name="People").get_by_role("listitem")
    expect(people.filter(has_text=ben.name)).to_contain_text("Guest, listens")
    expect(people.filter(has_text=ben.name)).to_contain_text("hand raised, number 1")
    expect(ann.page.get_by_role("button", name="Ask Ben Two to unmute")).to_be_hidden()
    dan.go(links["guest"])
    expect(dan.page.get_by_text("The room is full.")).to_be_visible()

    ann.leave()
    expect(ben.page.get_by_text("A place is free")).to_be_visible()
    expect(cleo.page.get_by_text(LISTENS)).to_be_visible()
    assert not ben.page.evaluate("document.querySelector('.tile.is-own video').srcObject.getTracks().length")
    ben.page.get_by_role("button", name="Start camera").click()
    ben.page.get_by_role("button", name="Unmute microphone").click()
    sees(cleo.page, ben.name)
    hears(cleo.page, ben.name)
    expect(ben.page.get_by_text("A place is free")).to_be_hidden()
    dan.join(links["guest"])
    sees(dan.page, ben.name)
    expect(dan.page.get_by_text(LISTENS)).to_be_visible()


def test_what_a_listener_sends_all_the_same_is_dropped(portal: Portal, person: Callable[..., Person]) -> None:
    ann = person("Ann One")
    ann.join(board_links(portal)["moderator"])
    before, after = ann.page.evaluate(DROPPED)
    assert before
    assert not any(before)
    assert all(after)


def test_listeners_and_full_rooms_look_well(
    portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]
) -> None:
    links = board_links(portal)
    ann, ben, cleo, alice = (person(name) for name in ("Ann One", "Ben Two", "Cleo Three", "Alice"))
    ann.join(links["moderator"])
    for one in (ben, cleo):
        one.join(links["guest"])
    sees(ben.page, ann.name)
    seen(ben.page, "player-listens")
    alice.sign_in()
    room = alice.page.get_by_role("link", name="Board meeting", exact=True).get_attribute("href")
    assert room
    page = alice.go(f"/rooms/{room.rsplit('/', 1)[1]}/-/entry")
    expect(page.get_by_text("A conference server holds more")).to_be_visible()
    seen(page, "entry-full")
