"""Less is sent over a bad connection, people see whose is weak, and its figures can be copied for whoever helps."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import Person, sees
from tests.e2e.test_journeys import board_links
from tests.e2e.test_screen_sharing import keep
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

States = list[dict[str, Any]]

GOOD = {"lossSent": 0, "lossReceived": 0, "roundTrip": 0.05, "available": 2_000_000, "limit": None}
LOSSY = {**GOOD, "lossSent": 0.2}
FAIR = {**GOOD, "lossSent": 0.05}
UNKNOWN = dict.fromkeys(GOOD)
FOLLOW = """async (figures) => {
  const { START, next } = await import("/providers/mesh/steps.js");
  let state = START;
  return figures.map((one) => (state = next(state, one)));
}"""
WHOSE = 'async (weak) => (await import("/providers/mesh/steps.js")).whose(new Map(Object.entries(weak)))'

MADE_UP = """(() => {
  const links = (window.links = []);
  window.bad = 0; // so many links, of those that were made first, are bad; the others are good
  const [measure, every] = [RTCPeerConnection.prototype.getStats, setInterval];
  RTCPeerConnection.prototype.getStats = async function () {
    if (!links.includes(this)) links.push(this);
    const figures = {
      "candidate-pair": { currentRoundTripTime: links.indexOf(this) < window.bad ? 3 : 0.01 },
      "remote-inbound-rtp": { fractionLost: 0 },
      "inbound-rtp": { packetsLost: 0 },
      "outbound-rtp": { qualityLimitationReason: "none" },
    };
    return new Map([...(await measure.call(this))].map(([id, one]) => [id, { ...one, ...figures[one.type] }]));
  };
  window.setInterval = (call, pause) => every(call, pause === 2000 ? 200 : pause); // so often links are measured
  addEventListener("DOMContentLoaded", () => {
    const said = document.getElementById("said");
    window.told = [];
    if (said) new MutationObserver(() => window.told.push(said.textContent)).observe(said, { childList: true });
  });
})()"""
SENT = """(number) => window.links[number].getSenders().filter(({ track }) => track).map((sender) => {
  const [{ networkPriority, scaleResolutionDownBy }] = sender.getParameters().encodings;
  return sender.track.kind === "audio" ? networkPriority : scaleResolutionDownBy;
})"""
WIDTH = """([name, below]) => [...document.querySelectorAll(".tile:not(.is-own) video")]
  .some((one) => one.ariaLabel.includes(name) && one.videoWidth < below && one.videoWidth > 0)"""
SELECTED = """() => {
  const { value, selectionStart, selectionEnd } = document.activeElement;
  return value.slice(selectionStart, selectionEnd);
}"""


def test_less_is_sent_step_by_step_and_more_again_slowly(modules: Page) -> None:
    def follow(*figures: dict[str, Any]) -> States:
        states: States = modules.evaluate(FOLLOW, list(figures))
        return states

    def step(*figures: dict[str, Any]) -> int:
        return int(follow(*figures)[-1]["step"])

    assert step(LOSSY) == 0  # once is no trend
    assert step(LOSSY, GOOD, LOSSY, GOOD) == 0
    assert [state["step"] for state in follow(*[LOSSY] * 9)] == [0, 1, 1, 2, 2, 3, 3, 3, 3]
    for bad in ({**GOOD, "roundTrip": 2}, {**GOOD, "limit": "bandwidth", "available": 100_000}):
        assert step(bad, bad) == 1, bad
    scarce = {**GOOD, "limit": "bandwidth", "available": 100_000}
    assert step(*[scarce] * 20) == 2  # which needs no more
    assert step(*[{**GOOD, "available": 100_000}] * 9) == 0  # a picture that is off asks for nothing
    assert step(*[{**GOOD, "lossReceived": 0.5}] * 9) == 0  # to send less would not help it
    for nothing in (FAIR, UNKNOWN):
        assert step(*[nothing] * 99) == 0, nothing

    down = [LOSSY] * 2
    assert step(*down, *[GOOD] * 7) == 1
    assert step(*down, *[GOOD] * 8) == 0
    assert step(*down, *[FAIR] * 99) == 1  # neither bad nor good: nothing moves
    assert step(*down, *[GOOD] * 7, FAIR, *[GOOD] * 7) == 1
    again = (*down, *[GOOD] * 8, *down)  # what it could not carry is tried again ever later
    assert step(*again, *[GOOD] * 15) == 1
    assert step(*again, *[GOOD] * 16) == 0
    assert step(*again, *[GOOD] * 16, *down, *[GOOD] * 31) == 1
    assert step(*again, *[GOOD] * 16, *[GOOD] * 64, *down, *[GOOD] * 8) == 0  # long after it is as at first


def test_a_connection_is_weak_for_a_while_or_not_at_all(modules: Page) -> None:
    def weak(*figures: dict[str, Any]) -> bool:
        return bool(modules.evaluate(FOLLOW, list(figures))[-1]["weak"])

    deaf = {**GOOD, "lossReceived": 0.3}
    for bad in (LOSSY, deaf):
        assert not weak(bad, bad)
        assert weak(bad, bad, bad)
        assert weak(bad, bad, bad, *[GOOD] * 4)
        assert not weak(bad, bad, bad, *[GOOD] * 5)
        assert weak(bad, bad, bad, *[FAIR] * 99)
    assert not weak(*[deaf, deaf, FAIR] * 9)
    assert weak(*[LOSSY] * 4, *[GOOD] * 7)  # the picture is still poor
    assert not weak(*[LOSSY] * 4, *[GOOD] * 8)

    def whose(**links: bool) -> tuple[bool, list[str]]:
        found = modules.evaluate(WHOSE, links)
        return found["own"], found["others"]

    assert whose() == (False, [])
    assert whose(gus=True) == (False, ["gus"])
    assert whose(gus=True, ann=False) == (False, ["gus"])
    assert whose(gus=True, ann=True) == (True, [])
    assert whose(gus=True, ann=True, lee=False, dan=False) == (False, ["gus", "ann"])


def test_a_weak_connection_has_a_sign_and_figures_to_copy(portal: Portal, person: Callable[..., Person]) -> None:
    links = board_links(portal)
    mo, gus, ann = person("Mo"), person("Gus", permissions=["camera", "microphone", "clipboard-write"]), person("Ann")
    mo.page.add_init_script(MADE_UP)
    mo.join(links["moderator"])
    gus.join(links["guest"])
    sees(mo.page, "Gus")
    ann.join(links["guest"])
    for other in (gus, ann):
        sees(mo.page, other.name)
        sees(other.page, "Mo")

    def signs() -> list[bool]:
        tiles = [mo.page.locator(".tile").filter(has_text=name) for name in ("You", "Gus", "Ann")]
        return [tile.get_by_text("Weak connection").is_visible() for tile in tiles]

    mo.page.get_by_role("button", name="People").click()
    lines = mo.page.get_by_role("complementary", name="People").get_by_role("listitem")
    weak = lines.filter(has=mo.page.get_by_text("Weak connection").locator("visible=true"))
    expect(weak).to_have_count(0)
    mo.page.evaluate("window.bad = 1")
    expect(weak).to_have_count(1)
    expect(weak).to_contain_text("Gus")
    assert signs() == [False, True, False]
    mo.page.wait_for_function(f"() => String(({SENT})(0)) === 'high,4'")  # the voice goes first
    gus.page.wait_for_function(WIDTH, arg=["Mo", 400])
    assert mo.page.evaluate(SENT, 1) == ["high", 1]
    keep(mo.page, "weak-connection")

    mo.page.evaluate("window.bad = 2")
    expect(weak).to_contain_text("Mo")
    assert signs() == [True, False, False]
    mo.page.evaluate("window.bad = 0")
    expect(weak).to_have_count(0)
    told = [words for words in mo.page.evaluate("window.told") if "connection" in words]
    assert told[:2] == [
        "The connection to Gus is weak.",
        "Your connection is weak. If voices break up, stop your camera.",
    ]
    assert "Your connection is fine again." in told[2]
    sees(gus.page, "Mo")

    assert_copied(gus.page, "Mo", "Ann")
    ann.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }")
    ann.page.get_by_role("button", name="View").click()
    ann.page.get_by_role("button", name="Copy figures").click()
    expect(ann.page.get_by_text("Your browser did not let this page copy.")).to_be_visible()
    assert ann.page.evaluate(SELECTED).startswith("Connection figures")


def assert_copied(page: Page, *names: str) -> None:
    """By keys, the figures of the connections to `names` are shown and copied, and hold no address."""
    page.get_by_role("button", name="View").focus()
    for key in ("Enter", *["Tab"] * 6, "Enter"):
        page.keyboard.press(key)
    figures = page.get_by_role("dialog", name="Connection figures")
    expect(figures.get_by_text("Copied")).to_be_visible()
    keep(page, "figures")
    about = figures.get_by_role("textbox").input_value().split("\n\n")[1:]
    assert [one.split(",")[0] for one in about] == [f"{name}: connected" for name in names]
    for one in about:
        assert re.search(r"Path: host to host, udp, IPv[46]\n", one)
        assert re.search(r"Round trip \d+ ms", one)
        assert re.search(r"Sent voice opus, \d+ kbit/s", one)
        assert re.search(r"Received picture \w+, \d+ kbit/s, loss \d+ %, \d+×\d+ at \d+ frames/s", one)
        assert not re.search(r"\d+\.\d+\.\d+\.\d+|[\da-f]*:[\da-f]*:", one)
    page.keyboard.press("Escape")
    expect(figures).to_be_hidden()
    expect(page.get_by_role("button", name="View")).to_be_focused()
