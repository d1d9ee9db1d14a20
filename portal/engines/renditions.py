"""Making renditions: HLS with fragments of MP4, several sizes in one run, and the playlist that lists them.

A run that ended with 0 proves little, and one that was cancelled leaves lists that look complete. So what it made is
looked at; and whether it counts is never read from files, but from the database.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from portal.engines.checking import Film, clock, tolerance
from portal.engines.ffmpeg import PROGRESS, DiskFull, FileJob, Reached, Unusable
from portal.engines.ladder import SOUND, Rung
from portal.errors import Message

SEGMENT_SECONDS = 4
MASTER = "master.m3u8"
_MOST_THREADS = 8
_SLACK = 2
_SMALLEST_BOX = 8
_TO_BT709 = "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,"
_SEGMENT_LENGTH = re.compile(r"#EXTINF:([\d.]+),", re.MULTILINE)
_LISTED = re.compile(r'#EXT-X-STREAM-INF:.*?\bCODECS="([\w.,-]+)".*\n([\w.]+)$', re.MULTILINE)
_CODECS = "avc1.640028"
_SOUND_CODEC = "mp4a.40.2"


@dataclass(frozen=True)
class Rendition:
    """One size that was made: its list is `<name>.m3u8`. `bandwidth` is in bits a second, at its highest."""

    name: str
    width: int
    height: int
    bandwidth: int
    codecs: str


def picture_filters(film: Film, width: int, height: int) -> str:
    """The filters that come first in every chain, for pictures of this size that any device shows.

    The frame rate is first: some streams tell none, and would be made into a fraction of their length. A high dynamic
    range is taken away after the picture was made smaller: that needs 12 bytes for each pixel, of several pictures.
    """
    return f"fps='min(source_fps,30)',scale={width}:{height},setsar=1," + (_TO_BT709 if film.hdr else "")


def make(job: FileJob, film: Film, rungs: list[Rung], tell: Callable[[float], object]) -> list[Rendition]:
    """Make these sizes, in files of the job's folder, and `tell` how far that is, from 0 to 1.

    Raises `Unusable`, and what `FileJob.run` raises.
    """
    reached = Reached(lambda microseconds: tell(min(1.0, microseconds / (film.milliseconds * 1000))))
    ended = job.run(_arguments(job, film, rungs), reached.hear)
    if ended.code:
        raise Unusable(Message("It cannot be read to the end. Save it anew, as MP4 for example."))
    codecs = dict(_codecs_listed(job.folder / MASTER))
    (job.folder / MASTER).unlink(missing_ok=True)
    return [judged(job.folder, film, rung, codecs.get(rung.name, "")) for rung in rungs]


def master_playlist(renditions: list[Rendition]) -> str:
    """The playlist that lists these, the largest first."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for one in sorted(renditions, key=lambda one: one.bandwidth, reverse=True):
        about = f"BANDWIDTH={one.bandwidth},RESOLUTION={one.width}x{one.height}"
        lines += [f'#EXT-X-STREAM-INF:{about},CODECS="{one.codecs}"', f"{one.name}.m3u8"]
    return "\n".join(lines) + "\n"


def _arguments(job: FileJob, film: Film, rungs: list[Rung]) -> list[str]:
    names = [chr(ord("a") + index) for index in range(len(rungs))]
    largest = picture_filters(film, rungs[0].width, rungs[0].height)
    chain = f"[0:V:0]{largest}format=yuv420p,split={len(rungs)}" + "".join(f"[{name}]" for name in names)
    for name, rung in zip(names, rungs, strict=True):
        chain += f";[{name}]scale={rung.width}:{rung.height},setsar=1[{name}{name}]"
    arguments = [*job.read(), "-filter_complex", chain]
    for name in names:
        arguments += ["-map", f"[{name}{name}]", *(["-map", "0:a:0"] if film.sound else [])]
    for index, rung in enumerate(rungs):
        arguments += [f"-b:v:{index}", str(rung.bits), f"-maxrate:v:{index}", str(rung.bits)]
        arguments += [f"-bufsize:v:{index}", str(rung.bits * 2)]
    streams = " ".join(
        f"v:{index},a:{index},name:{rung.name}" if film.sound else f"v:{index},name:{rung.name}"
        for index, rung in enumerate(rungs)
    )
    threads = str(min(_MOST_THREADS, os.cpu_count() or 1))
    seconds = film.milliseconds / 1000 + _SLACK
    init = "init_%v.mp4" if len(rungs) > 1 else f"init_{rungs[0].name}.mp4"  # of a single one it fills in no name
    return [
        *arguments,
        *("-map_metadata", "-1", "-map_chapters", "-1", "-dn", "-sn", "-threads", threads, "-t", f"{seconds:.3f}"),
        *("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-sc_threshold", "0"),
        *("-force_key_frames", f"expr:gte(t,n_forced*{SEGMENT_SECONDS})"),
        *("-c:a", "aac", "-ac", "2", "-ar", "48000", "-b:a", str(SOUND)),
        *PROGRESS,
        *("-f", "hls", "-hls_time", str(SEGMENT_SECONDS), "-hls_playlist_type", "vod"),
        *("-hls_segment_type", "fmp4", "-hls_flags", "independent_segments+temp_file"),
        *("-hls_fmp4_init_filename", init, "-hls_segment_filename", "%v_%05d.m4s", "-start_number", "1"),
        *("-master_pl_name", MASTER, "-var_stream_map", streams, "%v.m3u8"),
    ]


def _codecs_listed(master: Path) -> list[tuple[str, str]]:
    """The codecs of each rendition as ffmpeg lists them, by its name."""
    if not master.exists():
        return []
    return [(name.removesuffix(".m3u8"), codecs) for codecs, name in _LISTED.findall(master.read_text())]


def judged(folder: Path, film: Film, rung: Rung, codecs: str) -> Rendition:
    """The rendition, if its list has an end, its files are whole, and it is as long as what could be read.

    Of a full disk ffmpeg says nothing: it ends with 0, and its files just end earlier. Raises `DiskFull` then.
    """
    playlist = folder / f"{rung.name}.m3u8"
    text = playlist.read_text() if playlist.exists() else ""
    lengths = [float(length) for length in _SEGMENT_LENGTH.findall(text)]
    segments = sorted(folder.glob(f"{rung.name}_*.m4s"))
    if playlist.exists() and not (text and all(_whole(one) for one in (folder / f"init_{rung.name}.mp4", *segments))):
        raise DiskFull
    made = round(sum(lengths) * 1000)
    if not text.rstrip().endswith("#EXT-X-ENDLIST") or not lengths:
        raise Unusable(Message("It cannot be read to the end. Save it anew, as MP4 for example."))
    if made < film.milliseconds - tolerance(film.milliseconds):
        read, whole = clock(made), clock(film.milliseconds)
        raise Unusable(Message("It is damaged: only %(read)s of %(whole)s can be read.", read=read, whole=whole))
    if len(segments) != len(lengths):
        raise DiskFull
    rates = [path.stat().st_size * 8 / max(length, 1.0) for path, length in zip(segments, lengths, strict=True)]
    codecs = codecs or (f"{_CODECS},{_SOUND_CODEC}" if film.sound else _CODECS)
    return Rendition(rung.name, rung.width, rung.height, max(1, round(max(rates, default=1))), codecs)


def _whole(path: Path) -> bool:
    """Whether the boxes of which an MP4 is made end where the file ends."""
    if not path.exists():
        return False
    size = path.stat().st_size
    at = 0
    with path.open("rb") as file:
        while at < size:
            file.seek(at)
            length = int.from_bytes(file.read(4), "big")
            if length < _SMALLEST_BOX:
                return False
            at += length
    return at == size > 0
