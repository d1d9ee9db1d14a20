"""Preparing a video: its file is checked, then made into renditions. The first is watched while others come."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import structlog

from portal.engines.checking import Film, check
from portal.engines.child import NotWanted, TookTooLong
from portal.engines.ffmpeg import Crashed, DiskFull, FileJob, Unusable
from portal.engines.ladder import Rung, bytes_of, ladder, passes
from portal.engines.pictures import make_poster, make_sprites
from portal.engines.renditions import MASTER, Rendition, make, master_playlist
from portal.engines.tool import NoTool, find_tool
from portal.errors import Message
from portal.jobs.progress import Progress, TaskStopped
from portal.storage import NotStored, StorageFull, storage
from portal.storage.incoming import FULL
from portal.tasks.operations import ClaimedTask
from portal.videos.leftovers import poster_of
from portal.videos.publishing import Attempt, Made, NoStorageLeft, Superseded

log = structlog.get_logger()

_SOURCE = "source"
_LEAST_SECONDS, _TIMES_LENGTH, _MOST_SECONDS = 600, 20, 24 * 3600
_CHECKED, _MADE, _LAST = 1, 95, 99
"""Percent when the file is checked, and when its renditions are made. 100 is said when it is published."""

_INTERRUPTED = Message("It was interrupted.")
_GONE = Message("Its file is gone. Upload it again.")
_TOO_LONG = Message("Preparing it took too long. Save it smaller, or as MP4, and upload that.")
_CRASHED = Message("It could not be read. Save it anew, as MP4 for example.")
_NO_TOOL = Message("This portal has no ffmpeg, which videos need. Tell whoever runs it.")
_OURS = Message("Something went wrong here. It is our fault and has been written down.")


def prepare(claimed: ClaimedTask, progress: Progress) -> None:
    """Prepare the video of a task that this worker has claimed, and end the task. Raises nothing that a file causes."""
    attempt = Attempt(claimed)
    try:
        with _workshop(attempt) as folder:
            _prepare(attempt, folder, progress)
    except Exception as error:  # noqa: BLE001 - `_why` logs what nobody expects
        why, retry = _why(error)
        if progress.given_back and retry:
            attempt.give_back()
        else:
            attempt.fail(why, retry=retry)
        attempt.withdraw()


def _why(error: Exception) -> tuple[Message, bool]:
    """What to say of an error, and whether trying again may help."""
    match error:
        case Superseded() | NotWanted() | TaskStopped():
            return _INTERRUPTED, True
        case Unusable() | NoStorageLeft():
            return error.message, False
        case TookTooLong():
            return _TOO_LONG, False
        case NotStored():
            return _GONE, False
        case NoTool():
            return _NO_TOOL, False
        case StorageFull() | DiskFull():
            return StorageFull.default, True
        case OSError() if error.errno in FULL:
            return StorageFull.default, True
        case Crashed():
            return _CRASHED, True
    log.error("preparing a video failed", error=type(error).__name__, exc_info=error)
    return _OURS, True


def _prepare(attempt: Attempt, folder: Path, progress: Progress) -> None:
    progress.report(0)
    size = storage().lend(attempt.begin(), folder / _SOURCE)
    job = FileJob(find_tool(), folder, _SOURCE, wanted=lambda: progress.goes_on)
    film = check(job, size=size)
    rungs = ladder(film)
    size = bytes_of(film, rungs)
    storage().require_room(size)
    attempt.go_on(size)
    seconds = film.milliseconds / 1000
    job = job.given(min(_LEAST_SECONDS + _TIMES_LENGTH * seconds, _MOST_SECONDS))
    poster = make_poster(job, film, poster_of(attempt.folder))
    if poster:
        storage().publish_made([folder / poster_of(attempt.folder)], attempt.key)
    made: list[Rendition] = []
    shares = _Shares(film, rungs, progress)
    groups = passes(rungs)
    for group in groups:
        made += make(job, film, group, shares.part(group))
        if group is not groups[-1]:
            _store(attempt, folder, made)
            attempt.publish_first(Made(film.milliseconds, _rows(made), poster))
    progress.report(_MADE)
    sprites = make_sprites(job, film)
    progress.report(_LAST)
    _store(attempt, folder, made)
    attempt.publish_whole(Made(film.milliseconds, _rows(made), poster, asdict(sprites) if sprites else {}))


class _Shares:
    """How much of the whole each run is, by the pixels that it has to make and those that it has to read."""

    def __init__(self, film: Film, rungs: list[Rung], progress: Progress) -> None:
        self._read, self._progress, self._before = film.width * film.height / 4, progress, 0.0
        self._all = sum(self._cost(group) for group in passes(rungs))

    def part(self, group: list[Rung]) -> "_Part":
        """What is to be told of how far the run is that makes these."""
        begun, share = self._before, self._cost(group) / self._all
        self._before += share
        return _Part(self._progress, begun, share)

    def _cost(self, group: list[Rung]) -> float:
        return self._read + sum(rung.width * rung.height for rung in group)


class _Part:
    """Reports how far one of the runs is, as a part of all."""

    def __init__(self, progress: Progress, begun: float, share: float) -> None:
        self._progress, self._begun, self._share = progress, begun, share

    def __call__(self, done: float) -> None:
        whole = self._begun + self._share * done
        self._progress.report(_CHECKED + int((_MADE - _CHECKED) * whole))


def _store(attempt: Attempt, folder: Path, made: list[Rendition]) -> None:
    """Put what was made into the attempt's folder of the storage, what lists it last."""
    (folder / MASTER).write_text(master_playlist(made))
    made_here = (path for path in folder.iterdir() if path.name != _SOURCE)
    ordered = sorted(made_here, key=lambda path: (path.name == MASTER, path.suffix == ".m3u8", path.name))
    storage().publish_made(ordered, f"{attempt.key}/{attempt.folder}")


def _rows(made: list[Rendition]) -> list[dict[str, object]]:
    largest_first = sorted(made, key=lambda one: one.width * one.height, reverse=True)
    return [
        {"name": one.name, "width": one.width, "height": one.height, "bandwidth": one.bandwidth}
        for one in largest_first
    ]


@contextmanager
def _workshop(attempt: Attempt) -> Iterator[Path]:
    folder = storage().workshop(attempt.folder)
    try:
        yield folder
    finally:
        storage().delete(f"scratch/{attempt.folder}")
