"""Four people in one conversation: every picture and every voice arrives at every other browser."""

from collections.abc import Callable
from itertools import permutations

import pytest

from tests.e2e.people import Person, sees
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

TONE, LOUD = 400, -50
"""Hz, of the beeps of Chromium's fake microphone; and dB, which silence is far below."""
HEARD = """async ([names, tone, loud]) => {
  const context = new AudioContext();
  const voices = names.map((name) => {
    const tile = [...document.querySelectorAll(".tile")].find((one) => one.querySelector(".tile-who").textContent === name);
    const analyser = new AnalyserNode(context, { fftSize: 4096, smoothingTimeConstant: 0 });
    context.createMediaStreamSource(tile.querySelector("video").srcObject).connect(analyser);
    return { name, analyser, heard: false };
  });
  const bins = new Float32Array(2048);
  for (let round = 0; round < 400 && voices.some(({ heard }) => !heard); round++) {
    await new Promise((done) => setTimeout(done, 50));
    for (const voice of voices) {
      voice.analyser.getFloatFrequencyData(bins);
      const level = Math.max(...bins);
      const frequency = (bins.indexOf(level) * context.sampleRate) / 4096;
      voice.heard ||= level > loud && Math.abs(frequency - tone) < 40;
    }
  }
  await context.close();
  return voices.filter(({ heard }) => heard).map(({ name }) => name);
}"""
"""The names of those whose voice was a tone of this frequency at some moment, louder than all else in it."""


def test_four_people_see_and_hear_each_other(portal: Portal, person: Callable[..., Person]) -> None:
    links = board_links(portal)
    people = [person(name) for name in ("Ann", "Ben", "Cid", "Dee")]
    for one in people:
        one.join(links["moderator"])
    for one, other in permutations(people, 2):
        sees(one.page, other.name, seconds=60)
    for one in people:
        others = [other.name for other in people if other is not one]
        assert one.page.evaluate(HEARD, [others, TONE, LOUD]) == others, one.name
