"""Camera, microphone and speaker: tried before joining, chosen for all meetings, and changed while one lasts."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.people import Person, hears, sees
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
PLUGS = """
  const gone = new Set(["fake_device_1"]); // a depth camera, of which no encoder makes a picture
  const media = navigator.mediaDevices;
  const [list, get] = [media.enumerateDevices.bind(media), media.getUserMedia.bind(media)];
  const tracks = [];
  media.enumerateDevices = async () => (await list()).filter(({ label }) => !gone.has(label));
  media.getUserMedia = async (wish) => {
    const given = { ...wish };
    for (const kind of Object.keys(wish)) {
      const devices = (await media.enumerateDevices()).filter((one) => one.kind === `${kind}input`);
      const device = devices.find(({ deviceId }) => deviceId === wish[kind].deviceId?.exact);
      if (!devices.length) throw new DOMException("gone", "NotFoundError");
      if (wish[kind].deviceId && !device) throw new DOMException("gone", "OverconstrainedError");
      if (!device && devices[0].deviceId) given[kind] = { ...wish[kind], deviceId: { exact: devices[0].deviceId } };
    }
    const stream = await get(given);
    tracks.push(...stream.getTracks());
    return stream;
  };
  window.plug = (label, into) => {
    if (into) gone.delete(label);
    else gone.add(label);
    for (const track of tracks.filter((one) => !into && one.label === label && one.readyState === "live")) {
      track.stop();
      track.dispatchEvent(new Event("ended"));
    }
    media.dispatchEvent(new Event("devicechange"));
  };
"""
COUNT_NEGOTIATIONS = """
  window.negotiations = 0;
  const set = RTCPeerConnection.prototype.setLocalDescription;
  RTCPeerConnection.prototype.setLocalDescription = function (...given) {
    window.negotiations += 1;
    return set.apply(this, given);
  };
"""
WAKE_LOCKS = """
  window.locks = 0;
  Object.defineProperty(navigator, "wakeLock", { value: { request: async () => {
    window.locks += 1;
    return { release: () => { window.locks -= 1; } };
  } } });
"""
OWN_TRACK = """(kind) =>
  document.querySelector(".tile.is-own video").srcObject.getTracks().find((one) => one.kind === kind)?.label"""
SPEAKERS = "() => [...document.querySelectorAll('.tile:not(.is-own) video')].map((one) => one.sinkId)"
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


def meet(portal: Portal, person: Callable[..., Person], *scripts: str) -> tuple[Person, Person]:
    """A moderator and a guest who see each other, with scripts in the guest's page."""
    links = board_links(portal)
    host, guest = person("Mo"), person("Gus Guest")
    for script in scripts:
        guest.page.add_init_script(script)
    host.join(links["moderator"])
    guest.join(links["guest"])
    sees(host.page, guest.name)
    sees(guest.page, host.name)
    return host, guest


def test_devices_are_changed_during_the_meeting_and_nothing_is_negotiated(
    portal: Portal, person: Callable[..., Person]
) -> None:
    host, guest = meet(portal, person, COUNT_NEGOTIATIONS)
    page = guest.page
    negotiations = page.evaluate("window.negotiations")
    assert negotiations >= 1
    page.get_by_role("button", name="Devices").click()
    panel = page.get_by_role("complementary", name="Devices")
    expect(panel.get_by_text("Your microphone works: it hears you.")).to_be_visible()
    for kind, label, device in (
        ("video", "Camera", "fake_device_2"),
        ("audio", "Microphone", "Fake Audio Input 2"),
    ):
        assert page.evaluate(OWN_TRACK, kind) != device
        panel.get_by_label(label, exact=True).select_option(label=device)
        page.wait_for_function(f"([kind, device]) => ({OWN_TRACK})(kind) === device", arg=[kind, device])
    sees(host.page, guest.name)
    hears(host.page, guest.name)
    assert page.evaluate("window.negotiations") == negotiations
    speaker = panel.get_by_label("Speaker")
    speaker.select_option(label="Fake Audio Output 2")
    chosen = speaker.input_value()
    page.wait_for_function(f"(id) => ({SPEAKERS})().every((one) => one === id)", arg=chosen)
    page.get_by_role("button", name="Mute microphone").click()
    expect(panel.get_by_text("Your microphone is off.")).to_be_visible()
    panel.get_by_label("Microphone", exact=True).select_option(label="Fake Audio Input 1")
    page.wait_for_function(f"() => ({OWN_TRACK})('audio') === 'Fake Audio Input 1'")
    expect(page.get_by_role("button", name="Unmute microphone")).to_be_visible()  # another one is as silent

    page.reload()  # also for those who come later
    sees(page, host.name)
    assert page.evaluate(OWN_TRACK, "video") == "fake_device_2"
    page.wait_for_function(f"(id) => ({SPEAKERS})().every((one) => one === id)", arg=chosen)


def test_a_device_that_goes_is_replaced_and_one_that_comes_is_offered(
    portal: Portal, person: Callable[..., Person]
) -> None:
    host, guest = meet(portal, person, PLUGS)
    page = guest.page
    first, second = "fake_device_0", "fake_device_2"
    assert page.evaluate(OWN_TRACK, "video") == first
    page.evaluate("(label) => plug(label, false)", first)
    expect(page.get_by_text(f"{first} is gone. {second} is used now.")).to_be_visible()
    sees(host.page, guest.name)
    page.get_by_role("button", name="OK").click()
    page.evaluate("(label) => plug(label, false)", second)
    expect(page.get_by_text(f"{second} is gone, and there is no other.")).to_be_visible()
    expect(page.get_by_text("No camera was found. Plug one in.")).to_be_visible()
    expect(page.get_by_role("button", name="Stop camera")).to_be_disabled()
    expect(host.page.locator(".tile:not(.is-own)")).not_to_have_class(re.compile("has-picture"))
    page.evaluate("(label) => plug(label, true)", second)
    expect(page.get_by_text(f"{second} was plugged in.")).to_be_visible()
    page.get_by_role("button", name="Use it").click()
    sees(host.page, guest.name)
    expect(page.get_by_text("No camera was found.")).to_be_hidden()
    page.evaluate("(label) => plug(label, true)", first)
    page.get_by_role("button", name="Not now").click()
    expect(page.get_by_text(f"{first} was plugged in.")).to_be_hidden()
    assert page.evaluate(OWN_TRACK, "video") == second


def test_the_screen_stays_on_during_the_meeting(portal: Portal, person: Callable[..., Person]) -> None:
    guest = person("Gus Guest")
    guest.page.add_init_script(WAKE_LOCKS)
    guest.join(board_links(portal)["guest"])
    page = guest.page
    page.wait_for_function("() => window.locks === 1")
    page.evaluate("() => { window.locks = 0; document.dispatchEvent(new Event('visibilitychange')); }")
    page.wait_for_function("() => window.locks === 1")  # what the browser took back
    second = guest.new_tab()
    second.goto(page.url)
    second.get_by_role("button", name="Take over here").click()
    page.wait_for_function("() => window.locks === 0")


def test_the_devices_of_the_meeting_look_well(
    portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]
) -> None:
    _host, guest = meet(portal, person, PLUGS)
    page = guest.page
    page.get_by_role("button", name="Devices").click()
    expect(page.get_by_text("Your microphone works: it hears you.")).to_be_visible()
    seen(page, "player-devices")
    page.get_by_role("button", name="Devices").click()
    page.evaluate("(label) => plug(label, false)", "fake_device_0")
    expect(page.get_by_text("fake_device_2 is used now.")).to_be_visible()
    page.evaluate("(label) => plug(label, true)", "fake_device_0")
    expect(page.get_by_text("fake_device_0 was plugged in.")).to_be_visible()
    seen(page, "player-plugged-in")


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
