"""Checking a file: what it holds, by opening it, showing its first picture and reading each of its packets.

Nothing is believed that the file says of itself and that can be found out: a header may say twelve seconds where one
can be read, and a song with a cover has pictures but is no film.
"""

import re
from dataclasses import dataclass, replace

from portal.engines.ffmpeg import MOST_PIXELS, PROGRESS, FileJob, Reached, Unusable
from portal.errors import Message

LONGEST_HOURS = 12
MOST_STREAMS = 30
LARGEST_SIDE = 8192
SHORTEST = 100
"""Milliseconds: less is a picture."""
_FEWEST_BITS = 400
"""A second. A file of hours with less than that holds nothing that anybody would watch."""
_LONG = 600_000
_FIRST_SECONDS = 120
_BYTES_A_SECOND = 5_000_000
_STREAM = re.compile(r"  Stream #0:\d+.*?: (Video|Audio|Subtitle|Data|Attachment)(.*)$")
_DURATION = re.compile(r"  Duration: (\d+):(\d\d):(\d\d)\.(\d\d)")
_DIMENSIONS = re.compile(r"#dimensions 0: (\d+)x(\d+)$")
_ASPECT = re.compile(r"#sar 0: (\d+)/(\d+)$")
_STATED_SIZE = re.compile(r", (\d{2,6})x(\d{2,6})[ ,]")
_TOO_MANY = re.compile(r"max[_ ]pixel|Picture size \d+x\d+ is invalid")
_HDR = ("smpte2084", "arib-std-b67")


@dataclass(frozen=True)
class Film:
    """What a file holds: how wide and high its picture is shown, how long it plays, whether it has sound, or HDR."""

    width: int
    height: int
    milliseconds: int
    sound: bool
    hdr: bool


@dataclass
class _Opened:
    """What ffmpeg tells of a file that it has opened."""

    picture: str = ""
    covers: int = 0
    sound: bool = False
    streams: int = 0
    stated: int | None = None
    """Milliseconds that it should play, by itself."""
    size: tuple[int, int] | None = None
    aspect: tuple[int, int] = (1, 1)


def check(job: FileJob, *, size: int) -> Film:
    """What the source, of `size` bytes, holds. Raises `Unusable`, and what `FileJob.run` raises."""
    if not size:
        raise Unusable(Message("This file is empty."))
    opened, look = _look(job.given(_FIRST_SECONDS))
    patient = job.given(_FIRST_SECONDS + size / _BYTES_A_SECOND)
    milliseconds = _read_through(patient, sound=False)
    if opened.stated is not None and _misses(milliseconds, opened.stated):
        whole = max(milliseconds, _read_through(patient, sound=True) if opened.sound else 0)
        if _misses(whole, opened.stated):
            raise Unusable(_damaged(whole, opened.stated))
    _require_length(milliseconds, size)
    return replace(look, milliseconds=milliseconds)


def look_again(job: FileJob, *, milliseconds: int) -> Film:
    """What the source holds, which was checked before and is so long: it is opened, and not read through once more."""
    _opened, look = _look(job)
    return replace(look, milliseconds=milliseconds)


def tolerance(milliseconds: int) -> int:
    """By how much lengths may differ that are the same: two seconds, or 2 % of a long one."""
    return max(2000, milliseconds // 50)


def clock(milliseconds: int) -> str:
    """A length for people: `0:12`, `1:02:03`."""
    minutes, seconds = divmod(round(milliseconds / 1000 + 1e-9), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _look(job: FileJob) -> tuple[_Opened, Film]:
    """The file as ffmpeg opens it, and as a film of which nobody knows the length yet."""
    opened = _open(job)
    if opened.size is None:
        raise Unusable(_why_no_picture(opened))
    width, height = _shown(*opened.size, opened.aspect)
    return opened, Film(width, height, 0, opened.sound, any(one in opened.picture for one in _HDR))


def _open(job: FileJob) -> _Opened:
    """Open the file, and decode the first picture of it, which tells how it is shown when it is turned as it says."""
    opened = _Opened()

    def hear(line: str) -> None:
        if found := _DIMENSIONS.match(line):
            opened.size = int(found[1]), int(found[2])
        elif found := _ASPECT.match(line):
            opened.aspect = int(found[1]), int(found[2])

    said = job.run([*job.read(), "-map", "0:V:0", "-frames:v", "1", "-f", "framecrc", "pipe:1"], hear).said
    if opened.size is None and _TOO_MANY.search(said):
        raise Unusable(
            Message("Its picture has too many pixels. Save it with %(most)d a side at most.", most=LARGEST_SIDE)
        )
    for line in said.partition("\nOutput #0")[0].splitlines():
        _note(line, opened)
    if opened.streams > MOST_STREAMS:
        words = Message("This file holds %(n)d streams. Save it with one picture and one sound.", n=opened.streams)
        raise Unusable(words)
    _require_small(opened)
    return opened


def _note(line: str, opened: _Opened) -> None:
    """Take a line of what ffmpeg says of a file before it works on it. What the file says stands deeper."""
    if found := _STREAM.match(line):
        opened.streams += 1
        if found[1] == "Video" and "(attached pic)" in found[2]:
            opened.covers += 1
        elif found[1] == "Video":
            opened.picture = opened.picture or found[2]
        elif found[1] == "Audio":
            opened.sound = opened.sound or not found[2].startswith(": none")
    elif (found := _DURATION.match(line)) and opened.stated is None:
        hours, minutes, seconds, hundredths = (int(number) for number in found.groups())
        opened.stated = (hours * 3600 + minutes * 60 + seconds) * 1000 + hundredths * 10


def _require_small(opened: _Opened) -> None:
    stated = _STATED_SIZE.search(opened.picture)
    width, height = opened.size or ((int(stated[1]), int(stated[2])) if stated else (0, 0))
    if max(width, height) > LARGEST_SIDE or width * height > MOST_PIXELS:
        values = {"width": width, "height": height, "most": LARGEST_SIDE}
        raise Unusable(
            Message("Its picture has %(width)d by %(height)d pixels. Save it with %(most)d at most.", **values)
        )


def _why_no_picture(opened: _Opened) -> Message:
    if opened.picture:
        return Message("Its picture cannot be read. Save it anew, as MP4 for example.")
    if opened.sound or opened.covers:
        return Message("This file has no picture.")
    return Message("This is not a video, or it is damaged.")


def _shown(width: int, height: int, aspect: tuple[int, int]) -> tuple[int, int]:
    """The dimensions with square pixels."""
    across, down = aspect
    if not across or not down or across == down:
        return width, height
    return max(2, min(LARGEST_SIDE, round(width * across / down))), height


def _read_through(job: FileJob, *, sound: bool) -> int:
    """How many milliseconds of the picture can be read, and with `sound` of the sound, if that is longer."""
    reached = Reached()
    streams = ["-map", "0:V:0", "-map", "0:a:0?"] if sound else ["-map", "0:V:0"]
    job.run([*job.read(), *streams, "-c", "copy", *PROGRESS, "-f", "null", "-"], reached.hear)
    return reached.microseconds // 1000


def _misses(milliseconds: int, stated: int) -> bool:
    return milliseconds < stated - tolerance(stated)


def _damaged(milliseconds: int, stated: int) -> Message:
    read, whole = clock(milliseconds), clock(stated)
    return Message("It is damaged: only %(read)s of %(whole)s can be read.", read=read, whole=whole)


def _require_length(milliseconds: int, size: int) -> None:
    if milliseconds < SHORTEST:
        raise Unusable(Message("This video has no length."))
    if milliseconds > LONGEST_HOURS * 3_600_000:
        length = clock(milliseconds)
        raise Unusable(
            Message("It is %(length)s long. A video has at most %(n)d hours.", length=length, n=LONGEST_HOURS)
        )
    if milliseconds > _LONG and size * 8000 / milliseconds < _FEWEST_BITS:
        raise Unusable(
            Message("It says that it is %(length)s long, but it is almost empty.", length=clock(milliseconds))
        )
