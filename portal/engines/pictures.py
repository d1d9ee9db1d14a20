"""Still pictures of a film: a poster that stands for it, and sheets of small ones for whoever seeks."""

import math
from dataclasses import dataclass
from pathlib import Path

from portal.engines.checking import Film
from portal.engines.ffmpeg import FileJob
from portal.engines.ladder import even
from portal.engines.renditions import picture_filters

SPRITES = "sprites.vtt"
COLUMNS, ROWS = 5, 5
_MOST = 150
"""Small pictures of one film."""
_WIDTH = 160
_POSTER_SIDE = 1280
_SHORT = 60_000
_QUALITY = ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-map_metadata", "-1")


@dataclass(frozen=True)
class Sprites:
    """The sheets `sprite_1.jpg`, …: a small picture every `step` seconds, `columns` by `rows` of them on each."""

    step: int
    columns: int
    rows: int
    width: int
    height: int
    sheets: int


def make_poster(job: FileJob, film: Film, name: str, *, at: int | None = None) -> bool:
    """Make a JPEG of the picture `at` so many milliseconds, or at 10 %. Returns whether there is one.

    Where nothing can be shown there, it is the first picture.
    """
    moment = film.milliseconds // 10 if at is None else max(0, min(at, film.milliseconds - 1))
    scale = min(1.0, _POSTER_SIDE / max(film.width, film.height))
    filters = picture_filters(film, even(film.width * scale), even(film.height * scale)).rstrip(",")
    picture = ("-map", "0:V:0", "-vf", filters, *_QUALITY, "-q:v", "3", "-frames:v", "1", "-update", "1")
    for before in (("-ss", f"{moment / 1000:.3f}"), ()):
        job.run([*job.read(*before), *picture, "-f", "image2", name])
        if _is_there(job.folder / name):
            return True
    return False


def make_sprites(job: FileJob, film: Film) -> Sprites | None:
    """Make the sheets, and the list of what is on them. None if that fails: a film can be watched without.

    Of a longer film only those pictures are decoded that stand for themselves.
    """
    seconds = film.milliseconds / 1000
    step = max(1, math.ceil(seconds / _MOST))
    width = min(_WIDTH, even(film.width))
    height = even(width * film.height / film.width)
    quick = ("-skip_frame", "nokey") if film.milliseconds > _SHORT else ()
    chain = f"{picture_filters(film, width, height)}fps=1/{step}:round=up,tile={COLUMNS}x{ROWS}"
    made = ("-map", "0:V:0", "-an", "-vf", chain, *_QUALITY, "-q:v", "5", "-f", "image2", "sprite_%d.jpg")
    job.run([*job.read(*quick), *made])
    sheets = 0
    while _is_there(job.folder / f"sprite_{sheets + 1}.jpg"):
        sheets += 1
    if not sheets:
        return None
    sprites = Sprites(step, COLUMNS, ROWS, width, height, sheets)
    (job.folder / SPRITES).write_text(_listed(sprites, film.milliseconds))
    return sprites


def _is_there(path: Path) -> bool:
    """Whether there is such a file, with something in it: on a full disk it may be empty."""
    return path.exists() and path.stat().st_size > 0


def _listed(sprites: Sprites, milliseconds: int) -> str:
    """A WebVTT that tells for each moment the sheet, and the place on it."""
    on_sheet = sprites.columns * sprites.rows
    shown = min(math.ceil(milliseconds / 1000 / sprites.step), sprites.sheets * on_sheet)
    cues = ["WEBVTT"]
    for number in range(shown):
        sheet, place = divmod(number, on_sheet)
        row, column = divmod(place, sprites.columns)
        where = f"{column * sprites.width},{row * sprites.height},{sprites.width},{sprites.height}"
        begin, end = number * sprites.step * 1000, min((number + 1) * sprites.step * 1000, milliseconds)
        cues.append(f"{_moment(begin)} --> {_moment(end)}\nsprite_{sheet + 1}.jpg#xywh={where}")
    return "\n\n".join(cues) + "\n"


def _moment(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{rest:03}"
