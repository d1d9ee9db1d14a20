"""The presentations of rooms."""

from typing import Annotated, Any, Literal

from pydantic import Field

from portal.resources.declaring import Id, IdentifiedResource, Read, serializer
from portal.rooms.presentations import RoomPresentation
from portal.rooms.room_read import AnyRoom


class RoomPresentationSchema(IdentifiedResource):
    """The file that the room's service shows from the beginning of each session."""

    object: Literal["RoomPresentation"]
    room_id: Annotated[Id, Read(lambda _, room: room.id)]
    name: str
    type: Annotated[str, Field(description="The media type, by the end of the name."), Read("media_type")]
    size: Annotated[int, Field(description="In bytes.")]


_serialize = serializer(RoomPresentationSchema)


def serialize_presentation(presentation: RoomPresentation, room: AnyRoom) -> dict[str, Any]:
    """The presentation of this room."""
    return _serialize(presentation, room)
