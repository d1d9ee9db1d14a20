"""What a room is, as parameters of `create`: by tables of all that is ever sent, so that nobody adds another.

Whatever a person wrote is sent as text: servers show HTML in messages, and fill in `%%CONFNAME%%` and the like, so both
are escaped. A number that limits nothing
is left out, because 0 would mean the same. Nothing is recorded unless a feature of the room says so.
"""

from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import quote_plus

from portal.providers.base import ProviderError, RunRequest
from portal.providers.bigbluebutton.settings import AUTO_START, START_STOP, is_recorded
from portal.providers.bigbluebutton.signing import query_of

NAME_UNITS, SHORTEST_NAME = 64, 2
"""Of a name in UTF-16, as servers count."""
LONGEST_MESSAGE = 2_300
"""Bytes of a message in the query: with two of them it stays within what servers take in one line."""
_LONGEST_BANNER = 900
_LONGEST_FILE_NAME = 300
_PRESENTATION, _PRESENTATION_NAME = "preUploadedPresentation", "preUploadedPresentationName"

_SWITCHES: Mapping[str, str] = {
    "mute_on_start": "muteOnStart",
    "webcams_only_for_moderator": "webcamsOnlyForModerator",
    "allow_mods_to_unmute_users": "allowModsToUnmuteUsers",
    "allow_mods_to_eject_cameras": "allowModsToEjectCameras",
    "disable_cam": "lockSettingsDisableCam",
    "disable_mic": "lockSettingsDisableMic",
    "disable_notes": "lockSettingsDisableNotes",
    "hide_viewers_cursor": "lockSettingsHideViewersCursor",
    "hide_user_list": "lockSettingsHideUserList",
    "end_when_no_moderator": "endWhenNoModerator",
}
_NUMBERS: Mapping[str, str] = {
    "user_camera_cap": "userCameraCap",
    "meeting_camera_cap": "meetingCameraCap",
}
_MESSAGES: Mapping[str, str] = {"welcome_message": "welcome", "moderator_only_message": "moderatorOnlyMessage"}
_DISABLED_BY_SETTING: Mapping[str, str] = {
    "camera_as_content": "cameraAsContent",
    "external_videos": "externalVideos",
}
_DISABLED_BY_FEATURE: Mapping[str, str] = {
    "public_chat": "chat",
    "private_chat": "privateChat",
    "screen_sharing": "screenshare",
}
_LOCKED_BY_FEATURE: Mapping[str, str] = {
    "public_chat": "lockSettingsDisablePublicChat",
    "private_chat": "lockSettingsDisablePrivateChat",
}
_GUESTS: Mapping[str, str] = {"accept": "ALWAYS_ACCEPT", "ask": "ASK_MODERATOR", "refuse": "ALWAYS_DENY"}
_LIMITS: Mapping[str, str] = {"max_participants": "maxParticipants", "max_duration": "duration"}


def parameters_of(request: RunRequest, *, beside: Mapping[str, str] | None = None) -> dict[str, str]:
    """The parameters of a room but for its id, passwords and addresses. Raises `ProviderError` if it holds nobody.

    A presentation among those `beside` them takes its place in the query from the messages.
    """
    settings, limits = request.settings, request.limits
    longest = LONGEST_MESSAGE - _place_of_presentation(beside or {}) // len(_MESSAGES)
    sent = {"name": meeting_name(request.room_name)}
    sent |= {theirs: _word(settings[ours]) for ours, theirs in _SWITCHES.items()}
    sent |= {theirs: str(settings[ours]) for ours, theirs in _NUMBERS.items()}
    sent["guestPolicy"] = _GUESTS[settings["guest_policy"]]
    sent["meetingLayout"] = settings["meeting_layout"]
    sent |= {theirs: message_of(settings[ours], longest) for ours, theirs in _MESSAGES.items() if settings[ours]}
    sent |= {theirs: str(limits[ours]) for ours, theirs in _LIMITS.items() if _limits(limits, ours)}
    if settings["end_when_no_moderator"]:
        sent["endWhenNoModeratorDelayInMinutes"] = str(settings["end_when_no_moderator_timeout"])
    if settings["banner_text"]:
        sent["bannerText"] = _cut(_without_controls(settings["banner_text"]), _LONGEST_BANNER)
        sent["bannerColor"] = settings["banner_color"]
    sent |= {theirs: "true" for ours, theirs in _LOCKED_BY_FEATURE.items() if limits.get(ours) is False}
    disabled = [word for ours, word in _DISABLED_BY_SETTING.items() if not settings[ours]]
    disabled += [word for ours, word in _DISABLED_BY_FEATURE.items() if limits.get(ours) is False]
    if disabled:
        sent["disabledFeatures"] = ",".join(disabled)
    return sent | _recording(request)


_NOT_RECORDED = {"record": "false", "autoStartRecording": "false", "allowStartStopRecording": "false"}


def _recording(request: RunRequest) -> dict[str, str]:
    if not is_recorded(request.settings, request.limits):
        return _NOT_RECORDED
    return {
        "record": "true",
        "autoStartRecording": _word(request.settings.get(AUTO_START)),
        "allowStartStopRecording": _word(request.settings.get(START_STOP)),
        "notifyRecordingIsOn": _word(request.settings.get("notify_recording_is_on")),
    }


def meeting_name(room_name: str) -> str:
    """A room's name as servers take it: printable, of at least 2 and at most 64 characters, none of them halved."""
    name = _without_controls(room_name)
    while len(name.encode("utf-16-le")) > 2 * NAME_UNITS:
        name = name[:-1].rstrip()
    return name if len(name) >= SHORTEST_NAME else f"Room {name}".strip()


def presentation_parameters(name: str, url: str) -> dict[str, str]:
    """The parameters by which a server fetches a presentation. By the end of its name it knows what that is."""
    stem, _, end = _without_controls(name).rpartition(".")
    return {_PRESENTATION: url, _PRESENTATION_NAME: f"{_cut(stem, _LONGEST_FILE_NAME)}.{end}"}


def _place_of_presentation(parameters: Mapping[str, str]) -> int:
    """How many bytes of the query the presentation takes, if there is one."""
    its = {name: value for name, value in parameters.items() if name in {_PRESENTATION, _PRESENTATION_NAME}}
    return len(query_of(its)) + 1


def message_of(text: str, longest: int = LONGEST_MESSAGE) -> str:
    """A message, escaped, with its lines; cut where it would take more than `longest` bytes, with three dots."""
    lines = (_without_controls(line) for line in _cut(text, longest).splitlines())
    return "<br>".join(_escaped(line) for line in lines)


def _escaped(text: str) -> str:
    return escape(text, quote=False).replace("%", "&#37;")


def _without_controls(text: str) -> str:
    return "".join(char if char >= " " else " " for char in text).strip()


def _cut(text: str, longest: int) -> str:
    """As much of the text as takes at most `longest` bytes in a query, in the form in which it is sent."""
    if _weight(text) <= longest:
        return text
    place, left = 0, longest - _weight("…")
    while (left := left - _weight(text[place])) >= 0:
        place += 1
    return f"{text[:place].rstrip()}…"


def _weight(text: str) -> int:
    return len(quote_plus(_escaped(text).replace("\n", "<br>"), safe=""))


def _limits(limits: Mapping[str, Any], code: str) -> bool:
    """Whether there is a limit. Raises `ProviderError` if it is none at all: the server would take 0 for unlimited."""
    if limits.get(code) is None:
        return False
    if limits[code] < 1:
        raise ProviderError(f"the room grants no {code}", permanent=True)
    return True


def _word(value: object) -> str:
    return "true" if value is True else "false"
