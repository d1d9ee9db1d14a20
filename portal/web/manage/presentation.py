"""A room's presentation: uploading, replacing and removing it. Its forms are on the page of the room's settings."""

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from portal.edge import actor
from portal.edge.editing_guard import edits_room
from portal.edge.i18n import gettext as _
from portal.edge.upload_guard import takes_file
from portal.edge.uploads import Upload
from portal.errors import NotFound
from portal.permissions.visibility import find_room
from portal.rooms.presentations import LARGEST_FILE, remove_presentation, set_presentation
from portal.rooms.room_read import EditableRoom
from portal.web import flash_messages
from portal.web.manage.room_settings import PresentationForm, settings_page

bp = Blueprint("presentation", __name__, url_prefix="/manage/rooms/<id:room_id>/settings/presentation")


@bp.post("")
@takes_file(most=LARGEST_FILE)
def upload(room: EditableRoom, upload: Upload) -> ResponseReturnValue:
    """Let the file be the room's presentation, in place of another."""
    form = PresentationForm()
    with form.refusals():
        made = set_presentation(room, by=actor.someone(), name=upload.name, file=upload.whole())
        flash_messages.done(_("%(name)s is the presentation from the next session on.", name=made.name))
        return _back(room)
    found = find_room(actor.someone(), room.id)
    if found is None:
        raise NotFound
    return settings_page(found, presentation=form), 422


@bp.post("/removal")
@edits_room
def remove(room: EditableRoom) -> ResponseReturnValue:
    """Let the room have no presentation; the file is deleted."""
    remove_presentation(room, by=actor.someone())
    flash_messages.done(_("The presentation was removed."))
    return _back(room)


def _back(room: EditableRoom) -> ResponseReturnValue:
    return redirect(url_for("room_settings.show", room_id=room.id, _anchor="h-presentation"), 303)
