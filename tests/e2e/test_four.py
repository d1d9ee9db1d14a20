"""Four people in one conversation: every picture and every voice arrives at every other browser."""

from collections.abc import Callable
from itertools import permutations

import pytest
from playwright.sync_api import Page

from tests.e2e.people import Person, sees
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

TONE = 400  # Hz, of the beeps of Chromium's fake microphone
LOUDEST = """async (name) => {
  const tile = [...document.querySelectorAll(".tile")].find((one) => one.querySelector(".tile-who").textContent === name);
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 4096, smoothingTimeConstant: 0 });
  context.createMediaStreamSource(tile.querySelector("video").srcObject).connect(analyser);
  const bins = new Float32Array(analyser.frequencyBinCount);
  let best = { level: -Infinity, frequency: 0 };
  for (let round = 0; round < 60; round++) {
    await new Promise((done) => setTimeout(done, 50));
    analyser.getFloatFrequencyData(bins);
    for (const [bin, level] of bins.entries()) {
      if (level > best.level) best = { level, frequency: (bin * context.sampleRate) / analyser.fftSize };
    }
  }
  await context.close();
  return best;
}"""


def test_four_people_see_and_hear_each_other(portal: Portal, person: Callable[..., Person]) -> None:
    links = board_links(portal)
    people = [person(name) for name in ("Ann", "Ben", "Cid", "Dee")]
    for one in people:
        one.join(links["moderator"])
    for one, other in permutations(people, 2):
        sees(one.page, other.name, seconds=60)
    for one, other in permutations(people, 2):
        best = _loudest(one.page, other.name)
        assert abs(best["frequency"] - TONE) < 40, (one.name, other.name, best)
        assert best["level"] > -60, (one.name, other.name, best)


def _loudest(page: Page, name: str) -> dict[str, float]:
    """The frequency in Hz that is loudest in the voice of `name` within three seconds, and how loud, in dB."""
    best: dict[str, float] = page.evaluate(LOUDEST, name)
    return best
