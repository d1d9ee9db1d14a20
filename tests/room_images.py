"""A picture of a room that was fetched already."""

from portal.db import session
from portal.rooms.images import FOLDER, ImageState, RoomImage
from portal.rooms.models import Room
from portal.rooms.settings import FEATURED_IMAGE
from portal.storage import storage


def new_image(room: Room) -> RoomImage:
    """The featured picture of this room. Its file is the first bytes of a JPEG."""
    image = RoomImage(
        room_uuid=room.uuid, setting=FEATURED_IMAGE, address="https://example.org/a.png", state=ImageState.READY
    )
    session.add(image)
    session.flush()
    made = storage().workshop("image-made") / str(image.uuid)
    made.write_bytes(b"\xff\xd8\xff")
    storage().publish_made([made], FOLDER)
    return image
