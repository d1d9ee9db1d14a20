"""The videos that somebody who is in a room may watch, as its page shows them."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from flask import url_for

from portal.clock import now
from portal.edge.admissions import Participant
from portal.rooms.models import Role
from portal.rooms.settings import ALLOW_DOWNLOAD, is_on
from portal.videos.captions import captions_of_each
from portal.videos.models import RoomVideo
from portal.videos.queries import ListState, state_of_list, watchable_videos
from portal.videos.service_videos import name_of_service


@dataclass(frozen=True, kw_only=True)
class ListedVideo:
    """One line of the list, with all that the player needs. Addresses are paths; "" where there is none."""

    id: str
    name: str
    description: str
    seconds: int | None
    hidden: bool
    """Whether moderators alone see it."""
    source: str
    service: str
    """The service that holds it, whose player is shown in a frame; "" where the portal does."""
    poster: str
    download: str
    captions: tuple[dict[str, Any], ...]
    """Objects with `src`, `language`, `label` and `default`."""

    @property
    def for_script(self) -> str:
        """What the page's script is told, as JSON."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class WatchList:
    """The videos in their order. `version` is another one for another list."""

    videos: list[ListedVideo]
    version: str

    def chosen(self, video_id: str) -> ListedVideo | None:
        """The video with this id, or else the first one; None if there is none."""
        return next((one for one in self.videos if one.id == video_id), self.videos[0] if self.videos else None)


def watch_list(participant: Participant) -> WatchList:
    """What this participant may watch now, by two statements. Moderators also see what is hidden."""
    room, at = participant.room, now()
    moderates = participant.participation.role is Role.MODERATOR
    videos = watchable_videos(room, at, hidden=moderates)
    captions = captions_of_each(videos)
    downloads = is_on(room, ALLOW_DOWNLOAD)
    listed = []
    for video in videos:
        base: dict[str, Any] = {"room_id": room.id, "video_id": video.id}
        listed.append(
            ListedVideo(
                id=video.id,
                name=video.name,
                description=video.description,
                seconds=None if video.milliseconds is None else round(video.milliseconds / 1000),
                hidden=not video.shown(at),
                source="" if video.held else url_for("media.file", **base, folder=video.folder, name=_playlist(video)),
                service=name_of_service(video.held) if video.held else "",
                poster=url_for("media.poster", **base, name=video.poster) if video.poster else "",
                download=url_for("watch.download", **base) if downloads and video.source else "",
                captions=tuple(
                    {
                        "src": url_for("media.captions", **base, captions_id=one.id),
                        "language": one.language,
                        "label": one.label,
                        "default": one.default,
                    }
                    for one in captions.get(video.uuid, ())
                ),
            )
        )
    texts = [one for of_video in captions.values() for one in of_video]
    state = ListState(
        len(videos),
        len(texts),
        max((one.updated_at for one in videos), default=None),
        max((one.updated_at for one in texts), default=None),
    )
    return WatchList(listed, _version(state, downloads=downloads))


def list_version(participant: Participant) -> str:
    """The version of what `watch_list` would be now, by one statement."""
    moderates = participant.participation.role is Role.MODERATOR
    state = state_of_list(participant.room, now(), hidden=moderates)
    return _version(state, downloads=is_on(participant.room, ALLOW_DOWNLOAD))


def _version(state: ListState, *, downloads: bool) -> str:
    return hashlib.sha256(f"{state} {downloads}".encode()).hexdigest()[:16]


def _playlist(video: RoomVideo) -> str:
    """The list of all renditions; of the only one while the others are still made."""
    return "master.m3u8" if len(video.renditions) != 1 else f"{video.renditions[0]['name']}.m3u8"
