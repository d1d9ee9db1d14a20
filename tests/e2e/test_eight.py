"""Four people who send, and four who only listen: each picture and each voice arrives at all seven others.

Eight pages that draw would need more than two cores. So cameras are slow, nothing is drawn, and browsers say by their
own figures what they decoded.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import Person
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

SENDERS = ("Ann", "Ben", "Cid", "Dee")
LISTENERS = ("Eve", "Fay", "Gus", "Hal")
SPARING = """(() => {
  const ask = MediaDevices.prototype.getUserMedia;
  MediaDevices.prototype.getUserMedia = function (wanted) {
    const video = wanted.video && { ...(wanted.video === true ? {} : wanted.video), width: 160, height: 120, frameRate: 5 };
    return ask.call(this, { ...wanted, video });
  };
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("video, canvas { display: none !important } * { animation: none !important }");
  addEventListener("DOMContentLoaded", () => document.adoptedStyleSheets.push(sheet));
  window.links = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...given) {
      super(...given);
      window.links.push(this);
    }
  };
})()"""
ARRIVES = """async () => {
  let arrives = 0;
  for (const link of window.links) {
    const came = [...(await link.getStats()).values()].filter(({ type }) => type === "inbound-rtp");
    arrives += came.some(({ framesDecoded }) => framesDecoded > 10) && came.some(({ totalAudioEnergy }) => totalAudioEnergy > 0);
  }
  return arrives;
}"""
"""From how many others a picture was decoded and a sound heard."""

ALL_ARRIVE = f"async (wanted) => (await ({ARRIVES})()) === wanted"


@pytest.fixture
def portal(tmp_path: Path, furnished_sqlite: Path) -> Iterator[Portal]:
    """The portal, with four who send in a conversation, and eight who are in."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(furnished_sqlite, data / "foyer.db")
    portal = Portal(data, environment={"MESH_PEOPLE": "4,8"})
    portal.start()
    yield portal
    portal.kill()
    print(portal.log()[-6000:])  # shown beside what failed


def test_four_people_are_seen_and_heard_by_four_more(portal: Portal, person: Callable[..., Person]) -> None:
    links = board_links(portal)
    people = [person(name) for name in (*SENDERS, *LISTENERS)]
    for one in people:
        one.context.add_init_script(SPARING)
        one.join(links["moderator" if one.name in SENDERS else "guest"])
        expect(one.page.get_by_role("button", name=re.compile("(Stop|Start) camera"))).to_be_visible()
    expected = dict.fromkeys(SENDERS, 3) | dict.fromkeys(LISTENERS, 4)
    for one in people:
        one.page.wait_for_function(ALL_ARRIVE, arg=expected[one.name], timeout=90_000, polling=1000)
    assert {one.name: one.page.evaluate(ARRIVES) for one in people} == expected
    assert {one.name: _sends(one.page) for one in people} == {name: name in SENDERS for name in expected}


def _sends(page: Page) -> bool:
    return bool(page.evaluate("document.querySelector('.tile.is-own video').srcObject.getTracks().length"))
