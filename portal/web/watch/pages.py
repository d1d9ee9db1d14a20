"""The page of a room of videos for whoever is in: the player and the list, saving a video, and leaving."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.admission.reauthorization import ParticipationEnded
from portal.clock import now
from portal.edge.admissions import Participant
from portal.edge.guard import watches
from portal.edge.headers import let_frame
from portal.errors import NotFound
from portal.providers.base import ProviderError
from portal.rooms.images import shown_image
from portal.rooms.models import Role
from portal.rooms.settings import ALLOW_DOWNLOAD, HERO_IMAGE, is_on
from portal.status.models import Ending
from portal.status.operations import leave_session
from portal.videos.queries import find_video, find_watchable
from portal.videos.service_videos import player_of
from portal.watching.presence import HEARTBEAT_SECONDS
from portal.web.stored_files import send_source
from portal.web.watch.watch_list import ListedVideo, watch_list

bp = Blueprint("watch", __name__, url_prefix="/rooms/<id:room_id>/-/watch")


@bp.get("")
@watches
def show(participant: Participant) -> ResponseReturnValue:
    """Show the videos of the room, and the player for the first of them or for the chosen one."""
    listed = watch_list(participant)
    chosen = listed.chosen(request.args.get("video", ""))
    origin, frame = _frame(participant, chosen) if chosen and chosen.service and "play" in request.args else ("", "")
    page = render_template(
        "watch/show.html",
        room=participant.room,
        participation=participant.participation,
        proof=participant.proof,
        listed=listed,
        chosen=chosen,
        frame=frame,
        heartbeat=HEARTBEAT_SECONDS,
        hero=shown_image(participant.room, participant.room.room_settings, HERO_IMAGE),
    )
    return let_frame(origin, make_response(page)) if frame else page


def _frame(participant: Participant, chosen: ListedVideo) -> tuple[str, str]:
    """Origin and address of the service's player. Raises `NotFound` if the service cannot be used any more."""
    try:
        return player_of(find_video(participant.room, chosen.id))
    except ProviderError:
        raise NotFound from None


@bp.get("/videos")
@watches
def videos(participant: Participant) -> ResponseReturnValue:
    """The list alone, after it has changed."""
    listed = watch_list(participant)
    chosen = listed.chosen(request.args.get("video", ""))
    return render_template("watch/_videos.html", room=participant.room, listed=listed, chosen=chosen)


@bp.get("/videos/<id:video_id>/file")
@watches
def download(participant: Participant, video_id: str) -> ResponseReturnValue:
    """Send the file of what is watched as it was uploaded, where the room's setting lets viewers save it."""
    room = participant.room
    if not is_on(room, ALLOW_DOWNLOAD):
        raise NotFound
    moderates = participant.participation.role is Role.MODERATOR
    return send_source(find_watchable(room, video_id, now(), hidden=moderates), watched=True)


@bp.post("/departure")
@watches
def leave(participant: Participant) -> ResponseReturnValue:
    """Leave the room at once, by the button."""
    leave_session(participant.participation, ending=Ending.LEFT, by=participant.member)
    return redirect(url_for("conference.left", room_id=participant.room.id), 303)


@bp.errorhandler(ParticipationEnded)
def over(_ended: ParticipationEnded) -> ResponseReturnValue:
    """Redirect somebody whose participation has ended to the page after leaving, which says why."""
    room_id = (request.view_args or {})["room_id"]
    return redirect(url_for("conference.left", room_id=room_id), 303)
