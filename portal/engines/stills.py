"""Still pictures that somebody has on a server of his: what a file is by its content, and made anew without metadata.

Nothing of the file is believed but its first bytes, and nothing of it is kept but what it shows.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

from portal.engines.child import Bounds, TookTooLong
from portal.engines.ffmpeg import Crashed, FileJob, Unusable
from portal.engines.tool import find_tool
from portal.errors import Message

SOURCE = "source"
MOST_STILL_PIXELS = 40_000_000
NO_STILL = Message("This is no picture that can be shown. Use a JPEG, a PNG or a WebP.")
_TOO_MANY = Message("The picture is too large: it has more than 40 million pixels.")
_BOUNDS = Bounds(seconds=30, file_size=20_000_000)
_MARK, _START_OF_SCAN, _EXIF, _FRAMES = 0xFF, 0xDA, 0xE1, frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Of JPEG: what every marker begins with, and some of them."""
_MOST_SEGMENTS = 2000
"""Of JPEG before its picture: cameras write some ten, and millions would keep the whole process busy."""
_ORIENTATION, _LOSSLESS = 0x0112, 0x2F
_SIDEWAYS = 5
"""From this orientation on, width and height change places."""
_DEMUXERS = {"jpeg": "jpeg_pipe", "png": "png_pipe", "webp": "webp_pipe"}
_TURNS = {
    2: "hflip,", 3: "hflip,vflip,", 4: "vflip,", 5: "transpose=0,", 6: "transpose=1,", 7: "transpose=3,",
    8: "transpose=2,",
}  # fmt: skip
"""How a picture is turned by its orientation (Exif)."""


@dataclass(frozen=True)
class Still:
    """What the head of a file says: its kind, a key of `_DEMUXERS`, how large its picture is, and how it is turned."""

    kind: str
    width: int
    height: int
    orientation: int = 1


def make_still(folder: Path, name: str, *, longest: int) -> tuple[int, int]:
    """Make of `source` in this folder a JPEG `name`, whose sides are at most so long. Returns its width and height.

    Raises `Unusable`, `NoTool`, and what `FileJob.run` does.
    """
    still = read_still((folder / SOURCE).read_bytes())
    if still is None:
        raise Unusable(NO_STILL)
    if not 0 < still.width * still.height <= MOST_STILL_PIXELS:
        raise Unusable(_TOO_MANY)
    turned = still.orientation >= _SIDEWAYS
    shown = (still.height, still.width) if turned else (still.width, still.height)
    scale = min(1.0, longest / max(shown))
    width, height = (max(2, round(side * scale) // 2 * 2) for side in shown)
    demuxer = _DEMUXERS[still.kind]
    opened = ("-protocol_whitelist", "file", "-format_whitelist", demuxer, "-max_pixels", str(MOST_STILL_PIXELS))
    chain = (
        f"color=white:size={width}x{height}:rate=1[below];"
        f"[0:v:0]{_TURNS.get(still.orientation, '')}scale={width}:{height},format=rgba[above];"
        "[below][above]overlay=format=auto,format=yuvj420p[shown]"
    )
    made = ("-map", "[shown]", "-frames:v", "1", "-map_metadata", "-1", "-c:v", "mjpeg", "-q:v", "4", "-f", "mjpeg")
    job = FileJob(find_tool(), folder, SOURCE, bounds=_BOUNDS)
    try:
        read = (*opened, "-noautorotate", "-f", demuxer, "-i", SOURCE)
        ended = job.run([*read, "-filter_complex", chain, *made, name])
    except (Crashed, TookTooLong):
        raise Unusable(NO_STILL) from None
    there = folder / name
    if ended.code != 0 or not there.exists() or not there.stat().st_size:
        raise Unusable(NO_STILL)
    return width, height


def read_still(data: bytes) -> Still | None:
    """What the head of a file says; None if it is no JPEG, PNG or WebP with one picture that stands still."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
            return Still("png", *struct.unpack(">II", data[16:24]))
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct.error, IndexError):
        pass
    return None


def _jpeg(data: bytes) -> Still | None:
    at, orientation = 2, 1
    for _segment in range(_MOST_SEGMENTS):
        if at + 4 > len(data) or data[at] != _MARK:
            return None
        marker, (length,) = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])
        if marker == _MARK:
            at += 1
            continue
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return Still("jpeg", width, height, orientation)
        if marker == _EXIF and data[at + 4 : at + 10] == b"Exif\0\0":
            orientation = _orientation(data[at + 10 : at + 2 + length])
        if marker == _START_OF_SCAN:
            return None
        at += 2 + length
    return None


def _orientation(exif: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 1
    try:
        (first,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, first)
        for number in range(min(count, 100)):
            tag, _kind, _many, value = struct.unpack_from(f"{order}HHIH", exif, first + 2 + 12 * number)
            if tag == _ORIENTATION:
                return value if value in _TURNS else 1
    except struct.error:
        pass
    return 1


def _webp(data: bytes) -> Still | None:
    kind = data[12:16]
    if kind == b"VP8X" and not data[20] & 0x02:  # it does not move
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return Still("webp", width, height)
    if kind == b"VP8L" and data[20] == _LOSSLESS:
        bits = int.from_bytes(data[21:25], "little")
        return Still("webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", data[26:30])
        return Still("webp", width & 0x3FFF, height & 0x3FFF)
    return None
