"""What is told of who has watched a video: views, people, the part that they saw, and where they left."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.edge.guard import requires
from portal.edge.i18n import gettext as _
from portal.permissions.permission import Permission
from portal.rooms.models import Room
from portal.videos.queries import find_video
from portal.watching.figures import figures_of
from portal.web.csv_export import csv_file

bp = Blueprint("video_figures", __name__, url_prefix="/manage/rooms/<id:room_id>/videos/<id:video_id>/figures")


@bp.get("")
@requires(Permission.REPORTS_VIEW)
def show(room: Room, video_id: str) -> ResponseReturnValue:
    """Show the figures of a video."""
    video = find_video(room, video_id)
    figures = figures_of(video)
    return render_template("manage/videos/figures.html", room=room, tab="videos", video=video, figures=figures)


@bp.get("/figures.csv")
@requires(Permission.REPORTS_VIEW)
def download(room: Room, video_id: str) -> ResponseReturnValue:
    """Download where people left, as a CSV file."""
    video = find_video(room, video_id)
    return csv_file(
        f"{room.slug}-{video.id}.csv",
        [_("From (s)"), _("Until (s)"), _("Saw it"), _("Left there")],
        [[(bar.begin, bar.end, bar.seen, bar.left) for bar in figures_of(video).bars]],
    )
