"""Live rooms as people use them: Chromium sends its camera, another one decodes and hears it, whatever breaks between."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from portal.app import create_app
from portal.db import transaction
from portal.rooms.models import Role
from tests.conftest import settings_for
from tests.e2e.people import Person
from tests.live_room import new_live_room, register
from tests.servers import Portal
from tests.video_room import link_into

pytestmark = pytest.mark.e2e

PATIENCE = 30_000  # ms
FRAMES = "document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames"
DECODES = f"(before) => document.querySelector('#video').videoWidth > 0 && {FRAMES} > before"
TONE = 880
CLOCK = """
  // Instead of a camera: a clock, as sixteen black or white fields of hundredths of a second, and a tone.
  navigator.mediaDevices.getUserMedia = async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
    const picture = canvas.getContext("2d");
    setInterval(() => {
      const time = Math.floor(Date.now() / 10) % 65536;
      for (let bit = 0; bit < 16; bit += 1) {
        picture.fillStyle = (time >> bit) & 1 ? "white" : "black";
        picture.fillRect(bit * 40, 0, 40, 360);
      }
    }, 20);
    const audio = new AudioContext();
    const out = audio.createMediaStreamDestination();
    const tone = new OscillatorNode(audio, { frequency: 880 });
    tone.connect(out);
    tone.start();
    return new MediaStream([...canvas.captureStream(25).getTracks(), ...out.stream.getTracks()]);
  };
"""
BEHIND = """() => {
  const video = document.getElementById("video");
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
  const picture = canvas.getContext("2d");
  picture.drawImage(video, 0, 0, 640, 360);
  let time = 0;
  for (let bit = 0; bit < 16; bit += 1) time |= (picture.getImageData(bit * 40 + 20, 180, 1, 1).data[0] > 127) << bit;
  return ((Math.floor(Date.now() / 10) - time + 131072) % 65536) / 100;
}"""
HEARD = """async () => {
  const context = new AudioContext();
  await context.resume();
  const analyser = new AnalyserNode(context, { fftSize: 8192 });
  context.createMediaElementSource(document.getElementById("video")).connect(analyser);
  analyser.connect(context.destination);
  const bins = new Uint8Array(analyser.frequencyBinCount);
  for (let turn = 0; turn < 100; turn += 1) {
    await new Promise((done) => setTimeout(done, 50));
    analyser.getByteFrequencyData(bins);
    const loudest = bins.indexOf(Math.max(...bins));
    if (bins[loudest] > 100) return Math.round((loudest * context.sampleRate) / analyser.fftSize);
  }
  return 0;
}"""
WITHOUT_H264 = """
  const known = MediaRecorder.isTypeSupported.bind(MediaRecorder);
  MediaRecorder.isTypeSupported = (type) => !/avc1|h264/.test(type) && known(type);
"""


@pytest.fixture
def portal(tmp_path: Path, furnished_sqlite: Path) -> Iterator[Portal]:
    """A portal that offers live rooms."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(furnished_sqlite, data / "foyer.db")
    portal = Portal(data, module="tests.broadcasts.program")
    portal.start()
    yield portal
    portal.kill()
    print(portal.log()[-6000:])


@pytest.fixture
def links(portal: Portal) -> dict[Role, str]:
    """The links of a live room."""
    app = create_app(settings_for(f"sqlite:///{portal.data / 'foyer.db'}", portal.data))
    register()
    with app.app_context(), transaction():
        room = new_live_room()
        return {role: link_into(room, role) for role in Role}


def come(person: Person, link: str) -> Page:
    page = person.go(link)
    if (name := page.get_by_label("Your name")).count():
        name.fill(person.name)
    page.get_by_role("button", name="Join").or_(page.get_by_role("button", name="Watch")).click()
    page.wait_for_url("**/-/live")
    return page


def test_the_pages_of_a_live_room_and_how_one_moderator_follows_another(
    person: Callable[..., Person], links: dict[Role, str], seen: Callable[[Page, str], None]
) -> None:
    mona, milo, gus = person("Mona"), person("Milo"), person("Gus")
    milo.context.add_init_script(WITHOUT_H264)  # as Firefox: it is made anew
    first = come(mona, links[Role.MODERATOR])
    expect(first.get_by_role("button", name="Go live")).to_be_enabled()
    viewer = come(gus, links[Role.GUEST])
    first.get_by_role("button", name="Go live").click()
    expect(first.get_by_text("On air")).to_be_visible(timeout=PATIENCE)
    first.get_by_role("button", name="Mute microphone").click()
    expect(first.get_by_role("button", name="Unmute microphone")).to_be_visible()
    seen(first, "studio-on-air")
    expect(viewer.get_by_text("Live", exact=True)).to_be_visible(timeout=PATIENCE)
    seen(viewer, "live")

    second = come(milo, links[Role.MODERATOR])
    second.get_by_role("button", name="Continue").click()
    expect(second.get_by_text("Another moderator is on air. You can take over.")).to_be_visible()
    seen(second, "studio-take-over")
    second.get_by_role("button", name="Take over").click()
    expect(second.get_by_text("On air")).to_be_visible(timeout=PATIENCE)
    expect(first.get_by_text("Somebody else has taken over. You are off the air.")).to_be_visible(timeout=PATIENCE)
    plays_on(viewer)


def frames(page: Page) -> int:
    return int(page.evaluate(FRAMES))


def plays_on(page: Page) -> None:
    """Wait until more is decoded than so far."""
    page.wait_for_function(DECODES, arg=frames(page) + 20, timeout=PATIENCE)


def test_a_camera_is_sent_decoded_and_heard_over_a_killed_server_and_a_closed_tab(
    person: Callable[..., Person], portal: Portal, links: dict[Role, str]
) -> None:
    mona, gus = person("Mona"), person("Gus")
    mona.context.add_init_script(CLOCK)
    studio = come(mona, links[Role.MODERATOR])
    expect(studio.get_by_label("What you send")).to_be_visible()
    viewer = come(gus, links[Role.GUEST])
    expect(viewer.get_by_text("Not started yet", exact=True)).to_be_visible()

    begun = time.monotonic()
    studio.get_by_role("button", name="Go live").click()
    expect(studio.get_by_text("On air")).to_be_visible(timeout=PATIENCE)
    viewer.wait_for_function(DECODES, arg=10, timeout=PATIENCE)
    print(f"from Go live to ten pictures at a viewer: {time.monotonic() - begun:.1f} s")
    expect(viewer.get_by_text("Live", exact=True)).to_be_visible()
    assert abs(viewer.evaluate(HEARD) - TONE) < 20
    behind = sorted(viewer.evaluate(BEHIND) for _ in range(9))[4]
    print(f"glass to glass: {behind:.1f} s")
    assert 0 < behind < 30
    expect(studio.get_by_text("1 watching")).to_be_visible()
    expect(studio.get_by_text("The line is good.")).to_be_visible()

    portal.kill()
    began = time.monotonic()
    portal.start()
    plays_on(viewer)
    print(f"from the killed server to more pictures: {time.monotonic() - began:.1f} s")

    studio.close(run_before_unload=False)
    expect(viewer.get_by_text("Back in a moment", exact=True)).to_be_visible(timeout=PATIENCE)
    again = mona.new_tab()
    again.goto(viewer.url)
    again.get_by_role("button", name="Continue").click()
    plays_on(viewer)
    expect(viewer.get_by_text("Live", exact=True)).to_be_visible(timeout=PATIENCE)

    again.get_by_role("button", name="Stop", exact=True).click()
    expect(viewer.get_by_text("Ended", exact=True)).to_be_visible(timeout=PATIENCE)
    mona.complaints[:] = [one for one in mona.complaints if "ERR_CONNECTION" not in one]
    gus.complaints[:] = [one for one in gus.complaints if "ERR_CONNECTION" not in one]
