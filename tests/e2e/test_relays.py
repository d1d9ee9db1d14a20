"""A conversation whose media go by a TURN server only, as behind strict networks: a real coturn, real browsers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests import programs
from tests.e2e.people import Person, hears, sees
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

SECRET = "shared-with-the-turn-server"
ONLY_RELAYED = """(() => {
  const Link = RTCPeerConnection;
  window.links = [];
  window.RTCPeerConnection = class extends Link {
    constructor(options) {
      super({ ...options, iceTransportPolicy: "relay" });
      window.links.push(this);
    }
  };
})()"""
CANDIDATES = """async () => {
  const found = [];
  for (const link of window.links) {
    const stats = await link.getStats();
    for (const one of stats.values()) {
      if (one.type === "candidate-pair" && one.nominated) found.push(stats.get(one.localCandidateId).candidateType);
    }
  }
  return found;
}"""


@pytest.fixture
def portal(portal: Portal, tmp_path: Path) -> Iterator[Portal]:
    """The portal of these tests, with a TURN server."""
    with programs.coturn(tmp_path, SECRET) as port:
        portal.stop()
        portal.environment |= {"TURN_URLS": f"turn:127.0.0.1:{port}", "TURN_SECRET": SECRET}
        portal.start()
        yield portal


def test_a_conversation_goes_by_the_relay_where_nothing_else_works(
    portal: Portal, person: Callable[..., Person]
) -> None:
    links = board_links(portal)
    mo, gus = person("Mo"), person("Gus")
    for one, role in ((mo, "moderator"), (gus, "guest")):
        one.page.add_init_script(ONLY_RELAYED)
        one.join(links[role])
    for one, other in ((mo, gus), (gus, mo)):
        sees(one.page, other.name)
        hears(one.page, other.name)
        assert set(_ways(one.page)) == {"relay"}


def _ways(page: Page) -> list[str]:
    ways: list[str] = page.evaluate(CANDIDATES)
    return ways
