"""What every run of ffmpeg on a file that somebody sent has in common: what it may open, and how it tells its progress.

A playlist or a list of files that calls itself a film would have ffmpeg open *other files*, which a whitelist of
protocols does not prevent; so formats are listed, too. It reads a link of ours in a folder with nothing else in it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from portal.engines.child import GIGABYTE, Bounds, Ended, run
from portal.engines.tool import Tool
from portal.errors import Message

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg"
MOST_PIXELS = 35_389_440
"""Of one picture: 8,192 by 4,320."""
ALWAYS = ("-nostdin", "-hide_banner", "-nostats", "-y")
PROGRESS = ("-progress", "pipe:1", "-stats_period", "0.5")
_MICROSECONDS = re.compile(r"out_time_us=(-?\d+)$")

USUAL = Bounds(seconds=600, file_size=2 * GIGABYTE)
"""No single file that is made is as large."""


class Unusable(Exception):
    """This file cannot be made into a video, for a reason that is a sentence for people. Trying again does not help."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


class Crashed(Exception):
    """The tool was ended by a signal. Trying again may help."""


class DiskFull(Exception):
    """The disk had no room for what was made."""


@dataclass(frozen=True)
class FileJob:
    """Where and with what a file is worked on: the tool, a folder with nothing in it but `source`, and for how long.

    `wanted` is asked several times a second whether the work is still wanted; if not, a run raises `NotWanted`.
    """

    tool: Tool
    folder: Path
    source: str = "source"
    wanted: Callable[[], bool] = lambda: True
    bounds: Bounds = USUAL

    def given(self, seconds: float) -> "FileJob":
        """This job, with so many seconds as its time limit."""
        return replace(self, bounds=replace(self.bounds, seconds=seconds))

    def read(self, *before: str) -> list[str]:
        """The arguments by which ffmpeg opens the source, with options for reading it."""
        bounded = ["-protocol_whitelist", "file", "-format_whitelist", FORMATS, "-max_pixels", str(MOST_PIXELS)]
        return [*bounded, *before, "-i", self.source]

    def run(self, arguments: Sequence[str], hear: Callable[[str], object] = lambda _line: None) -> Ended:
        """Run ffmpeg in the folder. Raises `NotWanted`, `TookTooLong`, `DiskFull` and `Crashed`."""
        command: list[str | Path] = [self.tool.path, *ALWAYS, *arguments]
        ended = run(command, folder=self.folder, bounds=self.bounds, wanted=self.wanted, hear=hear)
        if ended.disk_full:
            raise DiskFull
        if ended.code < 0:
            raise Crashed
        return ended


class Reached:
    """How far a run is by what it tells, in microseconds of the film. It never goes back."""

    def __init__(self, tell: Callable[[int], object] = lambda _reached: None) -> None:
        self.microseconds = 0
        self._tell = tell

    def hear(self, line: str) -> None:
        """Take a line of its progress."""
        found = _MICROSECONDS.match(line)
        if found and int(found[1]) > self.microseconds:
            self.microseconds = int(found[1])
            self._tell(self.microseconds)
