"""A network that breaks off and a portal that is restarted, in real browsers with pictures that really flow."""

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from tests.e2e.people import FRAMES, Person, sees
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

LOST = "The connection to the portal is lost."
Two = tuple[Person, Person]

MARK = "() => { window.sameTrack = document.querySelector('.is-own video').srcObject.getVideoTracks()[0]; }"
SAME = """() => {
  const [track] = document.querySelector('.is-own video').srcObject.getVideoTracks();
  return track === window.sameTrack && track.readyState === 'live';
}"""


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


def entered(portal: Portal) -> int:
    engine = sa.create_engine(f"sqlite:///{portal.data / 'foyer.db'}")
    with engine.connect() as connection:
        count = connection.execute(sa.text("SELECT count(*) FROM participations")).scalar_one()
    engine.dispose()
    return int(count)


def test_a_restart_of_the_portal_ends_no_call(portal: Portal, two: Two) -> None:
    mo, gus = two
    portal.stop()
    for one in two:
        expect(one.page.get_by_text(LOST)).to_be_visible(timeout=20_000)
    mo.page.wait_for_timeout(10_000)  # so long a restart takes
    portal.start()
    both_go_on(two)
    assert entered(portal) == 2
    gus.page.get_by_role("button", name="Stop camera").click()
    expect(mo.page.locator(".tile:not(.is-own)")).not_to_have_class(re.compile("has-picture"))  # the stream works


def test_a_network_that_breaks_off_for_a_while_ends_no_call(portal: Portal, two: Two) -> None:
    mo, gus = two
    gus.context.set_offline(True)
    expect(mo.page.get_by_text("Gus is connecting again…").first).to_be_visible(timeout=20_000)
    expect(gus.page.get_by_text(LOST)).to_be_visible()
    expect(mo.page.locator(".tile:not(.is-own)")).to_have_class(re.compile("has-picture"))  # it still arrives
    mo.page.wait_for_timeout(3_000)
    gus.context.set_offline(False)
    expect(mo.page.locator(".tile-says:visible")).to_have_count(0, timeout=20_000)
    both_go_on(two)
    assert entered(portal) == 2


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
