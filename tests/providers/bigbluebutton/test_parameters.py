"""What a room is, as parameters: by tables, as text, and never a 0 for a limit."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from portal.providers.base import FieldKind, ProviderError, RunFile, RunRequest
from portal.providers.bigbluebutton.adapter import SERVER
from portal.providers.bigbluebutton.parameters import meeting_name, message_of, parameters_of
from portal.rooms.settings import BY_ROOM_TYPE
from portal.subscriptions.provider_models import ServiceType
from tests.providers.bigbluebutton.conftest import bound_to
from tests.providers.bigbluebutton.server import BbbServer

DECLARED = {one.name: one for one in (*BY_ROOM_TYPE[ServiceType.MEET], *SERVER.settings)}
NEVER_SENT = {"wait_for_host", "presentation"}
"""What the portal sees to by itself; and a file, which is told of by its address: see test_presentations.py."""
SENT_IF_GRANTED = {"auto_start_recording", "allow_start_stop_recording", "notify_recording_is_on"}


def request(limits: dict[str, Any] | None = None, name: str = "Board", **settings: Any) -> RunRequest:
    return RunRequest(
        room_key="019a1f2e-0000-7000-8000-000000000001",
        room_name=name,
        settings={one.name: one.default for one in DECLARED.values()} | settings,
        limits=limits or {},
        callback_url="https://rooms.example/hooks/abc",
        return_url="https://rooms.example/rooms/x/-/left",
    )


SENT: dict[str, tuple[Any, dict[str, str]]] = {
    "mute_on_start": (True, {"muteOnStart": "true"}),
    "webcams_only_for_moderator": (True, {"webcamsOnlyForModerator": "true"}),
    "allow_mods_to_unmute_users": (True, {"allowModsToUnmuteUsers": "true"}),
    "allow_mods_to_eject_cameras": (True, {"allowModsToEjectCameras": "true"}),
    "disable_cam": (True, {"lockSettingsDisableCam": "true"}),
    "disable_mic": (True, {"lockSettingsDisableMic": "true"}),
    "disable_notes": (True, {"lockSettingsDisableNotes": "true"}),
    "hide_viewers_cursor": (True, {"lockSettingsHideViewersCursor": "true"}),
    "hide_user_list": (True, {"lockSettingsHideUserList": "true"}),
    "end_when_no_moderator": (True, {"endWhenNoModerator": "true", "endWhenNoModeratorDelayInMinutes": "1"}),
    "user_camera_cap": (5, {"userCameraCap": "5"}),
    "meeting_camera_cap": (9, {"meetingCameraCap": "9"}),
    "welcome_message": ("Hello", {"welcome": "Hello"}),
    "moderator_only_message": ("Psst", {"moderatorOnlyMessage": "Psst"}),
    "meeting_layout": ("VIDEO_FOCUS", {"meetingLayout": "VIDEO_FOCUS"}),
    "banner_text": ("Look", {"bannerText": "Look", "bannerColor": "#FF0000"}),
    "camera_as_content": (False, {"disabledFeatures": "cameraAsContent"}),
    "external_videos": (False, {"disabledFeatures": "externalVideos"}),
    "guest_policy": ("ask", {"guestPolicy": "ASK_MODERATOR"}),
}
TOGETHER: dict[str, tuple[dict[str, Any], Any, dict[str, str]]] = {
    "end_when_no_moderator_timeout": ({"end_when_no_moderator": True}, 7, {"endWhenNoModeratorDelayInMinutes": "7"}),
    "banner_color": ({"banner_text": "Look"}, "#00FF00", {"bannerColor": "#00FF00"}),
}


@pytest.mark.parametrize("name", sorted(set(DECLARED) - NEVER_SENT - SENT_IF_GRANTED))
def test_each_setting_that_a_room_can_choose_reaches_the_server(name: str) -> None:
    others: dict[str, Any] = TOGETHER[name][0] if name in TOGETHER else {}
    value, expected = TOGETHER[name][1:] if name in TOGETHER else SENT[name]
    before, after = parameters_of(request(None, **others)), parameters_of(request(None, **others, **{name: value}))
    assert {key: after[key] for key in after if before.get(key) != after[key]} == expected


def test_defaults_are_those_of_the_server() -> None:
    assert parameters_of(request()) == {
        "name": "Board",
        "muteOnStart": "false",
        "webcamsOnlyForModerator": "false",
        "allowModsToUnmuteUsers": "false",
        "allowModsToEjectCameras": "false",
        "lockSettingsDisableCam": "false",
        "lockSettingsDisableMic": "false",
        "lockSettingsDisableNotes": "false",
        "lockSettingsHideViewersCursor": "false",
        "lockSettingsHideUserList": "false",
        "endWhenNoModerator": "false",
        "userCameraCap": "3",
        "meetingCameraCap": "0",
        "meetingLayout": "SMART_LAYOUT",
        "guestPolicy": "ALWAYS_ACCEPT",
        "record": "false",
        "autoStartRecording": "false",
        "allowStartStopRecording": "false",
    }


@pytest.mark.parametrize(("policy", "word"), [("accept", "ALWAYS_ACCEPT"), ("refuse", "ALWAYS_DENY")])
def test_the_other_guest_policies(policy: str, word: str) -> None:
    assert parameters_of(request(guest_policy=policy))["guestPolicy"] == word


def test_every_layout_that_can_be_chosen_is_a_word_of_the_server() -> None:
    [layout] = [one for one in SERVER.settings if one.name == "meeting_layout"]
    assert layout.kind is FieldKind.CHOICE
    for word, _label in layout.choices:
        assert parameters_of(request(meeting_layout=word))["meetingLayout"] == word


def test_features_that_are_off_are_disabled_and_locked() -> None:
    off = {"public_chat": False, "private_chat": False, "screen_sharing": False}
    sent = parameters_of(request(off, camera_as_content=False))
    assert sent["disabledFeatures"] == "cameraAsContent,chat,privateChat,screenshare"
    assert (sent["lockSettingsDisablePublicChat"], sent["lockSettingsDisablePrivateChat"]) == ("true", "true")
    on = parameters_of(request(dict.fromkeys(off, True)))
    assert "disabledFeatures" not in on
    assert not any("Chat" in name for name in on)


WORDS_OF_RECORDING = ("record", "autoStartRecording", "allowStartStopRecording")


@pytest.mark.parametrize(
    ("limits", "settings"),
    [
        ({}, {}),
        ({"recording": False}, {"auto_start_recording": True, "allow_start_stop_recording": True}),
        ({"recording": None}, {"auto_start_recording": True}),
        ({"recording": True}, {"auto_start_recording": False, "allow_start_stop_recording": False}),
    ],
)
def test_nothing_is_recorded_that_is_not_granted_or_that_nobody_could_begin(
    limits: dict[str, Any], settings: dict[str, Any]
) -> None:
    sent = parameters_of(request(limits, **settings))
    assert {sent[one] for one in WORDS_OF_RECORDING} == {"false"}


@pytest.mark.parametrize(("auto", "by_hand"), [(True, True), (True, False), (False, True)])
def test_what_is_granted_is_recorded_as_the_room_says(auto: bool, by_hand: bool) -> None:
    settings: dict[str, Any] = {"auto_start_recording": auto, "allow_start_stop_recording": by_hand}
    sent = parameters_of(request({"recording": True}, **settings))
    assert [sent[one] for one in WORDS_OF_RECORDING] == ["true", str(auto).lower(), str(by_hand).lower()]
    assert sent["notifyRecordingIsOn"] == "false"
    assert parameters_of(request({"recording": True}, notify_recording_is_on=True))["notifyRecordingIsOn"] == "true"


@pytest.mark.parametrize(
    ("limits", "settings", "contradict"),
    [
        ({}, {}, False),
        ({"recording": True}, {}, False),
        ({"recording": True}, {"allow_start_stop_recording": False}, True),
        ({"recording": True}, {"allow_start_stop_recording": False, "auto_start_recording": True}, False),
        ({"recording": False}, {"allow_start_stop_recording": False}, False),
        ({}, {"user_camera_cap": 5, "meeting_camera_cap": 4}, True),
        ({}, {"user_camera_cap": 5}, False),
        ({}, {"meeting_camera_cap": 1}, False),
    ],
)
def test_only_what_cannot_come_true_contradicts(
    limits: dict[str, Any], settings: dict[str, Any], contradict: bool
) -> None:
    values = request(limits, **settings)
    assert any(one.holds(values.settings, values.limits) for one in SERVER.contradictions) is contradict


def test_limits_are_sent_if_there_are_any() -> None:
    sent = parameters_of(request({"max_participants": 25, "max_duration": 90, "max_rooms": 3}))
    assert (sent["maxParticipants"], sent["duration"]) == ("25", "90")
    unlimited = parameters_of(request({"max_participants": None, "max_duration": None}))
    assert {"maxParticipants", "duration"}.isdisjoint(unlimited)


@pytest.mark.parametrize("code", ["max_participants", "max_duration"])
def test_a_limit_of_nothing_is_not_sent_because_servers_take_it_for_none(code: str) -> None:
    with pytest.raises(ProviderError) as raised:
        parameters_of(request({code: 0}))
    assert raised.value.permanent


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("Board", "Board"),
        ("A", "Room A"),
        ("", "Room"),
        ("  spaced  ", "spaced"),
        ("tab\tand\x00nul", "tab and nul"),
        ("x" * 100, "x" * 64),
        ("😀" * 40, "😀" * 32),
        ("x" + "😀" * 40, "x" + "😀" * 31),
        ("Äpfel & Birnen's (neu)!", "Äpfel & Birnen's (neu)!"),
    ],
)
def test_a_name_is_made_to_fit_without_halving_a_character(name: str, sent: str) -> None:
    assert meeting_name(name) == sent
    assert 2 <= len(sent.encode("utf-16-le")) // 2 <= 64


def test_messages_are_text_and_keep_their_lines() -> None:
    assert message_of('<b>Hi</b> & "you"\n<script>') == '&lt;b&gt;Hi&lt;/b&gt; &amp; "you"<br>&lt;script&gt;'


def test_a_short_message_is_whole_and_a_long_one_ends_in_dots() -> None:
    assert message_of("x" * 2000) == "x" * 2000
    cut = message_of("日" * 2000)
    assert cut.endswith("日…")
    assert 2000 < len(urlencode({"": cut})) <= 2400


ADDRESS = f"https://conferences.of-a-long-name.example/presentations/1111111111/presentation.pdf?{'x' * 95}"


@pytest.mark.parametrize("files", [{}, {"presentation": RunFile(f"{'日' * 100}.pdf", ADDRESS)}], ids=["bare", "file"])
@pytest.mark.parametrize("char", ["日", "😀", "<", "&", "\n", "x"])
def test_the_longest_room_still_fits_into_an_address(server: BbbServer, char: str, files: dict[str, RunFile]) -> None:
    long = {one.name: char * one.longest for one in DECLARED.values() if one.kind is FieldKind.TEXT}
    assert {"welcome_message", "moderator_only_message", "banner_text"} <= set(long)
    off = dict.fromkeys(("public_chat", "private_chat", "screen_sharing"), False)
    limits = off | {"max_participants": 1000, "max_duration": 100_000}
    asked = request(limits, name=char * 100, camera_as_content=False, external_videos=False, **long)
    bound_to(server).start(replace(asked, files=files))
    assert len(server.queries[0]) < 7_900
    assert "welcome" in server.only().sent or char == "\n"
    assert (server.only().sent.get("preUploadedPresentationName", ".pdf")).endswith(".pdf")
