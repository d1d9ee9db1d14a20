"""The files of videos, for whoever is in the room: playlists, segments, pictures and captions."""

from flask import Blueprint, Response

from portal.edge.watching_guard import gated
from portal.watching.gate import TYPES, WatchedVideo, find_caption_text
from portal.web.stored_files import FOR_GOOD, send_stored

bp = Blueprint("media", __name__, url_prefix="/rooms/<id:room_id>/-/media/<id:video_id>")

PLAYLISTS = "no-store"


@bp.get("/poster/<name>")
@gated
def poster(video: WatchedVideo, name: str) -> Response:
    """Send the picture that stands for a video."""
    return send_stored(video.picture(name), mimetype=TYPES["jpg"], cache_control=FOR_GOOD)


@bp.get("/captions/<id:captions_id>.vtt")
@gated
def captions(video: WatchedVideo, captions_id: str) -> Response:
    """Send the captions of a video in one language."""
    text = find_caption_text(video.uuid, captions_id)
    return Response(text, mimetype=TYPES["vtt"], headers={"Cache-Control": "private, no-cache"})


@bp.get("/<folder>/<name>")
@gated
def file(video: WatchedVideo, folder: str, name: str) -> Response:
    """Send a file of what was prepared of a video."""
    key = video.file(folder, name)
    end = name.rpartition(".")[2]
    cache = PLAYLISTS if end == "m3u8" else FOR_GOOD
    return send_stored(key, mimetype=TYPES[end], cache_control=cache)
