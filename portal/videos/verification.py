"""Comparing the rows that name files with the files that are there: for an operator who moved or restored either.

Only what has lain there for an hour is looked at as left over: a file is there a moment before the row that names it.
"""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.clock import now
from portal.db import session
from portal.rooms import images, presentations
from portal.rooms.images import ImageState, RoomImage
from portal.rooms.presentations import RoomPresentation
from portal.storage import storage
from portal.videos.leftovers import FOLDER, names_needed
from portal.videos.models import RoomVideo, VideoUpload

_YOUNG = timedelta(hours=1)


def rows_without_files() -> Iterator[str]:
    """The keys that rows name and under which there is nothing: what cannot be watched, shown or sent."""
    for video in _videos():
        for name in sorted({video.source, video.prepared_source, video.poster} - {""}):
            if not storage().has(f"{video.key}/{name}"):
                yield f"{video.key}/{name}"
        if video.playable and video.folder and not storage().has(f"{video.key}/{video.folder}/master.m3u8"):
            yield f"{video.key}/{video.folder}"
    kept = sa.select(RoomImage).where(RoomImage.state == ImageState.READY)
    for one in (*session.scalars(kept), *session.scalars(sa.select(RoomPresentation))):
        if not storage().has(one.key):
            yield one.key


def files_without_rows() -> Iterator[str]:
    """The keys of files and folders that no row names: they take space, and nobody can get at them."""
    before = now() - _YOUNG
    known = {str(video.uuid): names_needed(video) for video in _videos()}
    for key in storage().keys(FOLDER):
        names = known.get(key.rpartition("/")[2])
        if names is not None:
            yield from (below for below in storage().keys(key, before=before) if below.rpartition("/")[2] not in names)
        elif key in set(storage().keys(FOLDER, before=before)):
            yield key
    for folder, rows in ((images.FOLDER, RoomImage), (presentations.FOLDER, RoomPresentation)):
        named = {f"{folder}/{uuid}" for uuid in session.scalars(sa.select(rows.uuid))}
        yield from (key for key in storage().keys(folder, before=before) if key not in named)
    promised: set[UUID] = set(session.scalars(sa.select(VideoUpload.uuid)))
    yield from (f"uploads/{uuid}" for uuid in storage().growing(before=before) if uuid not in promised)


def _videos() -> list[RoomVideo]:
    return list(session.scalars(sa.select(RoomVideo).order_by(RoomVideo.uuid)))
