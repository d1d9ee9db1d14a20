"""The API's routes for the status of a room, its runs and their participations, and for starting and ending a run."""

import sqlalchemy as sa
from flask import Blueprint, Response

from portal.admission.participations import participations_of
from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import Listing, listing_of
from portal.broadcasts import hosting
from portal.db import session
from portal.edge import actor
from portal.edge.guard import requires
from portal.edge.reading_guard import reads_status
from portal.errors import NotFound
from portal.media.capacity import has_place_for_recording
from portal.permissions.permission import Permission
from portal.resources.declaring import fields_of
from portal.resources.sessions import (
    ParticipationSchema,
    RoomSessionSchema,
    RoomStatusSchema,
    serialize_participation,
    serialize_room_status,
    serialize_session,
)
from portal.rooms.models import Room
from portal.rooms.room_read import AnyRoom, RoomRead
from portal.scopes import Scope
from portal.status.models import RoomSession, RoomStatus
from portal.status.queries import find_session
from portal.status.room_status_read import AnyRoomStatus, RoomStatusRead
from portal.status.runs import end_session

bp = Blueprint("live", __name__, url_prefix="/rooms/<anyid:room_id>")

TAG = "Status and sessions"
STATUS = Listing(columns={}, tie=RoomStatus.room_uuid, fields=frozenset(fields_of(RoomStatusSchema)))
SESSIONS = listing_of(RoomSessionSchema, RoomSession, order="started_at", sorted_by="desc")
SESSION = Listing(
    columns={},
    tie=RoomSession.uuid,
    fields=SESSIONS.fields,
    includes=("participations",),
    inner={"participations": frozenset(fields_of(ParticipationSchema))},
)


@bp.get("/status")
@endpoint(TAG, scope=Scope.STATUS_READ, returns=RoomStatusSchema, listing=STATUS)
@reads_status
def status(room: RoomRead, stored: RoomStatusRead | None) -> Response:
    """Read the stored snapshot of what is happening in the room, with its age (`checked_at`)."""
    return _status(room, stored, query_params.field_selection(STATUS))


def _status(room: AnyRoom, stored: AnyRoomStatus | None, selection: query_params.FieldSelection) -> Response:
    tag = f"{room.id}-{stored.version if stored else 0}"
    return responses.single(serialize_room_status(room, stored), selection, tag=tag)


@bp.post("/start")
@endpoint(TAG, scope=Scope.ROOMS_WRITE, returns=RoomStatusSchema, listing=STATUS, refusals=(409,))
@requires(Permission.ROOM_MODERATE)
@takes(None)
def start(room: Room) -> Response:
    """Start the room, so that people find it open. One that runs already goes on."""
    selection = query_params.field_selection(STATUS)
    hosting.start(room, by=actor.someone(), has_place=has_place_for_recording(room))
    return _status(room, session.get(RoomStatus, room.uuid), selection)


@bp.post("/end")
@endpoint(TAG, scope=Scope.ROOMS_WRITE, returns=RoomStatusSchema, listing=STATUS)
@requires(Permission.ROOM_MODERATE)
@takes(None)
def end(room: Room) -> Response:
    """End what is running in the room: everybody is sent out."""
    selection = query_params.field_selection(STATUS)
    end_session(room, by=actor.someone())
    return _status(room, session.get(RoomStatus, room.uuid), selection)


@bp.get("/sessions")
@endpoint(TAG, scope=Scope.STATUS_READ, returns=RoomSessionSchema, many=True, listing=SESSIONS)
@requires(Permission.REPORTS_VIEW)
def sessions(room: Room) -> Response:
    """List the runs of the room, newest first."""
    asked = query_params.list_query(SESSIONS)
    rows, page = pagination.rows_of(asked, sa.select(RoomSession).where(RoomSession.room_uuid == room.uuid))
    return responses.listing([serialize_session(row[0], room) for row in rows], asked.selection, page)


@bp.get("/sessions/<anyid:session_id>")
@endpoint(TAG, scope=Scope.STATUS_READ, returns=RoomSessionSchema, listing=SESSION)
@requires(Permission.REPORTS_VIEW)
def session_one(room: Room, session_id: str) -> Response:
    """Read a run of the room, with `include=participations` who took part in it."""
    selection, run = query_params.field_selection(SESSION), find_session(room, session_id)
    if run is None:
        raise NotFound
    data = serialize_session(run, room)
    if selection.wants("participations"):
        people = [
            selection.select_inner("participations", serialize_participation(one)) for one in participations_of(run)
        ]
        data["participations"] = {"data": people}
    return responses.single(data, selection, tag=run.id)
