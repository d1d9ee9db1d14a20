"""What players of viewers fetch, behind the gate: the playlist, once a second, and segments, without asking anybody."""

import re

from flask import Blueprint, Response, g

from portal.broadcasts.presence import heartbeat
from portal.broadcasts.producing import folder_of
from portal.db import session
from portal.edge.broadcast_guard import JOURNALS, FollowedRun, plays
from portal.errors import NotFound
from portal.web.stored_files import send_stored

bp = Blueprint("live_media", __name__, url_prefix="/rooms/<id:room_id>/-/live/<id:run_id>")

PLAYLIST = "application/vnd.apple.mpegurl"
SEGMENT = "video/mp2t"
FOR_GOOD = "private, max-age=31536000, immutable"
"""A segment never changes: another connection of the run has names of its own."""
_SEGMENT = re.compile(r"[0-9]{1,9}_[0-9]{5,9}\.ts", re.ASCII)


@bp.get("/live.m3u8")
@plays
def playlist(run: FollowedRun) -> Response:
    """The playlist of what can be played now. Who fetches it watches: that is noted each time that he is judged."""
    text = JOURNALS.playlist(run.uuid)
    viewer = g.pop("judged", None)
    if viewer is not None:
        session.commit()  # no transaction is open while the channels are told
        heartbeat(viewer)
    if text is None:
        raise NotFound
    return Response(text, mimetype=PLAYLIST, headers={"Cache-Control": "no-store"})


@bp.get("/<name>")
@plays
def segment(run: FollowedRun, name: str) -> Response:
    """One segment."""
    if not _SEGMENT.fullmatch(name):
        raise NotFound
    return send_stored(f"{folder_of(run.uuid)}/{name}", mimetype=SEGMENT, cache_control=FOR_GOOD)
