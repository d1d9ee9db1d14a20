"""What is happening in rooms: the stored status, runs and attendance, starting and ending."""

import sqlalchemy as sa
from flask import Blueprint, Response

from portal import representations as show
from portal.admission.participations import participations_of
from portal.api.v1 import answers, language, lists, shapes
from portal.api.v1.endpoint import endpoint, takes
from portal.api.v1.language import Column, Listing
from portal.credentials.scopes import Scope
from portal.db import session
from portal.edge import actor
from portal.edge.guard import requires
from portal.errors import NotFound
from portal.permissions.permission import Permission
from portal.rooms.models import Room
from portal.status.models import RoomSession, RoomStatus
from portal.status.operations import end_session, start_session
from portal.status.queries import find_session

bp = Blueprint("live", __name__, url_prefix="/rooms/<anyid:room_id>")

TAG = "Status and sessions"
STATUS = Listing(columns={}, tie=RoomStatus.room_uuid, fields=frozenset(shapes.RoomStatus.model_fields))
SESSIONS = Listing(
    columns={
        "started_at": Column(RoomSession.started_at, "moment"),
        "ended_at": Column(RoomSession.ended_at, "moment", nullable=True),
        "id": Column(RoomSession.id),
    },
    tie=RoomSession.uuid,
    fields=frozenset(shapes.RoomSession.model_fields) - {"participations"},
    order="started_at",
    sorted_by="desc",
)
SESSION = Listing(
    columns={},
    tie=RoomSession.uuid,
    fields=SESSIONS.fields,
    includes=("participations",),
    inner={"participations": frozenset(shapes.Participation.model_fields)},
)


@bp.get("/status")
@endpoint(TAG, scope=Scope.STATUS_READ, returns=shapes.RoomStatus, listing=STATUS)
@requires(Permission.STATUS_VIEW)
def status(room: Room) -> Response:
    """Read the stored snapshot of what is happening in the room, with its age (`checked_at`)."""
    return _status(room, language.shape(STATUS))


def _status(room: Room, shape: language.Shape) -> Response:
    stored = session.get(RoomStatus, room.uuid)
    tag = f"{room.id}-{stored.version if stored else 0}"
    return answers.one(show.room_status(room, stored), shape, tag=tag)


@bp.post("/start")
@endpoint(TAG, scope=Scope.ROOMS_WRITE, returns=shapes.RoomStatus, listing=STATUS, refusals=(409,))
@requires(Permission.ROOM_MODERATE)
@takes(None)
def start(room: Room) -> Response:
    """Start the room, so that people find it open. One that runs already goes on."""
    shape = language.shape(STATUS)
    start_session(room, by=actor.someone().uuid)
    return _status(room, shape)


@bp.post("/end")
@endpoint(TAG, scope=Scope.ROOMS_WRITE, returns=shapes.RoomStatus, listing=STATUS)
@requires(Permission.ROOM_MODERATE)
@takes(None)
def end(room: Room) -> Response:
    """End what is running in the room: everybody is sent out."""
    shape = language.shape(STATUS)
    end_session(room, by=actor.someone().uuid)
    return _status(room, shape)


@bp.get("/sessions")
@endpoint(TAG, scope=Scope.STATUS_READ, returns=shapes.RoomSession, many=True, listing=SESSIONS)
@requires(Permission.REPORTS_VIEW)
def sessions(room: Room) -> Response:
    """List the runs of the room, newest first."""
    asked = language.query(SESSIONS)
    rows, pagination = lists.rows_of(asked, sa.select(RoomSession).where(RoomSession.room_uuid == room.uuid))
    return answers.many([show.session(row[0], room) for row in rows], asked.shape, pagination)


@bp.get("/sessions/<anyid:session_id>")
@endpoint(TAG, scope=Scope.STATUS_READ, returns=shapes.RoomSession, listing=SESSION)
@requires(Permission.REPORTS_VIEW)
def session_one(room: Room, session_id: str) -> Response:
    """Read a run of the room, with `include=participations` who took part in it."""
    shape, run = language.shape(SESSION), find_session(room, session_id)
    if run is None:
        raise NotFound
    data = show.session(run, room)
    if shape.wants("participations"):
        people = [shape.cut_inner("participations", show.participation(one)) for one in participations_of(run)]
        data["participations"] = {"data": people}
    return answers.one(data, shape, tag=answers.tag_of(run))
