"""Ingest: a child that is fed what a broadcaster sends, and makes segments of it as it comes.

What comes is appended to a file by whoever receives it; it is read from there as it grows. The child writes segments
into a folder of its own and lists them, and whoever polls takes them from there. It is bounded as all children are, but
not by time: a broadcast may last for days.
"""

import re
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from portal.engines.child import GIGABYTE, Bounds, Child, started
from portal.engines.ffmpeg import ALWAYS, MOST_PIXELS
from portal.engines.tool import Tool
from portal.errors import Message

LIST = "list.m3u8"
FORMATS = "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2"
BOUNDS = Bounds(seconds=0, file_size=GIGABYTE, nice=0)
FED = 262_144
"""Bytes that are read at a time."""
LISTED = 100
"""Segments that its list holds, so that none is missed by a poller that was held up."""
_LOOKED_EVERY = 0.05
_LARGEST = (1920, 1080)
_LISTED = re.compile(r"#EXTINF:([\d.]+),.*\n(?:#.*\n)*(\d{1,9}_\d{5,9}\.ts)$", re.MULTILINE)
_PICTURE = re.compile(r"  Stream #0:\d+.*?: Video: (\w+)")
_NO_PICTURE = re.compile(r"Stream map '.*' matches no streams|does not contain any stream")


@dataclass(frozen=True)
class IngestJob:
    """What is to be made: of the growing file `source`, in `folder`, segments whose names begin with `number`.

    `copies`: the picture is taken as it is, which must be H.264 with a keyframe each second; else it is made anew, to
    fit `width` by `height`.
    """

    tool: Tool
    folder: Path
    source: Path
    number: int
    segment_milliseconds: int
    copies: bool
    width: int
    height: int


@dataclass(frozen=True)
class IngestedSegment:
    """A segment that was made: its file, and how long it plays."""

    path: Path
    milliseconds: int


def can_copy(mime: str) -> bool:
    """Whether a picture of this type, as a browser names it, can be sent on as it is.

    Only browsers that give a keyframe each second, if they are asked for it, record H.264 in Matroska or WebM.
    """
    return re.match(r"video/(x-matroska|webm);.*\b(avc1|avc3|h264)\b", mime.lower()) is not None


def fitting(width: int, height: int) -> tuple[int, int]:
    """The size in which a picture of this size is made anew: no larger than full HD, and even."""
    across, down = _LARGEST if width >= height else _LARGEST[::-1]
    scale = min(1.0, across / width, down / height)
    return max(2, round(width * scale) // 2 * 2), max(2, round(height * scale) // 2 * 2)


class Ingest:
    """A child that makes segments of a file that grows. It belongs to the thread that made it, and dies with it."""

    def __init__(self, job: IngestJob) -> None:
        self._job = job
        self._child = Child(started(command(job), job.folder, BOUNDS, stdin=subprocess.PIPE))
        self._taken: set[str] = set()
        self._complete = threading.Event()
        self._over = threading.Event()
        self.fed = 0
        """Bytes of the source that the child has got."""
        self._helpers = [
            threading.Thread(target=self._feed, name="ingest-feed", daemon=True),
            threading.Thread(target=self._child.listen, name="ingest-listen", daemon=True),
        ]
        for helper in self._helpers:
            helper.start()

    @property
    def running(self) -> bool:
        """Whether the child has not ended."""
        return self._child.process.poll() is None

    @property
    def mistaken(self) -> bool:
        """Whether the picture is taken as it is although that is nothing that players know."""
        found = _PICTURE.search(self._child.said.partition("\nOutput #0")[0])
        return self._job.copies and found is not None and found[1] != "h264"

    @property
    def error(self) -> Message:
        """What was wrong with what came, for people, after the child has ended without a segment."""
        said = self._child.said
        if _NO_PICTURE.search(said):
            return Message("There is no picture in what was sent. Choose a camera, or share a screen.")
        if "Picture size" in said or "max_pixels" in said:
            return Message("The picture is too large. Choose a smaller one.")
        return Message("What was sent cannot be read. Go live again, or try another browser.")

    def poll(self) -> list[IngestedSegment]:
        """The segments that were made since the last time, in their order. They are whole."""
        try:
            text = (self._job.folder / LIST).read_text()
        except FileNotFoundError:
            return []
        fresh = []
        for seconds, name in _LISTED.findall(text):
            path = self._job.folder / name
            if name not in self._taken and path.exists():
                fresh.append(IngestedSegment(path, max(1, round(float(seconds) * 1000))))
            self._taken.add(name)
        return fresh

    def complete(self) -> None:
        """Say that the source grows no more: the child ends when it has got the rest."""
        self._complete.set()

    def end(self) -> None:
        """End the child now. It can be called again."""
        if self._over.is_set():
            return
        self._over.set()
        self._child.end()
        for helper in self._helpers:
            helper.join()
        self._child.close()

    def _feed(self) -> None:
        """Give the child what is in the source, and what comes, until there will be no more, or it has ended."""
        pipe = self._child.process.stdin
        assert pipe is not None
        with suppress(BrokenPipeError, FileNotFoundError, ValueError), self._job.source.open("rb") as source:
            while not self._over.is_set() and self.running:
                final = self._complete.is_set()
                if data := source.read(FED):
                    pipe.write(data)
                    pipe.flush()
                    self.fed += len(data)
                elif final:
                    break
                else:
                    time.sleep(_LOOKED_EVERY)
        with suppress(BrokenPipeError, ValueError):
            pipe.close()


def command(job: IngestJob) -> list[str | Path]:
    """The command line of the child."""
    seconds = job.segment_milliseconds / 1000
    return [
        job.tool.path,
        *ALWAYS,
        *("-protocol_whitelist", "pipe", "-format_whitelist", FORMATS, "-max_pixels", str(MOST_PIXELS)),
        *("-analyzeduration", "1000000", "-probesize", "500000", "-i", "pipe:0"),
        *("-map", "0:V:0", "-map", "0:a:0?", "-map_metadata", "-1", "-dn", "-sn"),
        *_picture(job, seconds),
        *("-c:a", "aac", "-ac", "2", "-ar", "48000", "-b:a", "128k", "-af", "aresample=async=1000"),
        *("-f", "hls", "-hls_time", f"{seconds:g}", "-hls_list_size", str(LISTED)),
        *("-hls_flags", "independent_segments+temp_file+omit_endlist"),
        *("-hls_segment_filename", f"{job.number}_%05d.ts", LIST),
    ]


def _picture(job: IngestJob, seconds: float) -> list[str]:
    if job.copies:
        return ["-c:v", "copy"]
    width, height = fitting(job.width, job.height)
    fit = f"scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2"
    filters = f"fps=25,{fit},pad={width}:{height}:(ow-iw)/2:(oh-ih)/2,setsar=1,format=yuv420p"
    frames = str(round(25 * seconds))
    return [
        *("-vf", filters, "-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-profile:v", "main"),
        *("-g", frames, "-keyint_min", frames, "-sc_threshold", "0", "-b:v", "2500k", "-maxrate", "2500k"),
        *("-bufsize", "2500k"),
    ]
