"""Ingest: what browsers record, as it comes, becomes segments; what they never record ends with a sentence."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal.engines.ingest import Ingest, IngestedSegment, IngestJob, can_copy, fitting
from portal.engines.tool import find_tool
from tests.films import make

PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=3")
SOUND = ("-f", "lavfi", "-i", "sine=440:d=3")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25")
VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-g", "25", "-c:a", "libopus")
PATIENCE = 20.0


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What browsers would send, three seconds of each."""
    folder = tmp_path_factory.mktemp("recordings")
    make(folder, *PICTURE, *SOUND, *H264, "-c:a", "libopus", "-f", "matroska", "h264.mkv")
    make(folder, *PICTURE, *SOUND, *H264, "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov", "h264.mp4")
    make(folder, *PICTURE, *SOUND, *VP8, "vp8.webm")
    make(folder, *PICTURE, *VP8, "silent.webm")
    make(folder, *SOUND, "-c:a", "libopus", "sound.webm")
    (folder / "noise.webm").write_bytes(b"\x1a\x45\xdf\xa3" + bytes(range(256)) * 400)
    (folder / "list.webm").write_text("#EXTM3U\n#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
    return folder


Starts = Callable[..., Ingest]


@pytest.fixture
def starts(tmp_path: Path) -> Iterator[Starts]:
    started: list[Ingest] = []

    def start(source: Path, *, copies: bool, width: int = 160, height: int = 90) -> Ingest:
        folder = tmp_path / f"work{len(started)}"
        folder.mkdir()
        started.append(Ingest(IngestJob(find_tool(), folder, source, 7, 1000, copies, width, height)))
        return started[-1]

    yield start
    for one in started:
        one.end()


def gather(ingest: Ingest, enough: Callable[[list[IngestedSegment]], bool]) -> list[IngestedSegment]:
    """What it makes until that is enough, or it has ended."""
    made: list[IngestedSegment] = []
    until = time.monotonic() + PATIENCE
    while not enough(made) and time.monotonic() < until:
        running = ingest.running
        made += ingest.poll()
        if not running:
            break
        time.sleep(0.02)
    return made


def whole(ingest: Ingest) -> list[IngestedSegment]:
    ingest.complete()
    return gather(ingest, lambda _made: False)


def codecs(path: Path) -> str:
    said = subprocess.run([find_tool().path, "-hide_banner", "-i", path], capture_output=True, check=False).stderr
    return said.decode(errors="replace")


@pytest.mark.parametrize(
    ("name", "copies", "sound"),
    [
        ("h264.mkv", True, True),
        ("h264.mp4", True, True),
        ("vp8.webm", False, True),
        ("silent.webm", False, False),
    ],
)
def test_what_browsers_record_becomes_segments_of_a_second(
    recordings: Path, starts: Starts, name: str, copies: bool, sound: bool
) -> None:
    made = whole(starts(recordings / name, copies=copies))
    assert [one.path.name for one in made] == [f"7_{number:05}.ts" for number in range(len(made))]
    assert sum(one.milliseconds for one in made) == pytest.approx(3000, abs=120)
    assert all(one.milliseconds <= 1200 for one in made)
    said = codecs(made[0].path)
    assert "Video: h264" in said
    assert ("Audio: aac" in said) is sound


def test_segments_come_while_the_file_still_grows_and_a_pause_ends_nothing(
    recordings: Path, starts: Starts, tmp_path: Path
) -> None:
    data = (recordings / "h264.mkv").read_bytes()
    growing = tmp_path / "growing"
    growing.write_bytes(data[: len(data) * 3 // 4])
    ingest = starts(growing, copies=True)
    first = gather(ingest, bool)
    assert first
    assert ingest.running
    with growing.open("ab") as file:
        file.write(data[len(data) * 3 // 4 :])
    rest = whole(ingest)
    assert sum(one.milliseconds for one in [*first, *rest]) == pytest.approx(3000, abs=120)


def test_what_only_says_that_it_can_be_copied_is_noticed(recordings: Path, starts: Starts) -> None:
    ingest = starts(recordings / "vp8.webm", copies=True)
    whole(ingest)
    assert ingest.mistaken
    honest = starts(recordings / "h264.mkv", copies=True)
    whole(honest)
    assert not honest.mistaken


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sound.webm", "There is no picture in what was sent. Choose a camera, or share a screen."),
        ("noise.webm", "What was sent cannot be read. Go live again, or try another browser."),
        ("list.webm", "What was sent cannot be read. Go live again, or try another browser."),
    ],
)
def test_what_cannot_be_sent_ends_with_a_sentence(recordings: Path, starts: Starts, name: str, words: str) -> None:
    ingest = starts(recordings / name, copies=False)
    assert whole(ingest) == []
    assert not ingest.running
    assert ingest.error == words


def test_one_that_is_ended_is_gone_whatever_it_waits_for(recordings: Path, starts: Starts) -> None:
    ingest = starts(recordings / "h264.mkv", copies=True)
    gather(ingest, bool)
    ingest.end()
    assert not ingest.running


@pytest.mark.parametrize(
    ("mime", "copied"),
    [
        ("video/mp4;codecs=avc1.42E01E,opus", False),
        ("video/webm;codecs=h264,opus", True),
        ("video/x-matroska;codecs=avc1", True),
        ("video/webm;codecs=vp8,opus", False),
        ("video/webm", False),
        ("video/mp4;codecs=av01.0.01M.08", False),
    ],
)
def test_only_h264_is_sent_on_as_it_is(mime: str, copied: bool) -> None:
    assert can_copy(mime) is copied


@pytest.mark.parametrize(
    ("given", "made"),
    [((1280, 720), (1280, 720)), ((3840, 2160), (1920, 1080)), ((1080, 1920), (1080, 1920)), ((641, 3), (640, 2))],
)
def test_pictures_are_made_no_larger_than_full_hd(given: tuple[int, int], made: tuple[int, int]) -> None:
    assert fitting(*given) == made
