"""The page of one video for those who manage its room: name and description, its poster, and its captions."""

import re
from contextlib import suppress

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, FileField, StringField, TextAreaField

from portal.edge import actor
from portal.edge.guard import requires
from portal.edge.headers import let_scripts_connect_to
from portal.edge.i18n import gettext as _
from portal.errors import Invalid, Message
from portal.permissions.permission import Permission
from portal.providers.base import ProviderError
from portal.rooms.models import Room
from portal.videos.caption_files import LARGEST_CAPTIONS, read_captions
from portal.videos.captions import captions_of, delete_captions, find_captions, set_captions
from portal.videos.frames import frames_of
from portal.videos.models import DESCRIPTION_LENGTH, VIDEO_NAME_LENGTH, RoomVideo
from portal.videos.operations import change_video, lock_video
from portal.videos.posters import choose_poster
from portal.videos.queries import find_video
from portal.videos.service_videos import service_of_video
from portal.web import flash_messages
from portal.web.edit_forms import EditForm, lock_for_edit
from portal.web.forms import Form, UTCDateTimeField, refills, stripped
from portal.web.recording_formats import size_words

bp = Blueprint("video", __name__, url_prefix="/manage/rooms/<id:room_id>/videos/<id:video_id>")


class VideoForm(EditForm):
    """What people read about a video, and from when on they see it."""

    name = StringField(_l("Name"), render_kw={"maxlength": VIDEO_NAME_LENGTH})
    description = TextAreaField(_l("Description"), render_kw={"maxlength": DESCRIPTION_LENGTH, "rows": 4})
    published = BooleanField(_l("Published"))
    published_from = UTCDateTimeField(_l("Published from"))


class CaptionsForm(Form):
    """A file of captions in one language."""

    file = FileField(_l("File"), render_kw={"accept": ".vtt,.srt", "required": True})
    language = StringField(_l("Language"), render_kw={"maxlength": 35, "placeholder": "en", "autocomplete": "off"})
    label = StringField(_l("Label"), render_kw={"maxlength": 80})
    default = BooleanField(_l("Shown at first"))


class PosterForm(Form):
    """The moment of the video whose picture stands for it."""

    at = StringField(_l("At"), render_kw={"placeholder": "0:05", "autocomplete": "off", "maxlength": 12})


@bp.route("", methods=["GET", "POST"])
@requires(Permission.MEDIA_MANAGE)
@refills
def edit(room: Room, video_id: str) -> ResponseReturnValue:
    """Change what people read about a video, and whether they see it."""
    video = find_video(room, video_id)
    lock_for_edit(video, lock_video)
    form = VideoForm(obj=video)
    if form.validate_on_submit():
        with form.refusals():
            change_video(
                video,
                by=actor.someone(),
                name=stripped(form.name.data),
                description=form.description.data or "",
                published=form.published.data,
                published_from=form.published_from.data,
            )
            flash_messages.done(_("Saved."))
            return redirect(url_for("videos.index", room_id=room.id, _anchor=f"video-{video.id}"), 303)
    return _page(room, video, form=form)


@bp.post("/captions")
@requires(Permission.MEDIA_MANAGE)
def add_captions(room: Room, video_id: str) -> ResponseReturnValue:
    """Let the video have the captions of a file, in place of those in the same language."""
    video = find_video(room, video_id)
    form = CaptionsForm()
    if form.validate_on_submit():
        with form.refusals():
            sent = request.files.get("file")
            if sent is None or not sent.filename:
                raise Invalid(file=Message("Choose a file."))
            read = read_captions(sent.stream.read(LARGEST_CAPTIONS + 1))
            made = set_captions(
                video=video,
                by=actor.someone(),
                captions=read,
                language=stripped(form.language.data),
                label=stripped(form.label.data),
                default=bool(form.default.data),
            )
            words = _("Captions in %(language)s were added: %(count)d of them.", language=made.label, count=read.cues)
            if read.guessed:
                words += " " + _("The file was no UTF-8, so it was read as Windows-1252: check its letters.")
            flash_messages.done(words)
            return _here(room, video, "h-captions")
    return _page(room, video, captions_form=form)


@bp.post("/captions/<id:captions_id>/deletion")
@requires(Permission.MEDIA_MANAGE)
def remove_captions(room: Room, video_id: str, captions_id: str) -> ResponseReturnValue:
    """Delete the captions in one language."""
    video = find_video(room, video_id)
    captions = find_captions(video, captions_id)
    label = captions.label
    delete_captions(captions, video=video, by=actor.someone())
    flash_messages.done(_("Captions in %(language)s were deleted.", language=label))
    return _here(room, video, "h-captions")


@bp.post("/poster")
@requires(Permission.MEDIA_MANAGE)
def set_poster(room: Room, video_id: str) -> ResponseReturnValue:
    """Let the picture at a moment of the video stand for it."""
    video = find_video(room, video_id)
    form = PosterForm()
    if form.validate_on_submit():
        with form.refusals():
            choose_poster(video, by=actor.someone(), milliseconds=_milliseconds(stripped(form.at.data)))
            flash_messages.done(_("The poster was chosen."))
            return _here(room, video, "h-poster")
    return _page(room, find_video(room, video_id), poster_form=form)


def _milliseconds(text: str) -> int:
    """A moment as people write it, `12:31` or `1:02:03.5`. Raises `Invalid` on `at`."""
    found = re.fullmatch(r"(?:(?:(\d{1,2}):)?(\d{1,3}):)?(\d{1,5}(?:[.,]\d{1,3})?)", text, re.ASCII)
    if found is None:
        raise Invalid(at=Message("Write the moment as 0:05 or 1:02:03."))
    hours, minutes, seconds = found.groups()
    return int(((int(hours or 0) * 60 + int(minutes or 0)) * 60 + float(seconds.replace(",", "."))) * 1000)


def _page(
    room: Room,
    video: RoomVideo,
    *,
    form: VideoForm | None = None,
    captions_form: CaptionsForm | None = None,
    poster_form: PosterForm | None = None,
) -> ResponseReturnValue:
    """The page, with the form that was refused as it was sent."""
    refused = any(one is not None and one.refused for one in (form, captions_form, poster_form))
    page = render_template(
        "manage/videos/edit.html",
        room=room,
        tab="videos",
        video=video,
        form=form or VideoForm(formdata=None, obj=video),
        captions_form=captions_form or CaptionsForm(formdata=None),
        poster_form=poster_form or PosterForm(formdata=None),
        captions=captions_of(video),
        frames=frames_of(video),
        size_words=size_words,
    )
    response = make_response(page, 422 if refused else 200)
    if video.held is not None:
        with suppress(ProviderError):  # then nothing can be sent there
            let_scripts_connect_to(service_of_video(video.held).upload_origins, response)
    return response


def _here(room: Room, video: RoomVideo, anchor: str) -> ResponseReturnValue:
    return redirect(url_for("video.edit", room_id=room.id, video_id=video.id, _anchor=anchor), 303)
