"""The settings of rooms that a BigBlueButton server obeys beside those that all conferences have.

Those that contradict one another are few. Most that look so are harmless: a colour without a banner, or a time without
a moderator while rooms do not end then, wait for their other half; and of two limits both hold.
"""

from collections.abc import Mapping
from typing import Any

from portal.errors import Message
from portal.providers.base import Contradiction, FieldKind, Setting, SettingScope

READ_BY = "BigBlueButton, when it opens the room"
BANNER_LENGTH = 300
MOST_CAMERAS = 100
PRESENTATION = "presentation"

LAYOUTS = (
    ("SMART_LAYOUT", Message("Fits what is going on")),
    ("CUSTOM_LAYOUT", Message("As each person arranges it")),
    ("PRESENTATION_FOCUS", Message("The presentation is large")),
    ("VIDEO_FOCUS", Message("Cameras are large")),
    ("CAMERAS_ONLY", Message("Cameras only (since version 3.0)")),
    ("PRESENTATION_ONLY", Message("The presentation only (since version 3.0)")),
    ("PARTICIPANTS_AND_CHAT_ONLY", Message("People and chat only (since version 3.0)")),
)


AUTO_START, START_STOP = "auto_start_recording", "allow_start_stop_recording"
PERSON_CAMERAS, ROOM_CAMERAS = "user_camera_cap", "meeting_camera_cap"
DEFAULT_PERSON_CAMERAS = 3
RECORDING = "recording"
"""The feature without which nothing is recorded, whatever is set."""


def is_recorded(settings: Mapping[str, Any], limits: Mapping[str, Any]) -> bool:
    """Whether a meeting may be recorded: that is granted, and begins by itself, or a moderator may begin it."""
    return limits.get(RECORDING) is True and (settings.get(AUTO_START) is True or settings.get(START_STOP) is True)


def _is_never_recorded(settings: Mapping[str, Any], limits: Mapping[str, Any]) -> bool:
    return limits.get(RECORDING) is True and not is_recorded(settings, limits)


def _promises_too_many_cameras(settings: Mapping[str, Any], _limits: Mapping[str, Any]) -> bool:
    """Whether somebody asked for more cameras of one person than the room shows.

    0 is any number that there is room for. The default is nobody's wish, so it may be more.
    """
    person, room = settings[PERSON_CAMERAS], settings[ROOM_CAMERAS]
    return bool(room) and person > room and person != DEFAULT_PERSON_CAMERAS


CONTRADICTIONS = (
    Contradiction(
        settings=(START_STOP, AUTO_START),
        features=(RECORDING,),
        holds=_is_never_recorded,
        words=Message(
            "Nothing could ever be recorded: let recording begin by itself, or let moderators start it. "
            "To record nothing, switch off Recording under the limits of this room."
        ),
    ),
    Contradiction(
        settings=(PERSON_CAMERAS, ROOM_CAMERAS),
        holds=_promises_too_many_cameras,
        words=Message(
            "One person cannot show more cameras than are shown in the room at once. "
            "Allow fewer for one person, or more at once."
        ),
    ),
)


def _switch(name: str, label: Message, explained: Message, *, default: bool = False, feature: str = "") -> Setting:
    return Setting(
        name=name,
        kind=FieldKind.SWITCH,
        scope=SettingScope.PROVIDER,
        label=label,
        help=explained,
        read_by=READ_BY,
        default=default,
        feature=feature,
    )


def _cameras(name: str, label: Message, explained: Message, *, default: int) -> Setting:
    return Setting(
        name=name,
        kind=FieldKind.NUMBER,
        scope=SettingScope.PROVIDER,
        label=label,
        help=explained,
        read_by=READ_BY,
        default=default,
        most=MOST_CAMERAS,
    )


SETTINGS = (
    Setting(
        name=PRESENTATION,
        kind=FieldKind.FILE,
        scope=SettingScope.PROVIDER,
        label=Message("Presentation"),
        help=Message(
            "Shown from the beginning instead of the server's own, since version 2.7. The server fetches it here, by "
            "https."
        ),
        read_by=READ_BY,
    ),
    Setting(
        name="meeting_layout",
        kind=FieldKind.CHOICE,
        scope=SettingScope.PROVIDER,
        label=Message("Layout"),
        help=Message("What is large at first. Moderators can change it."),
        read_by=READ_BY,
        default="SMART_LAYOUT",
        choices=LAYOUTS,
    ),
    Setting(
        name="banner_text",
        kind=FieldKind.TEXT,
        scope=SettingScope.PROVIDER,
        label=Message("Banner"),
        help=Message("A line above the conference that everybody reads. Counts when the room opens next."),
        read_by=READ_BY,
        longest=BANNER_LENGTH,
    ),
    Setting(
        name="banner_color",
        kind=FieldKind.COLOR,
        scope=SettingScope.PROVIDER,
        label=Message("Colour of the banner"),
        help=Message("Behind the line, if there is one."),
        read_by=READ_BY,
        default="#FF0000",
    ),
    _switch(
        AUTO_START,
        Message("Recording begins by itself"),
        Message("As soon as somebody comes in. Counts when the room opens next."),
        feature=RECORDING,
    ),
    _switch(
        START_STOP,
        Message("Moderators may start and stop recording"),
        Message("Otherwise recording begins by itself, and goes on until the end."),
        default=True,
        feature=RECORDING,
    ),
    _switch(
        "notify_recording_is_on",
        Message("Everybody is told when recording begins"),
        Message("A message asks for nothing, but says so to whoever comes in, too. Counts since version 2.6."),
        feature=RECORDING,
    ),
    _switch(
        "allow_mods_to_unmute_users",
        Message("Moderators may switch on microphones of others"),
        Message("Otherwise everybody switches on only the own one."),
    ),
    _switch(
        "allow_mods_to_eject_cameras",
        Message("Moderators may switch off cameras of others"),
        Message("Otherwise everybody switches off only the own one."),
    ),
    _switch(
        "disable_cam",
        Message("Only moderators have cameras"),
        Message("Attendees and guests cannot show theirs. Moderators can allow it in the conference."),
    ),
    _switch(
        "disable_mic",
        Message("Only moderators have microphones"),
        Message("Attendees and guests listen. Moderators can allow them to speak in the conference."),
    ),
    _switch(
        "disable_notes",
        Message("Only moderators write shared notes"),
        Message("Attendees and guests read them."),
    ),
    _switch(
        "hide_viewers_cursor",
        Message("Cursors of attendees are hidden"),
        Message("Attendees and guests do not see one another's cursors on the whiteboard."),
    ),
    _switch(
        "camera_as_content",
        Message("A camera may be the presentation"),
        Message("Whoever presents may show a second camera, of a document, say, in place of slides."),
        default=True,
    ),
    _switch(
        "external_videos",
        Message("Videos of other sites may be shown"),
        Message("Whoever presents may play one for all. Browsers then load it from that site."),
        default=True,
    ),
    _cameras(
        PERSON_CAMERAS,
        Message("Cameras of one person"),
        Message("So many one person may show at once. 0 means as many as there are."),
        default=DEFAULT_PERSON_CAMERAS,
    ),
    _cameras(
        ROOM_CAMERAS,
        Message("Cameras at once"),
        Message("So many may be shown in the room at once. 0 means as many as there are."),
        default=0,
    ),
)
