"""The status of a room, its runs, and who took part in them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from portal.admission.case import Reason
from portal.admission.participations import ParticipationDetails, participation_details
from portal.moments import iso_datetime
from portal.providers.base import LiveState
from portal.resources.columns import Column
from portal.resources.declaring import Id, IdentifiedResource, Included, Read, Resource, serializer
from portal.rooms.kinds import kind_of
from portal.rooms.models import Role, Room
from portal.rooms.room_read import AnyRoom
from portal.status.models import Ending, Participation, RoomSession, Source
from portal.status.room_status_read import AnyRoomStatus
from portal.subscriptions.provider_models import ServiceType
from portal.videos.totals import LABELS, Totals, totals_of

_API_STATUS = {LiveState.LIVE: "active", LiveState.ENDING: "active"}


def _checked_at(room: AnyRoom, status: AnyRoomStatus | None) -> str | None:
    return iso_datetime(status.checked_at if status else room.created_at)


def _counts(room: AnyRoom, status: AnyRoomStatus | None) -> dict[str, Any]:
    """The figures of a room: all that its type always has, and what else its service tells."""
    always = dict.fromkeys(kind_of(room).counts, 0)
    return always | (status.counts if status else {})


def _labels(room: AnyRoom, status: AnyRoomStatus | None) -> dict[str, str]:
    known = {key: str(label) for key, label in LABELS.items()} if room.room_type is ServiceType.VIDEO else {}
    return known | (dict(status.labels) if status else {})


class RoomStatusSchema(IdentifiedResource):
    """The stored snapshot of what is happening in a room. `id` is the room's."""

    object: Literal["RoomStatus"]
    updated_at: Annotated[datetime, Read(_checked_at)]
    status: Annotated[
        Literal["active", "inactive"],
        Read(lambda _, status: _API_STATUS.get(status.state, "inactive") if status else "inactive"),
    ]
    state: Annotated[LiveState, Read(lambda _, status: (status.state if status else LiveState.IDLE).value)]
    since: Annotated[datetime | None, Read(lambda _, status: iso_datetime(status.since) if status else None)]
    stale: Annotated[bool, Read(lambda _, status: status.stale if status else False)]
    source: Annotated[Source, Read(lambda _, status: (status.source if status else Source.ENGINE).value)]
    counts: Annotated[
        dict[str, int | float | None],
        Field(
            description="Figures by key; null where the service does not tell. Rooms of type meet always have "
            "`participants`, `moderators`, `attendees` and `guests`, each a number; those of type video `watching`, "
            "`views`, `hours` (watched, with one digit) and `videos`."
        ),
        Read(_counts),
    ]
    labels: Annotated[
        dict[str, str],
        Field(description="What each figure is called, by its key."),
        Read(_labels),
    ]
    names: Annotated[list[str], Read(lambda _, status: list(status.names) if status else [])]
    last_live_at: Annotated[
        datetime | None, Read(lambda _, status: iso_datetime(status.last_live_at) if status else None)
    ]
    checked_at: Annotated[datetime, Read(_checked_at)]


class ParticipationSchema(Resource):
    """One person's time in a run of a room, and by which link or as which member."""

    object: Literal["Participation"]
    id: Id
    name: str
    role: Role
    token_id: Annotated[Id | None, Read("link_id")]
    token_label: Annotated[str | None, Read("link")]
    member: str | None
    entered_at: datetime
    left_at: datetime | None
    ending: Ending | None


class SessionParticipationSchema(ParticipationSchema):
    """One person's time in a run, with the ids of the run and the room: what webhooks tell."""

    session_id: Annotated[Id, Read(lambda _, run: run[0].id)]
    room_id: Annotated[Id, Read(lambda _, run: run[1].id)]


class RefusedVisitSchema(Resource):
    """Somebody who wanted to come in and was refused, or has to wait: what webhooks tell. `id` is the room's."""

    object: Literal["Room"]
    id: Id
    room_id: Id
    role: Role
    reason: Reason | Literal["wait"]


class RoomSessionSchema(IdentifiedResource):
    """One run of a room."""

    object: Literal["RoomSession"]
    id: Annotated[Id, Column(RoomSession.id)]
    created_at: Annotated[datetime, Read("started_at")]
    updated_at: Annotated[datetime, Read(lambda run, _: iso_datetime(run.ended_at or run.started_at))]
    room_id: Annotated[Id, Read(lambda _, room: room.id)]
    started_at: Annotated[datetime, Column(RoomSession.started_at)]
    ended_at: Annotated[datetime | None, Column(RoomSession.ended_at)]
    most: Annotated[int, Field(description="How many people were in at the same time, at most.")]
    participations: Included[list[ParticipationSchema]] | None = None


_serialize_status, _serialize_session = serializer(RoomStatusSchema), serializer(RoomSessionSchema)
_serialize_participation, _serialize_in_session = (
    serializer(ParticipationSchema),
    serializer(SessionParticipationSchema),
)


def serialize_room_status(room: AnyRoom, status: AnyRoomStatus | None, totals: Totals | None = None) -> dict[str, Any]:
    """The stored snapshot of a room's status. A room that was never used has none: it is idle since its creation.

    Of several rooms the caller reads the `totals` at once.
    """
    shown = _serialize_status(room, status)
    shown["counts"] |= totals_of(room) if totals is None else totals
    return shown


def serialize_session(run: RoomSession, room: Room) -> dict[str, Any]:
    """One run of a room."""
    return _serialize_session(run, room)


def serialize_participation(details: ParticipationDetails) -> dict[str, Any]:
    """One person's time in a run. The device is left out, because it is private."""
    return _serialize_participation(details)


def serialize_participation_in(participation: Participation, room: Room) -> dict[str, Any]:
    """One person's time in a run of this room, with the ids of both."""
    return _serialize_in_session(participation_details(participation), (participation.run, room))
