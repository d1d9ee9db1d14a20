"""Camera, microphone and speaker: tried before joining, chosen for all meetings, and changed while one lasts."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.people import Person, sees
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PREVIEW = "() => document.querySelector('#device-check video')?.videoWidth > 0"
USED = """(kind) => {
  const [track] = document.querySelector("#device-check video").srcObject.getTracks().filter((one) => one.kind === kind);
  return track?.label;
}"""
MEASURE_SOUND = """
  window.loudest = 0;
  window.speakers = [];
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.setSinkId = async (id) => { window.speakers.push(id); };
  HTMLMediaElement.prototype.play = function () {
    if (this instanceof HTMLAudioElement) {
      const audio = new AudioContext();
      const analyser = audio.createAnalyser();
      audio.createMediaStreamSource(this.srcObject).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      setInterval(() => {
        analyser.getFloatTimeDomainData(samples);
        window.loudest = Math.max(window.loudest, ...samples);
      }, 50);
    }
    return play.call(this);
  };
"""
REFUSE = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('{message}', '{name}'))"
WITHOUT_A_MICROPHONE = """
  const get = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wish) => {
    if (wish.audio) throw new DOMException("none", "NotFoundError");
    return get(wish);
  };
"""
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0"
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.0.0 Mobile/15E148 Safari/604.1"
PROBLEMS = {
    "denied in Chrome": (CHROME, REFUSE.format(name="NotAllowedError", message="no"), "Press the symbol left of the address"),
    "denied in Firefox": (FIREFOX, REFUSE.format(name="NotAllowedError", message="no"), "Press the crossed-out symbol"),
    "denied in Safari": (SAFARI, REFUSE.format(name="NotAllowedError", message="no"), "Settings for This Website"),
    "denied on an iPhone": (IPHONE, REFUSE.format(name="NotAllowedError", message="no"), "in the app Settings"),
    "denied by the system": (CHROME, REFUSE.format(name="NotAllowedError", message="Permission denied by system"), "Allow it under Privacy there"),
    "busy": (CHROME, REFUSE.format(name="NotReadableError", message="no"), "Camera or microphone are in use by another program"),
    "none": (CHROME, REFUSE.format(name="NotFoundError", message="no"), "No camera or microphone was found"),
    "no microphone": (CHROME, WITHOUT_A_MICROPHONE, "No microphone was found"),
    "not secure": (CHROME, "delete Navigator.prototype.mediaDevices", "only to pages over https"),
}  # fmt: skip
IN_APP = {
    "Instagram": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22F76 Instagram 389.0.0.25.84 (iPhone14,5; iOS 18_5; en_US)",
    "Facebook": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22F76 [FBAN/FBIOS;FBAV/520.0.0.38;FBDV/iPhone14,5]",
    "LinkedIn": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [LinkedInApp]/9.31",
    "WeChat": "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.55",
    "another": "Mozilla/5.0 (Linux; Android 15; Pixel 8 Build/AP4A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.0.0 Mobile Safari/537.36",
}
INSIDE_AN_APP = "This page is open inside another app"


def open_check(page: Page) -> Locator:
    page.get_by_text("Check camera and microphone").click()
    check = page.locator("#device-check")
    expect(check.get_by_role("meter", name="Level of the microphone")).to_be_attached()
    return check


def test_a_guest_tries_the_devices_before_joining(portal: Portal, person: Callable[..., Person]) -> None:
    guest, host = person("Gus Guest"), person("Mo")
    links = board_links(portal)
    host.join(links["moderator"])
    page = guest.page
    page.add_init_script(MEASURE_SOUND)
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    guest.go(links["guest"])
    page.wait_for_load_state("networkidle")
    assert not [url for url in loaded if "/devices" in url]

    check = open_check(page)
    page.wait_for_function(PREVIEW)
    expect(check.get_by_text("Your microphone works: it hears you.")).to_be_visible()
    microphone = check.get_by_label("Microphone", exact=True)
    microphone.select_option(label="Fake Audio Input 2")
    expect(check.get_by_text("Your microphone works: it hears you.")).to_be_visible()
    check.get_by_label("Speaker").select_option(label="Fake Audio Output 2")
    check.get_by_role("button", name="Play test sound").click()
    expect(check.get_by_text("Three tones are played.")).to_be_visible()
    page.wait_for_function("() => window.loudest > 0.05 && window.speakers.length === 1")
    check.get_by_label("Join without camera").check()
    expect(check.get_by_text("No picture of you is shown.")).to_be_visible()

    page.reload()
    check = open_check(page)
    expect(microphone.locator("option:checked")).to_have_text("Fake Audio Input 2")
    expect(check.get_by_label("Speaker").locator("option:checked")).to_have_text("Fake Audio Output 2")
    expect(check.get_by_label("Join without camera")).to_be_checked()
    page.get_by_label("Your name").fill(guest.name)
    page.get_by_role("button", name="Join", exact=True).click()
    page.wait_for_url("**/-/conference")
    expect(page.get_by_role("button", name="Mute microphone")).to_be_enabled()
    expect(page.locator("#note")).to_be_hidden()  # it was his choice
    tile = host.page.locator(".tile", has_text=guest.name)
    expect(tile).not_to_have_class("tile has-picture")
    page.get_by_role("button", name="Start camera").click()
    sees(host.page, guest.name)
    expect(page.get_by_role("button", name="Stop camera")).to_be_visible()
    page.reload()  # it stays as he left it
    expect(page.get_by_role("button", name="Stop camera")).to_be_enabled()
    sees(host.page, guest.name)


def test_closing_the_device_check_lets_go_of_camera_and_microphone(
    portal: Portal, person: Callable[..., Person]
) -> None:
    alice = person("Alice")
    alice.sign_in()
    room = alice.page.get_by_role("link", name="Board meeting", exact=True).get_attribute("href")
    assert room
    page = alice.go(f"/rooms/{room.rsplit('/', 1)[1]}/-/entry")
    page.add_init_script(
        "const get = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);"
        "navigator.mediaDevices.getUserMedia = async (wish) => (window.got = await get(wish));"
    )
    page.reload()
    open_check(page)
    page.wait_for_function(PREVIEW)
    page.get_by_text("Check camera and microphone").press("Enter")
    page.wait_for_function("() => window.got.getTracks().every((one) => one.readyState === 'ended')")


@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_device_check_says_what_to_do(portal: Portal, person: Callable[..., Person], problem: str) -> None:
    agent, script, words = PROBLEMS[problem]
    guest = person("Gus Guest", user_agent=agent)
    guest.context.add_init_script(script)
    check = open_check(guest.go(board_links(portal)["guest"]))
    expect(check.get_by_role("alert")).to_contain_text(words)
    expect(check.get_by_role("alert")).to_contain_text("You can also join without.")
    again = check.get_by_role("button", name="Try again")
    expect(again).to_be_hidden() if problem == "not secure" else expect(again).to_be_visible()
    expect(guest.page.get_by_text(INSIDE_AN_APP)).to_be_hidden()


def test_inside_other_apps_the_join_page_leads_to_the_real_browser(
    portal: Portal, person: Callable[..., Person]
) -> None:
    link = board_links(portal)["guest"]
    for app, agent in IN_APP.items():
        page = person("Gus Guest", user_agent=agent).go(link)
        expect(page.get_by_text(INSIDE_AN_APP), app).to_be_visible()
        page.close()


def test_without_a_script_nothing_is_said_of_devices(portal: Portal, person: Callable[..., Person]) -> None:
    page = person("Nora Noscript", java_script_enabled=False, user_agent=IN_APP["Instagram"]).go(
        board_links(portal)["guest"]
    )
    expect(page.get_by_role("button", name="Join", exact=True)).to_be_visible()
    for words in ("Check camera and microphone", INSIDE_AN_APP):
        expect(page.get_by_text(words)).to_be_hidden()


def test_the_device_check_looks_well(
    portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]
) -> None:
    guest = person("Jun Tanaka", user_agent=IN_APP["WeChat"])
    page = guest.go(board_links(portal)["guest"])
    open_check(page)
    page.wait_for_function(PREVIEW)
    expect(page.get_by_text("Your microphone works: it hears you.")).to_be_visible()
    seen(page, "device-check")
    page.add_init_script(REFUSE.format(name="NotAllowedError", message="no"))
    page.reload()
    open_check(page)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    seen(page, "device-check-denied")
