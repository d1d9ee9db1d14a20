"""The tab of a room's videos for those who manage its media: the list, and what one press does to a video."""

from dataclasses import dataclass

from flask import Blueprint, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.clock import now
from portal.edge import actor
from portal.edge.guard import requires
from portal.edge.headers import let_scripts_connect_to
from portal.edge.i18n import gettext as _
from portal.errors import Message, NotFound
from portal.permissions.permission import Permission
from portal.rooms.features import used_limit
from portal.rooms.models import Room
from portal.videos.frames import sheet_key
from portal.videos.models import RoomVideo, VideoState
from portal.videos.operations import (
    Direction,
    change_video,
    find_trashed,
    move_video,
    restore_video,
    trash_video,
)
from portal.videos.preparation import UNDER_WAY, cancel_preparation, places_in_line, retry_preparation
from portal.videos.queries import find_video, videos_of
from portal.videos.service_videos import holder_of, place_of
from portal.videos.state_words import state_words
from portal.videos.storage_used import MAX_STORAGE, gigabytes, used_by_room, used_by_subscription
from portal.videos.uploads import received, uploads_of
from portal.watching.gate import TYPES
from portal.web import flash_messages
from portal.web.manage.uploads import LARGEST_FORM
from portal.web.recording_formats import size_words
from portal.web.stored_files import FOR_GOOD, send_source, send_stored

bp = Blueprint("videos", __name__, url_prefix="/manage/rooms/<id:room_id>/videos")


@dataclass(frozen=True)
class VideoLine:
    """One line of the list: the video, its state in words, and what can be done with it."""

    video: RoomVideo
    words: Message
    progress: int | None
    """In percent, while it is being prepared."""
    shown: bool
    """Whether viewers see it, or will once it can be watched."""

    @property
    def under_way(self) -> bool:
        """Whether it waits for a worker, or one works on it."""
        return self.video.state in UNDER_WAY


@dataclass(frozen=True)
class StorageUsed:
    """What is used, in gigabytes as text. `most` is None for any number."""

    room: str
    subscription: str
    most: int | None


@bp.get("")
@requires(Permission.MEDIA_MANAGE)
def index(room: Room) -> ResponseReturnValue:
    """Show the videos of the room, what is still uploaded, and how much storage they use."""
    lines, holder = video_lines(room), holder_of(room)
    uploads = [(one, received(one), place_of(one)) for one in uploads_of(room)]
    page = render_template(
        "manage/videos/index.html",
        room=room,
        tab="videos",
        lines=lines,
        lives=lives(lines),
        uploads=uploads,
        service=holder[0].provider_name if holder is not None else "",
        storage=storage_used(room),
        largest_form=LARGEST_FORM,
        size_words=size_words,
    )
    origins = holder[1].upload_origins if holder is not None else ()
    return let_scripts_connect_to(origins, make_response(page)) if origins else page


@bp.get("/list")
@requires(Permission.MEDIA_MANAGE)
def lines(room: Room) -> ResponseReturnValue:
    """The list alone, which the page fetches as long as something in it changes by itself."""
    found = video_lines(room)
    return render_template(
        "manage/videos/_list.html", room=room, lines=found, lives=lives(found), size_words=size_words
    )


@bp.post("/<id:video_id>/publication")
@requires(Permission.MEDIA_MANAGE)
def publish(room: Room, video_id: str) -> ResponseReturnValue:
    """Let viewers see a video, as soon as it can be watched."""
    video = find_video(room, video_id)
    change_video(video, by=actor.someone(), published=True, published_from=None)
    flash_messages.done(_("%(name)s is published.", name=video.name))
    return _back(room)


@bp.post("/<id:video_id>/hiding")
@requires(Permission.MEDIA_MANAGE)
def hide(room: Room, video_id: str) -> ResponseReturnValue:
    """Let only moderators see a video. Whoever watches it now loses it within seconds."""
    video = find_video(room, video_id)
    change_video(video, by=actor.someone(), published=False)
    flash_messages.done(_("%(name)s is hidden: only moderators see it.", name=video.name))
    return _back(room)


@bp.post("/<id:video_id>/up")
@requires(Permission.MEDIA_MANAGE)
def up(room: Room, video_id: str) -> ResponseReturnValue:
    """Move a video one place up."""
    return _move(room, video_id, "up")


@bp.post("/<id:video_id>/down")
@requires(Permission.MEDIA_MANAGE)
def down(room: Room, video_id: str) -> ResponseReturnValue:
    """Move a video one place down."""
    return _move(room, video_id, "down")


@bp.post("/<id:video_id>/cancellation")
@requires(Permission.MEDIA_MANAGE)
def cancel(room: Room, video_id: str) -> ResponseReturnValue:
    """Prepare a video no further."""
    video = find_video(room, video_id)
    words = _("Preparing %(name)s was cancelled.", name=video.name)
    flash_messages.done_or_refused(lambda: cancel_preparation(video, by=actor.someone()), words)
    return _back(room)


@bp.post("/<id:video_id>/another-try")
@requires(Permission.MEDIA_MANAGE)
def retry(room: Room, video_id: str) -> ResponseReturnValue:
    """Prepare a video once more that could not be prepared."""
    video = find_video(room, video_id)
    words = _("%(name)s is tried again.", name=video.name)
    flash_messages.done_or_refused(lambda: retry_preparation(video, by=actor.someone()), words)
    return _back(room)


@bp.post("/<id:video_id>/deletion")
@requires(Permission.MEDIA_MANAGE)
def delete(room: Room, video_id: str) -> ResponseReturnValue:
    """Put a video into the trash, which the next page can undo."""
    video = find_video(room, video_id)
    trash_video(video, by=actor.someone())
    undo = url_for("videos.restore", room_id=room.id, video_id=video.id)
    flash_messages.undoable(_("%(name)s was deleted.", name=video.name), undo=undo)
    return _back(room)


@bp.post("/<id:video_id>/restoration")
@requires(Permission.MEDIA_MANAGE)
def restore(room: Room, video_id: str) -> ResponseReturnValue:
    """Take a video out of the trash again."""
    video = find_trashed(room, video_id)
    words = _("%(name)s is back.", name=video.name)
    flash_messages.done_or_refused(lambda: restore_video(video, by=actor.someone()), words)
    return _back(room)


@bp.get("/<id:video_id>/file")
@requires(Permission.MEDIA_MANAGE)
def download(room: Room, video_id: str) -> ResponseReturnValue:
    """Send the file that was uploaded."""
    return send_source(find_video(room, video_id))


@bp.get("/<id:video_id>/poster/<name>")
@requires(Permission.MEDIA_MANAGE)
def poster(room: Room, video_id: str, name: str) -> ResponseReturnValue:
    """Send the picture that stands for a video."""
    video = find_video(room, video_id)
    if not video.poster or name != video.poster:
        raise NotFound
    return send_stored(f"{video.key}/{name}", mimetype=TYPES["jpg"], cache_control=FOR_GOOD)


@bp.get("/<id:video_id>/sheets/<folder>/<name>")
@requires(Permission.MEDIA_MANAGE)
def sheet(room: Room, video_id: str, folder: str, name: str) -> ResponseReturnValue:
    """Send a sheet with small pictures of a video's moments. `folder` is part of the address, because it is kept."""
    video = find_video(room, video_id)
    if folder != video.folder:
        raise NotFound
    return send_stored(sheet_key(video, name), mimetype=TYPES["jpg"], cache_control=FOR_GOOD)


def video_lines(room: Room) -> list[VideoLine]:
    """The lines of the list, in order. A video that has no file yet is told by its upload."""
    at, videos, found = now(), videos_of(room), []
    places = places_in_line(videos)
    for video in videos:
        preparing = video.state is VideoState.PREPARING and video.task is not None
        progress = video.task.progress if preparing and video.task is not None else None
        words = state_words(video, place=places.get(video.uuid))
        found.append(VideoLine(video, words, progress, video.shown(at)))
    return found


def lives(lines: list[VideoLine]) -> bool:
    """Whether the list changes by itself, so that the page has to look again."""
    return any(line.under_way or line.video.state is VideoState.UPLOADING for line in lines)


def storage_used(room: Room) -> StorageUsed:
    """What the room and its subscription use."""
    own, all_rooms = used_by_room(room.uuid), used_by_subscription(room.subscription_uuid)
    most = used_limit(room.subscription.values, room.room_features, MAX_STORAGE)
    return StorageUsed(_amount(own), _amount(all_rooms), most)


def _amount(size: int) -> str:
    return gigabytes(size) if size else "0"


def _move(room: Room, video_id: str, direction: Direction) -> ResponseReturnValue:
    move_video(find_video(room, video_id), by=actor.someone(), direction=direction)
    return redirect(url_for("videos.index", room_id=room.id, _anchor=f"video-{video_id}"), 303)


def _back(room: Room) -> ResponseReturnValue:
    return redirect(url_for("videos.index", room_id=room.id), 303)
