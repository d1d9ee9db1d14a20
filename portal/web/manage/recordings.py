"""The pages of a room's recordings: the list, watching one, changing, publishing, unpublishing and deleting it.

Whoever may see the room sees the page; on it are those recordings that he may see.
"""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from portal.edge import actor, cursors
from portal.edge.guard import requires
from portal.edge.i18n import gettext as _
from portal.errors import NotFound
from portal.keyset import split
from portal.media.capacity import why_not_recorded
from portal.media.models import Recording, RecordingVisibility
from portal.media.operations import change_recording, delete_recording, lock_recording
from portal.media.queries import (
    NEWEST_RECORDINGS,
    can_record,
    find_recording,
    position_of_recording,
    recordings_of,
)
from portal.permissions.permission import Permission
from portal.permissions.rules import can
from portal.rooms.models import Room
from portal.web import flash_messages
from portal.web.edit_forms import EditForm, lock_for_edit
from portal.web.forms import refills, stripped
from portal.web.recording_formats import address_of, format_words, size_words

bp = Blueprint("recordings", __name__, url_prefix="/manage/rooms/<id:room_id>/recordings")

PAGE = 25

VISIBILITY_CHOICES = [
    SelectChoice(RecordingVisibility.OWNER.value, _l("Owners")),
    SelectChoice(RecordingVisibility.MEMBERS.value, _l("Owners and members")),
    SelectChoice(RecordingVisibility.PARTICIPANTS.value, _l("Owners, members and participants")),
]


class RecordingForm(EditForm):
    """The name of a recording, whether it is published, and who sees it then."""

    name = StringField(_l("Name"))
    published = BooleanField(_l("Published"))
    visibility = SelectField(_l("Who sees it"), choices=VISIBILITY_CHOICES, coerce=RecordingVisibility)


@bp.get("")
@requires(Permission.ROOM_VIEW)
def index(room: Room) -> ResponseReturnValue:
    """Show the recordings of the room that the reader may see, newest first."""
    position = cursors.position_in(request.args.get("after", ""), of="recordings", keys=NEWEST_RECORDINGS)
    found, last = split(recordings_of(room, actor.current(), after=position, limit=PAGE + 1), PAGE)
    return render_template(
        "manage/recordings/index.html",
        room=room,
        tab="recordings",
        recordings=found,
        first=position is None,
        next=cursors.encode(position_of_recording(last), of="recordings") if last is not None else "",
        can_record=can_record(room),
        why_not_recorded=why_not_recorded(room) if can(actor.current(), Permission.RECORDINGS_VIEW, room) else None,
        size_words=size_words,
        format_words=format_words,
        visibility_words=visibility_words,
    )


@bp.get("/<id:recording_id>/formats/<int:number>")
@requires(Permission.ROOM_VIEW)
def watch(room: Room, recording_id: str, number: int) -> ResponseReturnValue:
    """Redirect to where one format of the recording is watched. The service that keeps it learns no address of ours."""
    return redirect(address_of(_seen(room, recording_id), number), 303)


@bp.route("/<id:recording_id>/edit", methods=["GET", "POST"])
@requires(Permission.RECORDINGS_MANAGE)
@refills
def edit(room: Room, recording_id: str) -> ResponseReturnValue:
    """Rename a recording, publish or unpublish it, and say who sees it."""
    recording = _seen(room, recording_id)
    lock_for_edit(recording, lock_recording)
    form = RecordingForm(obj=recording)
    if form.validate_on_submit():
        with form.refusals():
            change_recording(
                recording,
                by=actor.someone(),
                name=stripped(form.name.data),
                published=form.published.data,
                visibility=form.visibility.data,
            )
            flash_messages.done(_("Saved."))
            return _back(room)
    page = render_template("manage/recordings/form.html", room=room, tab="recordings", form=form, recording=recording)
    return page, 422 if form.refused else 200


@bp.post("/<id:recording_id>/publication")
@requires(Permission.RECORDINGS_MANAGE)
def publish(room: Room, recording_id: str) -> ResponseReturnValue:
    """Publish a recording, for those who may see it."""
    recording = _set_published(room, recording_id, published=True)
    flash_messages.done(_("%(name)s is published.", name=recording.name))
    return _back(room)


@bp.post("/<id:recording_id>/withdrawal")
@requires(Permission.RECORDINGS_MANAGE)
def unpublish(room: Room, recording_id: str) -> ResponseReturnValue:
    """Unpublish a recording: nobody but those who may see all recordings of the room sees it."""
    recording = _set_published(room, recording_id, published=False)
    flash_messages.done(_("%(name)s is not published any more.", name=recording.name))
    return _back(room)


@bp.route("/<id:recording_id>/deletion", methods=["GET", "POST"])
@requires(Permission.RECORDINGS_MANAGE)
def delete(room: Room, recording_id: str) -> ResponseReturnValue:
    """Delete a recording for good. That cannot be undone, so a page says first what goes."""
    recording = _seen(room, recording_id)
    if request.method != "POST":
        return render_template("manage/recordings/delete.html", room=room, tab="recordings", recording=recording)
    lock_recording(recording)
    name = recording.name
    delete_recording(recording, by=actor.someone())
    flash_messages.done(_("%(name)s was deleted.", name=name))
    return _back(room)


def visibility_words(visibility: RecordingVisibility) -> str:
    """Who sees a published recording."""
    return next(str(choice.label) for choice in VISIBILITY_CHOICES if choice.value == visibility.value)


def _set_published(room: Room, recording_id: str, *, published: bool) -> Recording:
    recording = _seen(room, recording_id)
    lock_recording(recording)
    change_recording(recording, by=actor.someone(), published=published)
    return recording


def _seen(room: Room, recording_id: str) -> Recording:
    recording = find_recording(room, recording_id, actor.current())
    if recording is None:
        raise NotFound
    return recording


def _back(room: Room) -> ResponseReturnValue:
    return redirect(url_for("recordings.index", room_id=room.id), 303)
