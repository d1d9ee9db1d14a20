"""The gate in front of the files of videos: who is in a room may fetch what can be watched there, and nobody else.

Players fetch a file each four seconds. Whether somebody may is found out by two statements, and the answer counts for
`TRUSTED` seconds in this process; meanwhile files are sent without a question. So whoever is removed, or loses the
right by which he came, gets nothing more after that time. Refusals are not remembered: who has just come in is let
through at once.
"""

import re
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa

from portal.db import session
from portal.errors import NotFound
from portal.identifiers import Identified
from portal.rooms.models import Role
from portal.videos.models import VideoCaption
from portal.videos.queries import watchable_videos

TRUSTED = 4.0
"""Seconds for which an answer counts: with what it takes to send a file, less than five."""
MOST_REMEMBERED = 20_000
"""Answers. Those that count no more are forgotten as often as one is found out and `TRUSTED` seconds have passed."""

TYPES = {
    "m3u8": "application/vnd.apple.mpegurl",
    "mp4": "video/mp4",
    "m4s": "video/iso.segment",
    "jpg": "image/jpeg",
    "vtt": "text/vtt",
}
"""The end of a file's name → its media type."""
_FILES = re.compile(
    r"master\.m3u8|[0-9]{2,4}p\.m3u8|init_[0-9]{2,4}p\.mp4|[0-9]{2,4}p_[0-9]{5,7}\.m4s|sprite_[0-9]{1,4}\.jpg|sprites\.vtt",
    re.ASCII,
)
"""What a folder of renditions holds."""


@dataclass(frozen=True)
class WatchedVideo:
    """Where the files of one video are that can be watched."""

    uuid: UUID
    key: str
    folder: str
    poster: str

    def knows(self, *, folder: str | None = None, name: str = "", **_other: str) -> bool:
        """Whether an address below the video's leads to this folder of renditions, or without one to this picture."""
        return name in {"", self.poster} if folder is None else folder == self.folder

    def file(self, folder: str, name: str) -> str:
        """The key of a file of its renditions. Raises `NotFound` for any other folder or name."""
        if folder != self.folder or not _FILES.fullmatch(name):
            raise NotFound
        return f"{self.key}/{folder}/{name}"

    def picture(self, name: str) -> str:
        """The key of the picture that stands for it. Raises `NotFound` for any other name."""
        if not self.poster or name != self.poster:
            raise NotFound
        return f"{self.key}/{name}"


Grant = dict[str, WatchedVideo]
"""What somebody may fetch: the id of a video → its files."""


def granted(room: Identified, role: Role, at: datetime) -> Grant:
    """What somebody who is in the room in this role may fetch now. Moderators also see what is hidden."""
    videos = watchable_videos(room, at, hidden=role is Role.MODERATOR)
    return {one.id: WatchedVideo(one.uuid, one.key, one.folder, one.poster) for one in videos}


def find_caption_text(video_uuid: UUID, captions_id: str) -> str:
    """The captions of a video with this id, as WebVTT. Raises `NotFound`."""
    own = VideoCaption.video_uuid == video_uuid
    text = session.scalar(sa.select(VideoCaption.text).where(own, VideoCaption.id == captions_id))
    if text is None:
        raise NotFound
    return text


Granted = TypeVar("Granted")


@dataclass
class Gate(Generic[Granted]):
    """The answers of this process, by who asks: what each may fetch. `clock` tells seconds."""

    clock: Callable[[], float] = time.monotonic
    _known: dict[Hashable, tuple[float, Granted]] = field(default_factory=dict)
    _tidied: float = 0.0

    def grant(self, who: Hashable, judge: Callable[[], Granted], *, anew: bool = False) -> Granted:
        """What `who` may fetch: as it was found out a moment ago, or else by `judge`, whose refusals are raised.

        It is found out in any case if `anew`: what is asked for may be there only since then.
        """
        at = self.clock()
        known = self._known.get(who)
        if known is not None and known[0] > at and not anew:
            return known[1]
        fresh = judge()
        if len(self._known) >= MOST_REMEMBERED or at >= self._tidied + TRUSTED:
            self._forget(at)
        self._known[who] = (at + TRUSTED, fresh)
        return fresh

    def _forget(self, at: float) -> None:
        """Forget answers that count no more; if all still do, then all of them."""
        self._tidied = at
        self._known = {who: one for who, one in self._known.items() if one[0] > at}
        if len(self._known) >= MOST_REMEMBERED:
            self._known = {}
