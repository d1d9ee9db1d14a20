"""The job that keeps what goes with a video at a service: its captions go there, and its poster comes from there.

The picture is fetched by the guarded client, made anew, and shown from our own origin: nothing is loaded from outside
before somebody watches.
"""

from uuid import UUID

import structlog

from portal.db import lock, session, transaction
from portal.engines.child import TookTooLong
from portal.engines.ffmpeg import Crashed, DiskFull, Unusable
from portal.engines.stills import SOURCE, make_still
from portal.engines.tool import NoTool
from portal.errors import NotFound
from portal.identifiers import new_id
from portal.jobs.fetched_pictures import fetched_picture
from portal.providers.base import ProviderError
from portal.providers.held_videos import HeldCaptions
from portal.rooms.operations import nudge_watchers
from portal.storage import StorageFull, storage
from portal.videos.captions import captions_of
from portal.videos.leftovers import clean_up
from portal.videos.models import RoomVideo
from portal.videos.service_videos import service_of_video

log = structlog.get_logger()

LONGEST_SIDE = 1280


def keep_extras(video_uuid: str) -> None:
    """Tell the service of the captions, and have the poster, if that is still to do. Raises `ProviderError`."""
    uuid = UUID(video_uuid)
    with transaction():
        video = session.get(RoomVideo, uuid)
        held = video.held if video is not None else None
        if video is None or held is None or video.room is None or not held.to_tell or not held.arrived:
            return
        service, external, has_poster = service_of_video(held), held.external, bool(video.poster)
        captions = [
            HeldCaptions(language=one.language, label=one.label, text=one.text, default=one.default)
            for one in captions_of(video)
        ]
    service.set_captions(external, captions)
    said = None if has_poster else service.look_at(external)
    if said is not None and said.poster:
        _keep_poster(uuid, said.poster)
    with transaction():
        video = session.get(RoomVideo, uuid, populate_existing=True)
        if video is not None and video.held is not None:
            video.held.to_tell = False


def _keep_poster(uuid: UUID, address: str) -> None:
    """Let the picture at this address stand for the video. Nothing changes if it cannot be had."""
    name = f"poster-{new_id()}.jpg"
    folder = storage().workshop(name.removesuffix(".jpg"))
    try:
        (folder / SOURCE).write_bytes(fetched_picture(address))
        make_still(folder, name, longest=LONGEST_SIDE)
        with transaction():
            video = session.get(RoomVideo, uuid)
            if video is None:
                return
            lock(video)
            storage().publish_made([folder / name], video.key)
            video.poster = name
            session.flush()
            clean_up(video)
            if video.room is not None:
                nudge_watchers(video.room)
    except (ProviderError, Unusable, Crashed, TookTooLong, DiskFull, NoTool, StorageFull, NotFound) as error:
        log.warning("the poster of a video could not be had", error=type(error).__name__)
    finally:
        storage().delete(f"scratch/{folder.name}")
