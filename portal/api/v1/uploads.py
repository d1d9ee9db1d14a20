"""The addresses to which programs send the files of videos, by tus. They are told when a video is created."""

from http import HTTPStatus

from flask import Blueprint, Response

from portal.edge import actor, tus
from portal.edge.media_guard import about_upload, by_upload, receives_piece
from portal.rooms.models import Room
from portal.videos.models import VideoUpload
from portal.videos.uploads import give_up_upload

bp = Blueprint("uploads", __name__, url_prefix="/uploads")


@bp.route("/<id:upload_id>", methods=["HEAD", "OPTIONS"], provide_automatic_options=False)
@by_upload(about_upload)
def show(room: Room, upload: VideoUpload) -> Response:
    """Tell how far the file has come."""
    return tus.answer_about(upload)


@bp.patch("/<id:upload_id>", provide_automatic_options=False)
@by_upload(receives_piece)
def receive(room: Room, upload: VideoUpload) -> Response:
    """Take the next piece of the file; after the last one it is prepared."""
    return tus.take_piece(upload)


@bp.delete("/<id:upload_id>", provide_automatic_options=False)
@by_upload(about_upload)
def delete(room: Room, upload: VideoUpload) -> Response:
    """Give the upload up."""
    give_up_upload(upload, by=actor.someone())
    return tus.answer(HTTPStatus.NO_CONTENT)
