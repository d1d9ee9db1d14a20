"""A network that breaks off and a portal that is restarted, in real browsers with pictures that really flow."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from portal.clock import now
from tests.cast import CODE
from tests.e2e.people import FRAMES, Person, follow, sees
from tests.e2e.test_journeys import board_links
from tests.e2e.test_screen_sharing import SCREEN, share
from tests.servers import Portal, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

RESTART = 10_000  # ms that a restart of the portal may take, which no call must mind
LOST = "The connection to the portal is lost."
Two = tuple[Person, Person]

MARK = "() => { window.sameTrack = document.querySelector('.is-own video').srcObject.getVideoTracks()[0]; }"
SAME = """() => {
  const [track] = document.querySelector('.is-own video').srcObject.getVideoTracks();
  return track === window.sameTrack && track.readyState === 'live';
}"""

LINKS = """(() => {
  const Link = RTCPeerConnection;
  window.links = [];
  window.RTCPeerConnection = class extends Link {
    constructor(options) {
      super(options);
      window.links.push(this);
    }
  };
})()"""
"""Keeps the page's connections for those who look at them."""
WAY = "() => window.links[0].currentLocalDescription.sdp.match(/ice-ufrag:(\\S+)/)[1]"
OTHER_WAY = f"""(way) => {{
  const {{ connectionState, signalingState }} = window.links[0];
  return ({WAY})() !== way && connectionState === "connected" && signalingState === "stable";
}}"""


@pytest.fixture
def two(portal: Portal, person: Callable[..., Person]) -> Two:
    """Mo and Gus, who see each other; Gus has muted himself."""
    mo, gus = person("Mo"), person("Gus")
    links = board_links(portal)
    mo.join(links["moderator"])
    gus.join(links["guest"])
    for one, other in ((mo, gus), (gus, mo)):
        sees(one.page, other.name)
        one.page.evaluate(MARK)
    gus.page.get_by_role("button", name="Mute microphone").click()
    return mo, gus


def goes_on(one: Page, name: str) -> None:
    """More pictures of `name` arrive than had arrived until now."""
    frames = one.evaluate(FRAMES, name)
    one.wait_for_function("([name, more]) => (" + FRAMES + ")(name) > more", arg=[name, frames + 10], timeout=60_000)


def both_go_on(two: Two) -> None:
    mo, gus = two
    for one, other in ((mo, gus), (gus, mo)):
        expect(one.page.get_by_text(LOST)).to_be_hidden(timeout=30_000)
        goes_on(one.page, other.name)
        assert one.page.evaluate(SAME), "the camera was got anew"
    expect(gus.page.get_by_role("button", name="Unmute microphone")).to_be_visible()


def sql(portal: Portal, statement: str) -> list[Any]:
    """Do this in the portal's database. The first column of what it answers."""
    engine = sa.create_engine(f"sqlite:///{portal.data / 'foyer.db'}")
    with engine.begin() as connection:
        result = connection.execute(sa.text(statement))
        answer = list(result.scalars()) if result.returns_rows else []
    engine.dispose()
    return answer


def entered(portal: Portal) -> int:
    [count] = sql(portal, "SELECT count(*) FROM participations")
    return int(count)


def away_in(portal: Portal) -> list[str]:
    """The names of those whose heartbeats the portal misses."""
    return sql(portal, "SELECT name FROM participations WHERE away_since IS NOT NULL AND left_at IS NULL")


def replace_codes(portal: Portal) -> None:
    """Each code expires, and another one of its role is there."""
    sql(portal, "UPDATE access_codes SET expires_at = '2020-01-01 00:00:00.000000'")
    copied = "room_uuid, role, use_count, created_at, updated_at"
    sql(
        portal,
        f"INSERT INTO access_codes (uuid, id, code, normal, label, {copied})"
        f" SELECT lower(hex(randomblob(16))), substr(id, 1, 9) || '_', 'NEW-ONE', 'new0ne', '', {copied}"
        " FROM access_codes",
    )


def lose(portal: Portal, name: str) -> None:
    """The portal gave up the place of `name`, as it does after a minute without a heartbeat."""
    sql(
        portal,
        f"UPDATE participations SET left_at = '{now():%Y-%m-%d %H:%M:%S.%f}', ending = 'lost' WHERE name = '{name}'",
    )


def test_a_restart_of_the_portal_ends_no_call(portal: Portal, two: Two) -> None:
    mo, gus = two
    portal.stop()
    for one in two:
        expect(one.page.get_by_text(LOST)).to_be_visible()
    mo.page.wait_for_timeout(RESTART)
    portal.start()
    both_go_on(two)
    assert entered(portal) == 2
    gus.page.get_by_role("button", name="Stop camera").click()
    expect(mo.page.locator(".tile:not(.is-own)")).not_to_have_class(re.compile("has-picture"))  # the stream works


def test_a_network_that_breaks_off_for_a_while_ends_no_call(portal: Portal, two: Two) -> None:
    mo, gus = two
    gus.context.set_offline(True)
    expect(mo.page.get_by_text("Gus is connecting again…").first).to_be_visible()
    expect(gus.page.get_by_text(LOST)).to_be_visible()
    expect(mo.page.locator(".tile:not(.is-own)")).to_have_class(re.compile("has-picture"))  # it still arrives
    wait_for(lambda: away_in(portal) == ["Gus"], what="the portal's note that Gus is away")
    gus.context.set_offline(False)
    expect(mo.page.locator(".tile-says:visible")).to_have_count(0)
    both_go_on(two)
    assert entered(portal) == 2


def test_a_shared_screen_goes_on_when_the_way_between_browsers_is_made_anew(
    portal: Portal, person: Callable[..., Person]
) -> None:
    """As after a change of the network: an ICE restart, that both begin at once."""
    mo, gus = person("Mo"), person("Gus")
    links = board_links(portal)
    for one, role in ((mo, "moderator"), (gus, "guest")):
        one.page.add_init_script(LINKS)
        one.join(links[role])
    sees(mo.page, "Gus")
    share(gus.page)
    sees(mo.page, SCREEN)
    ways = [one.page.evaluate(WAY) for one in (mo, gus)]
    for one in (mo, gus):
        one.page.evaluate("window.links[0].restartIce()")
    for one, way in zip((mo, gus), ways, strict=True):
        one.page.wait_for_function(OTHER_WAY, arg=way)
        assert one.page.evaluate("window.links.length") == 1
    for one, name in ((mo, SCREEN), (mo, "Picture of Gus"), (gus, "Picture of Mo")):
        goes_on(one.page, name)
    expect(mo.page.locator(".is-screen")).to_have_count(1)
    expect(mo.page.locator(".tile-says:visible")).to_have_count(0)
    gus.page.get_by_role("button", name="Stop sharing").click()
    expect(mo.page.locator(".is-screen")).to_have_count(0)


def test_who_was_away_for_more_than_a_minute_enters_again_by_himself(portal: Portal, two: Two) -> None:
    mo, gus = two
    gus.context.set_offline(True)
    expect(mo.page.locator(".tile")).to_have_count(1, timeout=90_000)
    gus.context.set_offline(False)
    expect(mo.page.locator(".tile")).to_have_count(2, timeout=30_000)
    for one, other in ((mo, gus), (gus, mo)):
        sees(one.page, other.name)
    both_go_on(two)
    assert entered(portal) == 3


def test_who_has_to_type_a_code_to_come_back_is_led_to_the_join_page(
    portal: Portal, person: Callable[..., Person]
) -> None:
    mo, ann = person("Mo"), person("Ann")
    links = board_links(portal)
    mo.join(links["moderator"])
    ann.join(links["attendee"], code=CODE)
    sees(ann.page, "Mo")
    replace_codes(portal)
    lose(portal, "Ann")
    ann.page.wait_for_url("**?asked=1")
    expect(ann.page.get_by_label("Access code")).to_be_visible()
    expect(ann.page.get_by_label("Your name")).to_have_value("Ann")


def test_an_answer_that_no_page_can_read_ends_the_way_back_with_a_way_on(portal: Portal, two: Two) -> None:
    """Such as the error page of a proxy."""
    _mo, gus = two
    gus.page.route("**/-/conference/return", lambda route: route.fulfill(status=403, body="<h1>No</h1>"))
    lose(portal, "Gus")
    over = gus.page.get_by_role("alertdialog", name="You are no longer in the room.")
    expect(over).to_be_visible()
    follow(over.get_by_role("link", name="Continue"))
    expect(gus.page.get_by_role("link", name="Rejoin")).to_be_visible()


def test_who_opened_another_link_in_another_tab_is_led_to_the_entrance(portal: Portal, two: Two) -> None:
    _mo, gus = two
    gus.new_tab().goto(board_links(portal)["attendee"])
    over = gus.page.get_by_role("alertdialog", name="You are no longer in the room.")
    expect(over).to_be_visible()
    follow(over.get_by_role("link", name="Continue"))
    expect(gus.page.get_by_label("Access code")).to_be_visible()
