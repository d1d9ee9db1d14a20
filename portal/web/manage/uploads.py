"""Uploads of videos by the page of a room: a script sends files in pieces by tus, a form without one whole.

Answers to the script are JSON or empty; those to forms are pages.
"""

from http import HTTPStatus

from flask import Blueprint, Response, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.http import http_date

from portal.edge import actor, tus
from portal.edge.errors import problem, status_of
from portal.edge.guard import requires
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.edge.media_guard import about_upload, receives_piece
from portal.edge.upload_guard import takes_film
from portal.edge.uploads import Upload
from portal.errors import Conflict, Invalid, Message, Refused
from portal.permissions.permission import Permission
from portal.rooms.models import Room
from portal.videos.models import VideoUpload
from portal.videos.queries import find_video
from portal.videos.service_uploads import begin_where_it_belongs, note_arrival
from portal.videos.service_videos import holder_of, place_of
from portal.videos.uploads import adopt_file, find_upload, give_up_upload
from portal.web import flash_messages

bp = Blueprint("uploads", __name__, url_prefix="/manage/rooms/<id:room_id>")

LARGEST_FORM = 200_000_000
"""Bytes of a file that is sent by a form, which cannot go on where it stopped."""


@bp.post("/uploads")
@requires(Permission.MEDIA_MANAGE)
def create(room: Room) -> ResponseReturnValue:
    """Begin an upload of `name` with `size` bytes, in place of the file of `video` if that is given.

    Where a service holds the video the answer tells its `place` there for the bytes, and whom to tell of the `arrival`.
    """
    size = request.form.get("size", "")
    try:
        if not (size.isascii() and size.isdigit() and len(size) < 16):  # noqa: PLR2004
            raise Invalid(size=Message("This is no size in bytes."))
        replaced = request.form.get("video", "")
        upload = begin_where_it_belongs(
            room=room,
            by=actor.someone(),
            file_name=request.form.get("name", ""),
            size=int(size),
            video=find_video(room, replaced) if replaced else None,
        )
    except Refused as refused:
        fields = (
            {name: translated(text) for name, text in refused.fields.items()} if isinstance(refused, Invalid) else {}
        )
        return problem(status_of(refused), flash_messages.why_refused(refused), fields=fields)
    address = url_for("uploads.show", room_id=room.id, upload_id=upload.id)
    made = {"id": upload.id, "video": upload.video.id}
    place = place_of(upload)
    if place:
        made |= {"place": place, "arrival": url_for("uploads.arrive", room_id=room.id, upload_id=upload.id)}
    response = jsonify(made)
    response.status_code = HTTPStatus.CREATED
    response.headers["Location"] = address
    response.headers["Upload-Expires"] = http_date(upload.expires_at)
    return response


@bp.route("/uploads/<id:upload_id>", methods=["HEAD", "OPTIONS"], provide_automatic_options=False)
@about_upload
def show(room: Room, upload: VideoUpload) -> Response:
    """Tell how far the file has come."""
    return tus.answer_about(upload)


@bp.patch("/uploads/<id:upload_id>", provide_automatic_options=False)
@receives_piece
def receive(room: Room, upload: VideoUpload) -> Response:
    """Take the next piece of the file; after the last one it is prepared."""
    return tus.take_piece(upload)


@bp.delete("/uploads/<id:upload_id>", provide_automatic_options=False)
@about_upload
def delete(room: Room, upload: VideoUpload) -> Response:
    """Give the upload up."""
    give_up_upload(upload, by=actor.someone())
    return tus.answer(HTTPStatus.NO_CONTENT)


@bp.post("/uploads/<id:upload_id>/end")
@requires(Permission.MEDIA_MANAGE)
def give_up(room: Room, upload_id: str) -> ResponseReturnValue:
    """Give the upload up, by the button."""
    upload = find_upload(room, upload_id)
    name = upload.file_name
    give_up_upload(upload, by=actor.someone())
    flash_messages.done(_("The upload of %(name)s was given up.", name=name))
    return redirect(url_for("videos.index", room_id=room.id), 303)


@bp.post("/uploads/<id:upload_id>/arrival")
@requires(Permission.MEDIA_MANAGE)
def arrive(room: Room, upload_id: str) -> ResponseReturnValue:
    """Note that the whole file is at the service that holds the video."""
    note_arrival(find_upload(room, upload_id), by=actor.someone())
    return "", HTTPStatus.NO_CONTENT


@bp.post("/videos/file")
@takes_film(most=LARGEST_FORM)
def send_form(room: Room, upload: Upload) -> ResponseReturnValue:
    """Take a whole file by a form, for who has no script."""
    words = _("%(name)s was uploaded, and is being prepared.", name=upload.name)

    def adopt() -> None:
        if holder_of(room) is not None:
            raise Conflict(Message("The videos of this room go straight to another service, which needs JavaScript."))
        adopt_file(room=room, by=actor.someone(), file_name=upload.name, file=upload.whole())

    flash_messages.done_or_refused(adopt, words)
    return redirect(url_for("videos.index", room_id=room.id), 303)
