"""What rooms of the type `live` choose for their viewers, whatever service sends them."""

from datetime import datetime

from portal.errors import Message
from portal.providers.base import FieldKind, Setting, SettingScope
from portal.rooms.protocols import RoomColumns

STARTS_AT, WHO_IS_IN = "starts_at", "who_is_in"

LIVE_SETTINGS = (
    Setting(
        name=STARTS_AT,
        kind=FieldKind.MOMENT,
        scope=SettingScope.ROOM_TYPE,
        label=Message("Starts at"),
        help=Message("What viewers read who come before."),
        read_by="watch page",
    ),
    Setting(
        name=WHO_IS_IN,
        kind=FieldKind.CHOICE,
        scope=SettingScope.ROOM_TYPE,
        label=Message("What viewers learn of one another"),
        help=Message("Whether they read how many watch."),
        read_by="watch page",
        default="number",
        choices=(("nothing", Message("Nothing")), ("number", Message("How many watch"))),
    ),
)


def starts_at(room: RoomColumns) -> datetime | None:
    """When a live room says that it starts; None if it does not say."""
    said = room.room_settings.get(STARTS_AT)
    try:
        return datetime.fromisoformat(said) if isinstance(said, str) and said else None
    except ValueError:
        return None


def tells_number(room: RoomColumns) -> bool:
    """Whether viewers of a live room read how many watch."""
    return room.room_settings.get(WHO_IS_IN) != "nothing"
