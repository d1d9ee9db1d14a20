"""Videos as people use them: uploaded in a browser, prepared by ffmpeg, watched behind a link, decoded and heard."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from portal.app import create_app
from portal.db import transaction
from portal.rooms.models import Role
from tests.conftest import settings_for
from tests.e2e.people import Person, follow
from tests.films import make
from tests.servers import Portal
from tests.video_room import link_into, new_video_room

pytestmark = pytest.mark.e2e

TONE = 880
FILM = ("-f", "lavfi", "-i", "testsrc2=s=640x480:r=25:d=12", "-f", "lavfi", "-i", f"sine={TONE}:r=48000:d=12",
        "-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-c:a", "aac", "-shortest")  # fmt: skip
READY = ".state-ok"
PREPARED = 90_000  # ms
CODECS = 'video/mp4; codecs="avc1.64001f,mp4a.40.2"'
HEARD = """async () => {
  const video = document.querySelector("video");
  if (!window.analyser) {
    const context = new AudioContext();
    await context.resume();
    window.analyser = context.createAnalyser();
    analyser.fftSize = 8192;
    context.createMediaElementSource(video).connect(analyser);
    analyser.connect(context.destination);
  }
  const bins = new Uint8Array(analyser.frequencyBinCount);
  for (let turn = 0; turn < 100; turn += 1) {
    await new Promise((done) => setTimeout(done, 100));
    analyser.getByteFrequencyData(bins);
    const loudest = bins.indexOf(Math.max(...bins));
    if (bins[loudest] > 100) return Math.round((loudest * analyser.context.sampleRate) / analyser.fftSize);
  }
  return 0;
}"""


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Twelve seconds of a test picture and a tone, large enough for two qualities."""
    make(tmp_path, *FILM, "film.mp4")
    return tmp_path / "film.mp4"


@pytest.fixture
def room(portal: Portal) -> tuple[str, str]:
    """The id of Alice's room of videos, and a guest link."""
    app = create_app(settings_for(f"sqlite:///{portal.data / 'foyer.db'}", portal.data))
    with app.app_context(), transaction():
        made = new_video_room(max_storage=1)
        return made.id, link_into(made, Role.GUEST)


def frames(page: Page) -> int:
    return int(page.evaluate("document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames"))


def upload(page: Page, film: Path) -> None:
    page.get_by_label("Files").set_input_files(film)
    page.get_by_role("button", name="Upload video").click()


def test_a_video_is_uploaded_prepared_watched_and_heard(
    person: Callable[..., Person], room: tuple[str, str], film: Path
) -> None:
    room_id, link = room
    alice = person("Alice")
    alice.sign_in()
    owner = alice.go(f"/manage/rooms/{room_id}/videos")
    expect(owner.get_by_role("heading", name="Show a video to whoever has the link")).to_be_visible()
    upload(owner, film)
    line = owner.get_by_role("row", name="film")
    expect(line.locator(READY)).to_be_visible(timeout=PREPARED)
    expect(line.get_by_text("0:12")).to_be_visible()

    guest = person(permissions=[])
    page = guest.go(link)
    supported = page.evaluate("(codecs) => MediaSource.isTypeSupported(codecs)", CODECS)
    assert supported, "this browser has no H.264 and AAC, so nothing of this can be proven with it"
    follow(page.get_by_role("button", name="Watch"))
    expect(page.get_by_role("heading", name="film", exact=True)).to_be_visible()
    video = page.locator("video")
    expect(page.get_by_label("Quality")).to_be_visible()
    assert page.get_by_label("Quality").locator("option").all_inner_texts() == ["Automatic", "480p", "240p"]
    assert abs(page.evaluate(HEARD_AFTER_PLAY) - TONE) < 20
    page.wait_for_function("() => document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames > 20")

    seen = {video.evaluate("(one) => one.videoHeight")}
    for height in (240, 480):
        page.get_by_label("Quality").select_option(label=f"{height}p")
        video.evaluate("(one) => { one.currentTime = 0; one.play(); }")
        page.wait_for_function("(height) => document.querySelector('video').videoHeight === height", arg=height)
        before = frames(page)
        page.wait_for_function(
            "(before) => document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames > before + 5",
            arg=before,
        )
        assert abs(page.evaluate(HEARD) - TONE) < 20
        seen.add(height)
    assert seen == {240, 480}

    video.evaluate("(one) => { one.currentTime = 10.5; }")
    page.wait_for_function("() => document.querySelector('video').currentTime > 10.9")
    page.get_by_label("Speed").select_option("2")
    assert video.evaluate("(one) => one.playbackRate") == 2


HEARD_AFTER_PLAY = f"async () => {{ await document.querySelector('video').play(); return ({HEARD})(); }}"


def test_hiding_takes_a_video_from_those_who_watch_and_captions_are_seen(
    person: Callable[..., Person], room: tuple[str, str], film: Path, tmp_path: Path
) -> None:
    room_id, link = room
    captions = tmp_path / "film.srt"
    captions.write_text("1\n00:00:00,000 --> 00:00:11,000\nGood morning\n")
    alice = person("Alice")
    alice.sign_in()
    owner = alice.go(f"/manage/rooms/{room_id}/videos")
    upload(owner, film)
    expect(owner.get_by_role("row", name="film").locator(READY)).to_be_visible(timeout=PREPARED)
    follow(owner.get_by_role("link", name="film", exact=True))
    owner.get_by_role("button", name="File", exact=True).set_input_files(captions)
    owner.get_by_label("Language").fill("en")
    owner.get_by_label("Shown at first").check()
    follow(owner.get_by_role("button", name="Add captions"))
    expect(owner.get_by_text("Captions in English were added: 1 of them.")).to_be_visible()
    owner.get_by_label("At", exact=True).fill("0:03")
    follow(owner.get_by_role("button", name="Choose poster"))
    expect(owner.get_by_text("The poster was chosen.")).to_be_visible()
    before = owner.locator(".v-poster").get_attribute("src")
    sheet = owner.locator(".v-frames image").first.get_attribute("href")
    assert sheet
    assert (
        owner.request.get(owner.evaluate("(path) => new URL(path, location).href", sheet)).body()[:3] == b"\xff\xd8\xff"
    )
    follow(owner.get_by_role("button", name="Choose the picture at 0:02"))
    expect(owner.get_by_text("The poster was chosen.")).to_be_visible()
    assert owner.locator(".v-poster").get_attribute("src") != before

    guest = person(permissions=[])
    page = guest.go(link)
    follow(page.get_by_role("button", name="Watch"))
    page.locator("video").evaluate("(one) => one.play()")
    page.wait_for_function(
        "() => document.querySelector('video').textTracks[0]?.activeCues?.[0]?.text === 'Good morning'"
    )
    page.get_by_label("Captions").select_option(label="Off")
    assert page.evaluate("document.querySelector('video').textTracks[0].mode") == "disabled"
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")

    owner = alice.go(f"/manage/rooms/{room_id}/videos")
    follow(owner.get_by_role("button", name="Hide film"))
    expect(page.get_by_text("This video is not shown any more.")).to_be_visible()
    expect(page.get_by_text("No video can be watched yet.")).to_be_visible()
    follow(owner.get_by_role("button", name="Publish film"))
    expect(page.get_by_role("heading", name="film", exact=True)).to_be_visible()

    follow(owner.get_by_role("button", name="Delete film"))
    expect(owner.get_by_text("film was deleted.")).to_be_visible()
    follow(owner.get_by_role("button", name="Undo"))
    expect(owner.get_by_text("film is back.")).to_be_visible()


def test_an_upload_that_broke_off_is_continued_after_the_page_was_closed(
    person: Callable[..., Person], portal: Portal, room: tuple[str, str], tmp_path: Path
) -> None:
    room_id, _link = room
    make(tmp_path, *FILM, "film.mp4")
    big = tmp_path / "film.mp4"
    with big.open("ab") as file:
        file.truncate(40_000_000)  # what follows the film is no part of it
    alice = person("Alice")
    alice.sign_in()
    page = alice.go(f"/manage/rooms/{room_id}/videos")
    session = alice.context.new_cdp_session(page)
    session.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 6_000_000}
    session.send("Network.emulateNetworkConditions", slow)
    upload(page, big)
    with page.expect_response(lambda answer: answer.request.method == "PATCH" and answer.status == 204):
        pass
    portal.kill()
    expect(page.get_by_text("The line is broken. Trying again…")).to_be_visible()
    portal.start()
    with page.expect_response(lambda answer: answer.request.method == "PATCH" and answer.status == 204):
        pass
    page.close(run_before_unload=False)

    page = alice.page = alice.new_tab()
    alice.go(f"/manage/rooms/{room_id}/videos")
    expect(page.get_by_role("heading", name="Interrupted uploads")).to_be_visible()
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Continue the upload of film.mp4").click()
    chosen.value.set_files(big)
    expect(page.get_by_role("row", name="film").locator(READY)).to_be_visible(timeout=PREPARED)
    assert page.get_by_role("heading", name="Interrupted uploads").count() == 0
    complaints, alice.complaints[:] = alice.complaints[:], []
    assert all("ERR_CONNECTION" in one or "Failed to load" in one for one in complaints), complaints


def test_an_upload_that_is_refused_says_what_to_do_and_is_kept_and_a_cancelled_one_is_not(
    person: Callable[..., Person], room: tuple[str, str], film: Path
) -> None:
    alice = person("Alice")
    alice.sign_in()
    page = alice.go(f"/manage/rooms/{room[0]}/videos")
    lines = page.locator("#uploads")
    page.route("**/uploads/*", lambda route: route.fulfill(status=400, body="<!doctype html><title>No</title>"))
    upload(page, film)
    expect(lines.get_by_text("The portal did not take it. Reload the page, then continue.")).to_be_visible()
    page.unroute("**/uploads/*")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))
    page.get_by_role("button", name="Close what is said of film.mp4").click()
    page.reload()
    expect(page.get_by_role("button", name="Continue the upload of film.mp4")).to_be_visible()
    assert set(asked) == {"GET"}
    follow(page.get_by_role("button", name="Give up the upload of film.mp4"))

    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/uploads", hold)
    with page.expect_request("**/uploads"):
        upload(page, film)
    page.get_by_role("button", name="Cancel the upload of film.mp4").click()
    with page.expect_request("**/end"):
        held[0].continue_()
    page.reload()
    expect(page.get_by_role("heading", name="Show a video to whoever has the link")).to_be_visible()
    complaints, alice.complaints[:] = alice.complaints[:], []
    assert all("Failed to load" in one for one in complaints), complaints
