"""A room's lobby for whoever may moderate it, without being in: admitting people who wait, and turning them away."""

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from portal.admission.lobby import admit_all, answer
from portal.edge import actor
from portal.edge.guard import requires
from portal.edge.i18n import gettext as _
from portal.edge.i18n import ngettext
from portal.permissions.permission import Permission
from portal.rooms.models import Room
from portal.web import flash_messages

bp = Blueprint("lobby", __name__, url_prefix="/manage/rooms/<id:room_id>/lobby")


@bp.post("/admission")
@requires(Permission.ROOM_MODERATE)
def admit_everybody(room: Room) -> ResponseReturnValue:
    """Admit everybody who waits."""
    count = admit_all(room, by=actor.someone())
    flash_messages.done(
        ngettext("%(num)d person can come in.", "%(num)d people can come in.", count)
        if count
        else _("Nobody is waiting any more.")
    )
    return redirect(url_for("rooms.show", room_id=room.id), 303)


@bp.post("/<id:waiter_id>/admission")
@requires(Permission.ROOM_MODERATE)
def admit(room: Room, waiter_id: str) -> ResponseReturnValue:
    """Admit somebody who waits."""
    admitted = answer(room, waiter_id, admit=True, by=actor.someone())
    flash_messages.done(_("%(name)s can come in.", name=admitted.name))
    return redirect(url_for("rooms.show", room_id=room.id), 303)


@bp.post("/<id:waiter_id>/refusal")
@requires(Permission.ROOM_MODERATE)
def turn_away(room: Room, waiter_id: str) -> ResponseReturnValue:
    """Turn somebody away who waits, for as long as this run lasts."""
    turned_away = answer(room, waiter_id, admit=False, by=actor.someone())
    flash_messages.done(_("%(name)s was not let in.", name=turned_away.name))
    return redirect(url_for("rooms.show", room_id=room.id), 303)
