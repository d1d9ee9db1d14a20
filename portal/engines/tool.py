"""Finding ffmpeg: the one of this machine if it is new enough, else the one that comes with the portal's packages."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import imageio_ffmpeg
import structlog

log = structlog.get_logger()

OLDEST = 5
ENCODERS = ("libx264", "aac", "mjpeg")
"""What videos are made with."""
FILTERS = ("zscale", "tonemap")
"""What pictures with a high dynamic range (HDR) need besides."""
_SECONDS = 20


class NoTool(LookupError):
    """There is no ffmpeg that can be used."""


@dataclass(frozen=True)
class Tool:
    """An ffmpeg: where it is, its version as it calls it, and what of `ENCODERS` and `FILTERS` it was built without."""

    path: Path
    version: str
    missing: tuple[str, ...]

    @property
    def major(self) -> int | None:
        """The first number of its version; None for one built from a state between versions."""
        return _major(self.version)


@cache
def find_tool() -> Tool:
    """The ffmpeg of this machine, or the packaged one if there is none on PATH, or it is too old, or lacks something.

    Where each lacks something, it is the one that lacks the least. Raises `NoTool`.
    """
    found = [tool for path in candidates() if (tool := examine(path)) is not None]
    usable = [tool for tool in found if (tool.major or OLDEST) >= OLDEST]
    if not usable:
        raise NoTool("there is no ffmpeg")
    return min(usable, key=lambda tool: len(tool.missing))


def candidates() -> list[Path]:
    """Where an ffmpeg may be, the preferred one first."""
    found = []
    if own := shutil.which("ffmpeg"):
        found.append(Path(own))
    try:
        found.append(Path(imageio_ffmpeg.get_ffmpeg_exe()))
    except RuntimeError:
        log.warning("the package with ffmpeg has none for this machine")
    return found


def examine(path: Path) -> Tool | None:
    """Ask a tool what it is and what it was built with. None if it does not run."""
    version = re.match(r"ffmpeg version n?(\S+)", _said(path, "-version"))
    if version is None:
        return None
    encoders, filters = _said(path, "-encoders"), _said(path, "-filters")
    missing = [name for name in ENCODERS if not _lists(encoders, name)]
    missing += [name for name in FILTERS if not _lists(filters, name)]
    return Tool(path, version[1], tuple(missing))


def _said(path: Path, what: str) -> str:
    try:
        ended = subprocess.run(  # noqa: S603
            [path, "-hide_banner", what] if what != "-version" else [path, what],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return ended.stdout.decode(errors="replace")


def _lists(text: str, name: str) -> bool:
    """Whether one of the lines of a list, which begin with flags, is about this name."""
    return re.search(rf"^ +\S+ +{name} ", text, re.MULTILINE) is not None


def _major(version: str) -> int | None:
    found = re.match(r"\d+", version)
    return int(found[0]) if found else None
