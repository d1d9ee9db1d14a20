"""What the player says to people who do not look at it, and where the keyboard's focus is when a button goes."""

from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.e2e

NEWS = "async (rosters) => (await import('/providers/mesh/news.js')).newsOf(...rosters)"
PLAYER = """<div id="player" data-ice="[]" data-words="{}" data-device-words="{}">
<p id="said"></p><section id="gone"><button id="pressed">OK</button></section><button id="next">Next</button></div>"""
ANNOUNCE = """async (texts) => {
  const { announce } = await import("/providers/mesh/page.js");
  for (const text of texts) announce(text);
  await null;
  return document.getElementById("said").textContent;
}"""
HIDE = """async (focused) => {
  const { setShown } = await import("/providers/mesh/page.js");
  document.getElementById("gone").hidden = false;
  document.getElementById(focused).focus();
  setShown("gone", false, "next");
  return [document.getElementById("gone").hidden, document.activeElement.id];
}"""


def somebody(name: str, **said: Any) -> dict[str, Any]:
    listed = bool(name)
    return {"id": said.pop("id", name), "name": name, "listed": listed, "hand": "", "screen": "", "away": False, **said}


def test_what_is_new_in_the_roster_is_told_of_everybody_who_has_a_name(modules: Page) -> None:
    def news(before: list[dict[str, Any]], now: list[dict[str, Any]], *removed: dict[str, Any]) -> list[list[str]]:
        told: list[list[str]] = modules.evaluate(NEWS, [before, now, removed])
        return told

    me, ann, gus = somebody("Mo", you=True), somebody("Ann"), somebody("Gus")
    assert news([], [me, ann]) == []  # who was in before us
    assert news([me, ann], [me, ann]) == []
    assert news([me, ann], [me, gus]) == [["joined", "Gus"], ["left", "Ann"]]
    assert news([me, ann], [me], ann) == [["removed", "Ann"]]
    busy = somebody("Ann", hand="10:00", screen="stream", away=True)
    assert news([me, ann], [me, busy]) == [["raised", "Ann"], ["shares", "Ann"], ["away", "Ann"]]
    assert news([me, busy], [me, ann]) == [["sharesNoMore", "Ann"], ["back", "Ann"]]
    assert news([me, ann], [somebody("Mo", you=True, hand="10:00"), ann]) == []

    nobody = somebody("", id="Ann")  # the room hides who is in
    assert news([me], [me, nobody]) == news([me, nobody], [me]) == []
    assert news([me, nobody], [me, nobody | {"away": True}]) == []
    assert news([me, nobody], [me, somebody("Ann", screen="stream")]) == [["shares", "Ann"]]
    assert news([me, somebody("Ann", screen="stream")], [me, nobody]) == [["sharesNoMore", "Ann"]]


def test_sentences_of_one_moment_do_not_replace_one_another(modules: Page) -> None:
    modules.set_content(PLAYER)
    assert modules.evaluate(ANNOUNCE, ["Ann came in"]) == "Ann came in"
    assert modules.evaluate(ANNOUNCE, ["Gus came in", "Ann raised a hand"]) == "Gus came in. Ann raised a hand"


def test_the_focus_moves_on_from_what_goes_and_else_stays(modules: Page) -> None:
    modules.set_content(PLAYER)
    assert modules.evaluate(HIDE, "pressed") == [True, "next"]
    modules.evaluate("() => document.body.append(Object.assign(document.createElement('button'), { id: 'elsewhere' }))")
    assert modules.evaluate(HIDE, "elsewhere") == [True, "elsewhere"]
