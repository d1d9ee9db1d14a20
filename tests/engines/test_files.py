"""Each file becomes a film that plays, or a sentence, with each ffmpeg of this machine."""

import ctypes
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from portal.engines.checking import Film, check, look_again
from portal.engines.ffmpeg import DiskFull, FileJob, Unusable
from portal.engines.ladder import Rung, bytes_of, ladder, passes
from portal.engines.pictures import make_poster, make_sprites
from portal.engines.renditions import judged, make, master_playlist
from portal.engines.tool import Tool, find_tool
from tests.films import SECONDS, WORDS, tools

GOOD = {"plain.mp4": (160, 90), "silent.mp4": (160, 90), "plain.ts": (160, 90), "turned.mp4": (90, 160)}


@pytest.fixture(params=tools(), ids=lambda tool: f"ffmpeg-{tool.version}")
def tool(request: pytest.FixtureRequest) -> Tool:
    tool: Tool = request.param
    return tool


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def job_for(tool: Tool, work: Path, file: Path) -> tuple[FileJob, int]:
    (work / "source").symlink_to(file)
    return FileJob(tool, work), file.stat().st_size


def stream_lines(file: Path) -> str:
    told = subprocess.run([find_tool().path, "-hide_banner", "-i", file], capture_output=True, text=True, check=False)
    return told.stderr


@pytest.mark.parametrize("name", sorted(WORDS))
def test_a_file_that_is_no_film_ends_in_a_sentence_and_leaves_nothing(
    tool: Tool, films: Path, work: Path, name: str
) -> None:
    job, size = job_for(tool, work, films / name)
    with pytest.raises(Unusable) as refused:
        check(job, size=size)
    assert re.fullmatch(WORDS[name], str(refused.value))
    assert [one.name for one in work.iterdir()] == ["source"]


@pytest.mark.parametrize("name", ["list.mp4", "concat.mp4"])
def test_a_playlist_in_disguise_opens_no_other_file(tool: Tool, films: Path, work: Path, name: str) -> None:
    job, size = job_for(tool, work, films / name)
    with watched(films / "plain.ts") as opened:
        with pytest.raises(Unusable):
            check(job, size=size)
        job.run([*job.read(), "-map", "0", "-c", "copy", "-f", "framecrc", "pipe:1"])
        make_poster(job, Film(160, 90, 2000, sound=True, hdr=False), "poster.jpg")
        make_sprites(job, Film(160, 90, 2000, sound=True, hdr=False))
        with pytest.raises(Unusable):
            make(job, Film(160, 90, 2000, sound=True, hdr=False), [Rung("90p", 160, 90, 1000)], lambda _done: None)
        assert not opened()
        kind = ["-f", "hls"] if name == "list.mp4" else ["-safe", "0", "-f", "concat"]
        subprocess.run([tool.path, *kind, "-i", films / name, "-f", "null", "-"], capture_output=True, check=False)
        assert opened(), "without the lists it is opened, so this would be noticed"


@contextmanager
def watched(file: Path) -> Iterator[Callable[[], bool]]:
    """Tells whether anybody has opened this file, by what the kernel notes."""
    system = ctypes.CDLL(None)
    notes = system.inotify_init1(os.O_NONBLOCK)
    assert system.inotify_add_watch(notes, str(file).encode(), 0x20) >= 0  # IN_OPEN

    def opened() -> bool:
        try:
            return bool(os.read(notes, 4096))
        except BlockingIOError:
            return False

    try:
        yield opened
    finally:
        os.close(notes)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_film_becomes_renditions_that_play_upright(tool: Tool, films: Path, work: Path, name: str) -> None:
    job, size = job_for(tool, work, films / name)
    film = check(job, size=size)
    assert (film.width, film.height) == GOOD[name]
    assert abs(film.milliseconds - SECONDS * 1000) < 100
    assert film.sound is (name != "silent.mp4")
    told: list[float] = []
    (rung,) = ladder(film)
    (made,) = make(job, film, [rung], told.append)
    assert told == sorted(told)
    assert (made.width, made.height) == GOOD[name]
    playlist = (work / "90p.m3u8").read_text()
    assert 'URI="init_90p.mp4"' in playlist
    assert "90p_00001.m4s" in playlist
    assert f"RESOLUTION={made.width}x{made.height}" in master_playlist([made])
    whole = work / "whole.mp4"
    whole.write_bytes((work / "init_90p.mp4").read_bytes() + (work / "90p_00001.m4s").read_bytes())
    streams = stream_lines(whole)
    assert "yuv420p" in streams
    assert "displaymatrix" not in streams
    assert ("Audio: aac" in streams) is film.sound
    assert ("mp4a.40.2" in made.codecs) is film.sound


def test_what_a_full_disk_cut_off_is_no_rendition(films: Path, work: Path) -> None:
    job, size = job_for(find_tool(), work, films / "silent.mp4")
    film = check(job, size=size)
    (rung,) = ladder(film)
    make(job, film, [rung], lambda _done: None)
    assert judged(work, film, rung, "").codecs == "avc1.640028"
    for name in ("90p_00001.m4s", "init_90p.mp4", "90p.m3u8"):
        whole = (work / name).read_bytes()
        for left in (b"", whole[:-1]) if name != "90p.m3u8" else (b"",):
            (work / name).write_bytes(left)
            with pytest.raises(DiskFull):
                judged(work, film, rung, "")
        (work / name).write_bytes(whole)
    (work / "90p_00001.m4s").unlink()
    with pytest.raises(DiskFull):
        judged(work, film, rung, "")


def test_a_film_with_a_high_dynamic_range_becomes_one_that_any_device_shows(
    tool: Tool, films: Path, work: Path
) -> None:
    job, size = job_for(tool, work, films / "hdr.mp4")
    film = check(job, size=size)
    assert film.hdr
    make(job, film, ladder(film), lambda _done: None)
    assert make_poster(job, film, "poster.jpg")
    (work / "whole.mp4").write_bytes((work / "init_90p.mp4").read_bytes() + (work / "90p_00001.m4s").read_bytes())
    streams = stream_lines(work / "whole.mp4")
    assert "(High)" in streams
    assert "yuv420p(tv" in streams
    assert "bt709" in streams


def test_several_sizes_are_made_in_one_run_and_pictures_beside_them(tool: Tool, films: Path, work: Path) -> None:
    job, size = job_for(tool, work, films / "plain.mp4")
    film = check(job, size=size)
    rungs = ladder(Film(320, 240, film.milliseconds, sound=True, hdr=False))
    rungs += ladder(film)
    assert [one.name for one in make(job, film, rungs, lambda _done: None)] == ["240p", "90p"]
    assert {"240p.m3u8", "init_240p.mp4", "240p_00001.m4s", "90p.m3u8"} <= {one.name for one in work.iterdir()}
    assert make_poster(job, film, "poster.jpg")
    assert "160x90" in stream_lines(work / "poster.jpg")
    sprites = make_sprites(job, film)
    assert sprites is not None
    assert (sprites.sheets, sprites.width, sprites.height) == (1, 160, 90)
    cues = (work / "sprites.vtt").read_text()
    assert cues.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nsprite_1.jpg#xywh=0,0,160,90")
    assert cues.count("-->") == SECONDS


def test_a_poster_past_the_end_is_the_first_picture(tool: Tool, films: Path, work: Path) -> None:
    job, size = job_for(tool, work, films / "silent.mp4")
    film = check(job, size=size)
    assert look_again(job, milliseconds=film.milliseconds) == film
    longer = Film(film.width, film.height, 3_600_000, sound=False, hdr=False)
    assert make_poster(job, longer, "poster.jpg")


@pytest.mark.parametrize(
    ("shown", "rungs", "first"),
    [
        ((1920, 1080), ["1080p", "720p", "480p", "240p"], "480p"),
        ((1080, 1920), ["1080p", "720p", "480p", "240p"], "480p"),
        ((3840, 2160), ["1080p", "720p", "480p", "240p"], "480p"),
        ((640, 360), ["240p"], "240p"),
        ((161, 91), ["91p"], "91p"),
        ((16, 8), ["08p"], "08p"),
        ((8000, 1080), ["1080p", "720p", "480p", "240p"], "480p"),
    ],
)
def test_the_ladder_has_only_smaller_sizes_and_a_first_one(
    shown: tuple[int, int], rungs: list[str], first: str
) -> None:
    film = Film(*shown, 10_000, sound=True, hdr=False)
    made = ladder(film)
    assert [one.name for one in made] == rungs
    assert all(one.width % 2 == one.height % 2 == 0 for one in made)
    assert all(one.width <= shown[0] + 1 and max(one.width, one.height) <= 3840 for one in made)
    assert [one.name for one in passes(made)[0]] == [first]
    assert sum(len(group) for group in passes(made)) == len(made)
    assert bytes_of(film, made) > 0
