"""Choosing the picture that stands for a video: one of its own, at a moment that somebody says."""

from pathlib import Path

import sqlalchemy as sa

from portal.audit.operations import record_event
from portal.db import lock, session, without_transaction
from portal.engines.checking import look_again
from portal.engines.child import NotWanted, TookTooLong
from portal.engines.ffmpeg import Crashed, DiskFull, FileJob, Unusable
from portal.engines.pictures import make_poster
from portal.engines.tool import NoTool, find_tool
from portal.errors import Conflict, Invalid, Message, NotFound
from portal.identifiers import new_id
from portal.people.actor import Actor
from portal.rooms.operations import nudge_watchers
from portal.storage import NotStored, storage
from portal.turns import Turnstile, turn
from portal.videos.leftovers import clean_up
from portal.videos.models import RoomVideo

SECONDS = 20.0
"""How long each step of finding the picture may take: opening the file, going to the moment, or to the beginning."""
MAKERS, PATIENCE = Turnstile(2), 20.0
"""So many are made at a time in a process, which serves pages meanwhile; others wait for so many seconds."""
_SOURCE = "source"
_NONE = Message("There is no picture at this moment. Choose another one.")


def choose_poster(video: RoomVideo, *, by: Actor, milliseconds: int) -> None:
    """Let the picture at this moment of the video stand for it. Call it before anything is written.

    Raises `Invalid` on `at` if there is none, `Conflict` while the video has no whole file, or if that changes, and
    `Unavailable` while too many others choose one.
    """
    if video.milliseconds is None or not video.playable:
        raise Conflict(Message("Choose a poster when the video can be watched."))
    if not 0 <= milliseconds <= video.milliseconds:
        raise Invalid(at=Message("The video is not as long."))
    uuid, key, source, length = video.uuid, video.key, video.prepared_source or video.source, video.milliseconds
    name = f"poster-{new_id()}.jpg"
    folder = storage().workshop(name.removesuffix(".jpg"))
    try:
        with without_transaction(), turn(MAKERS, PATIENCE):
            _make(f"{key}/{source}", folder, name, at=milliseconds, of=length)
        session.expire_all()
        present = session.scalar(sa.select(RoomVideo).where(RoomVideo.uuid == uuid))
        if present is None:
            raise NotFound
        lock(present)
        storage().publish_made([folder / name], key)
        present.poster = name
        session.flush()
        record_event("video.poster_chosen", present, by=by, room=present.room_uuid, name=present.name)
        clean_up(present)
        if present.room is not None:
            nudge_watchers(present.room)
    finally:
        storage().delete(f"scratch/{folder.name}")


def _make(key: str, folder: Path, name: str, *, at: int, of: int) -> None:
    try:
        storage().lend(key, folder / _SOURCE)
        job = FileJob(find_tool(), folder, _SOURCE).given(SECONDS)
        made = make_poster(job, look_again(job, milliseconds=of), name, at=at)
    except (NotStored, NoTool, Unusable, Crashed, DiskFull, TookTooLong, NotWanted):
        raise Invalid(at=_NONE) from None
    if not made:
        raise Invalid(at=_NONE)
