"""Small pictures of a video's moments, on the sheets that preparing made: among them somebody chooses a poster."""

import math
import re
from dataclasses import dataclass

from portal.errors import NotFound
from portal.videos.models import RoomVideo

MOST = 12
"""Pictures that are offered: their moments lie equally far apart."""
_SHEET = re.compile(r"sprite_[0-9]{1,4}\.jpg", re.ASCII)


@dataclass(frozen=True)
class Frame:
    """The picture at the moment `seconds`. `left` and `top` are its corner on the sheet, in pixels."""

    seconds: int
    sheet: str
    left: int
    top: int


def frames_of(video: RoomVideo) -> list[Frame]:
    """Some pictures from the whole of a video, the earliest first; none if preparing made none."""
    sprite, length = video.sprite, (video.milliseconds or 0) / 1000
    if not sprite:
        return []
    columns, on_sheet = sprite["columns"], sprite["columns"] * sprite["rows"]
    there = min(math.ceil(length / sprite["step"]), sprite["sheets"] * on_sheet)
    numbers = sorted({there * one // MOST for one in range(MOST)}) if there else []
    return [
        Frame(
            seconds=number * sprite["step"],
            sheet=f"sprite_{number // on_sheet + 1}.jpg",
            left=number % columns * sprite["width"],
            top=number % on_sheet // columns * sprite["height"],
        )
        for number in numbers
    ]


def sheet_key(video: RoomVideo, name: str) -> str:
    """The key of a sheet of this name. Raises `NotFound` for any other name."""
    if not video.folder or not _SHEET.fullmatch(name):
        raise NotFound
    return f"{video.key}/{video.folder}/{name}"
