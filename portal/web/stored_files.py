"""Sending a stored file: the whole of it, or the range that a browser asks for."""

import os
import re
from datetime import UTC, datetime
from urllib.parse import quote

from flask import Response, request
from werkzeug.http import dump_options_header
from werkzeug.wsgi import wrap_file

from portal.errors import NotFound
from portal.storage import NotStored, storage
from portal.videos.models import RoomVideo

FOR_GOOD = "private, max-age=31536000, immutable"
"""How long browsers keep what is made of a video: another attempt at preparing has another folder."""


def send_stored(key: str, *, mimetype: str, cache_control: str, download_name: str = "") -> Response:
    """The file of this key. With a `download_name` browsers save it under that. Raises `NotFound` if it is not there.

    The name of a file is text that somebody sent: it is written as RFC 6266 says, never as a part of a path.
    """
    try:
        file = storage().open(key)
    except (NotStored, ValueError):
        raise NotFound from None
    status = os.fstat(file.fileno())
    response = Response(wrap_file(request.environ, file), mimetype=mimetype, direct_passthrough=True)
    response.call_on_close(file.close)
    response.content_length = status.st_size
    response.headers["Cache-Control"] = cache_control
    response.last_modified = datetime.fromtimestamp(status.st_mtime, UTC)
    if download_name:
        response.headers["Content-Disposition"] = _attachment(download_name)
    response.make_conditional(request, accept_ranges=True, complete_length=status.st_size)
    return response


def send_source(video: RoomVideo, *, watched: bool = False) -> Response:
    """The file of a video as it was uploaded, to be saved. Raises `NotFound` before it has come.

    With `watched` it is what people watch now, and none in its place that is being prepared, or could not be.
    """
    source, name = video.source, video.file_name
    if watched and video.prepared_source:
        source, name = video.prepared_source, video.prepared_file_name
    if not source:
        raise NotFound
    return send_stored(
        f"{video.key}/{source}",
        mimetype="application/octet-stream",
        cache_control="private, no-cache",
        download_name=name or video.name,
    )


def _attachment(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9._ ()-]", "_", name)
    names = {"filename": plain} if plain == name else {"filename": plain, "filename*": f"UTF-8''{quote(name, safe='')}"}
    return dump_options_header("attachment", names)
