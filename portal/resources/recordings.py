"""The recordings of rooms."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from portal.media.models import Recording, RecordingSource, RecordingVisibility
from portal.providers.base import RecordingState
from portal.resources.columns import Column, worded
from portal.resources.declaring import Id, IdentifiedResource, Read, ResponseModel, serializer
from portal.rooms.room_read import AnyRoom


class RecordingFormatSchema(ResponseModel):
    """One way to watch a recording. `type` is a word of the service that keeps it, such as `video`."""

    type: str
    url: str
    length: Annotated[
        int | None, Field(description="How long it plays, in seconds; null if the service does not tell.")
    ]


class RoomRecordingSchema(IdentifiedResource):
    """A recording of a room."""

    object: Literal["RoomRecording"]
    room_id: Annotated[Id, Read(lambda _, room: room.id)]
    name: Annotated[str, worded(Recording.name)]
    source: Annotated[
        RecordingSource,
        Field(description="What recorded: the service behind the room, a broadcast, or a conference of the portal."),
        Column(Recording.source),
    ]
    state: Annotated[RecordingState, Column(Recording.state)]
    published: Annotated[
        bool, Field(description="Only a published one is seen by others than owners."), Column(Recording.published)
    ]
    visibility: Annotated[
        RecordingVisibility,
        Field(
            description="Who sees it once it is published, besides those with the permission `recordings:view`: "
            "nobody (`owner`), who may see the room (`members`), or also whoever a link lets in (`participants`)."
        ),
        Column(Recording.visibility),
    ]
    started_at: Annotated[datetime, Column(Recording.started_at)]
    ended_at: Annotated[datetime | None, Column(Recording.ended_at)]
    duration: Annotated[int | None, Field(description="How long it plays, in seconds."), Column(Recording.duration)]
    size: Annotated[int | None, Field(description="In bytes; null if nobody knows."), Column(Recording.size)]
    formats: list[RecordingFormatSchema]
    expires_at: Annotated[
        datetime | None,
        Field(description="When the plan's limits delete it (`record_expiration`, `max_recordings`); null: never."),
        Column(Recording.expires_at),
    ]
    error: Annotated[
        str | None,
        Field(description="Why it failed, as a sentence."),
        Read(lambda recording, _: recording.error or None),
    ]


_serialize = serializer(RoomRecordingSchema)


def serialize_recording(recording: Recording, room: AnyRoom) -> dict[str, Any]:
    """A recording of this room."""
    return _serialize(recording, room)
