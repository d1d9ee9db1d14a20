"""The pages of a room's runs: the list, who took part in one, that as a CSV file; and acting on the present run."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.admission.participations import ParticipationDetails, count_participations, participations_of
from portal.admission.removals import readmit
from portal.edge import actor, cursors
from portal.edge.guard import requires
from portal.edge.i18n import ending_label, ngettext, role_label
from portal.edge.i18n import gettext as _
from portal.errors import NotFound
from portal.keyset import split
from portal.permissions.permission import Permission
from portal.rooms.models import Room
from portal.status.models import RoomSession
from portal.status.operations import present_participations
from portal.status.queries import NEWEST_FIRST, find_session, position_of, sessions_of
from portal.status.runs import end_session
from portal.subscriptions.provider_models import ServiceType
from portal.watching.figures import watched_in
from portal.web import flash_messages
from portal.web.csv_export import csv_file

bp = Blueprint("sessions", __name__, url_prefix="/manage/rooms/<id:room_id>")

PAGE = 25
MOST_SHOWN = 500


@bp.get("/sessions")
@requires(Permission.REPORTS_VIEW)
def index(room: Room) -> ResponseReturnValue:
    """Show the room's runs, newest first."""
    position = cursors.position_in(request.args.get("after", ""), of="sessions", keys=NEWEST_FIRST)
    runs, last = split(sessions_of(room, after=position, limit=PAGE + 1), PAGE)
    return render_template(
        "manage/sessions/index.html",
        room=room,
        tab="sessions",
        runs=runs,
        first=position is None,
        next=cursors.encode(position_of(last), of="sessions") if last is not None else "",
    )


@bp.get("/sessions/<id:session_id>")
@requires(Permission.REPORTS_VIEW)
def show(room: Room, session_id: str) -> ResponseReturnValue:
    """Show who took part in one run."""
    run = _own(room, session_id)
    people = participations_of(run, limit=MOST_SHOWN)
    total = len(people) if len(people) < MOST_SHOWN else count_participations(run)
    return render_template(
        "manage/sessions/show.html",
        room=room,
        tab="sessions",
        run=run,
        people=people,
        total=total,
        by=came_by,
        watched=_watched(room, run),
    )


@bp.get("/sessions/<id:session_id>/attendance.csv")
@requires(Permission.REPORTS_VIEW)
def download(room: Room, session_id: str) -> ResponseReturnValue:
    """Download who took part in one run, as a CSV file with times in UTC."""
    run = _own(room, session_id)
    watched = _watched(room, run)
    return csv_file(
        f"{room.slug}-{run.started_at:%Y-%m-%d-%H%M}.csv",
        [
            _("Name"),
            _("Role"),
            _("By"),
            _("From (UTC)"),
            _("Until (UTC)"),
            _("How it ended"),
            *([_("Watched")] if room.room_type is ServiceType.VIDEO else []),
        ],
        [
            [
                (
                    person.name,
                    role_label(person.role),
                    came_by(person),
                    person.entered_at,
                    person.left_at,
                    ending_label(person.ending) if person.ending else "",
                    *([watched.get(person.id, "")] if room.room_type is ServiceType.VIDEO else []),
                )
                for person in participations_of(run)
            ]
        ],
    )


@bp.route("/ending", methods=["GET", "POST"])
@requires(Permission.ROOM_MODERATE)
def end(room: Room) -> ResponseReturnValue:
    """End the room's present run for everyone. It cannot be undone, so a page says first who is in."""
    if request.method != "POST":
        return render_template("manage/sessions/end.html", room=room, tab="", people=present_participations(room))
    gone = end_session(room, by=actor.someone())
    flash_messages.done(
        ngettext("Ended: %(num)d person was sent out.", "Ended: %(num)d people were sent out.", gone)
        if gone
        else _("Ended: nobody was in.")
    )
    return redirect(url_for("rooms.show", room_id=room.id), 303)


@bp.post("/participations/<id:participation_id>/readmission")
@requires(Permission.ROOM_MODERATE)
def let_back_in(room: Room, participation_id: str) -> ResponseReturnValue:
    """Let somebody back in whom a moderator removed from the present run."""
    removed = readmit(room, participation_id, by=actor.someone())
    flash_messages.done(_("%(name)s can come in again.", name=removed.name))
    return redirect(url_for("rooms.show", room_id=room.id), 303)


def came_by(person: ParticipationDetails) -> str:
    """How a participant came in: by which link, as which member, or as a guest of a public room."""
    if person.member is not None:
        return str(_("Member %(name)s", name=person.member))
    if person.link_id is None or person.automatic:
        return str(_("Public room"))
    return person.link or str(_("Link without a label"))


def _watched(room: Room, run: RoomSession) -> dict[str, str]:
    """What people have watched in this run, by the ids of their participations: "Film: 50 %"."""
    if room.room_type is not ServiceType.VIDEO:
        return {}
    return {
        person: ", ".join(f"{one.name}: {one.percent} %" for one in videos)
        for person, videos in watched_in(run).items()
    }


def _own(room: Room, session_id: str) -> RoomSession:
    run = find_session(room, session_id)
    if run is None:
        raise NotFound
    return run
