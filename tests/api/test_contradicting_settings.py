"""Settings that cannot come true: refused at what was changed, on the page and over the API, and offered only to plans."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

import pytest

from portal.db import transaction
from portal.providers.bigbluebutton.parameters import parameters_of
from portal.providers.bigbluebutton.settings import SETTINGS
from portal.status.service_calls import run_request
from portal.subscriptions.granting import set_feature
from portal.subscriptions.service_providers import create_provider
from tests.api.conftest import NewProgram, Program
from tests.cast import Cast, Client

NEVER, MANY, NOT_GRANTED = "Nothing could ever", "One person cannot", "The plan of this room does not grant"
OF_RECORDING = {one.name for one in SETTINGS if one.feature == "recording"}
OFF = {"auto_start_recording": False, "allow_start_stop_recording": False}


@pytest.fixture(autouse=True)
def held_by_bigbluebutton(cast: Cast) -> None:
    """The plan of the board room has such a server, which nobody asks here, and grants recording."""
    with cast.app.app_context(), transaction():
        subscription = cast.room().subscription
        subscription.provider = create_provider(
            provider_name="Conference server",
            provider_type="bigbluebutton",
            properties={"host_url": "https://meet.example/bigbluebutton", "secret": "s"},
        )
    grant(cast, recording=True)


def grant(cast: Cast, *, recording: bool) -> None:
    with cast.app.app_context(), transaction():
        set_feature(cast.room().subscription, code="recording", value=recording)


def store(cast: Cast, **settings: Any) -> None:
    """Store these settings, as if they had been saved before plan or service changed."""
    with cast.app.app_context(), transaction():
        cast.room().room_settings = settings


def kept(cast: Cast) -> dict[str, Any]:
    with cast.app.app_context():
        return dict(cast.room().room_settings)


@pytest.fixture
def alice(program: NewProgram) -> Program:
    return program("alice")


@pytest.fixture
def owner(cast: Cast) -> Client:
    return cast.sign_in("alice")


def saved(
    alice: Program, cast: Cast, features: Mapping[str, Any] | None = None, /, **settings: Any
) -> dict[str, list[str]]:
    """Where a PATCH of the board room is refused, and with which words; empty if it is accepted."""
    answer = alice.patch(f"/rooms/{cast.board}", {"room_settings": settings, "room_features": features or {}})
    return {} if answer.status_code == 200 else answer.json["errors"]


# Never recorded


def test_a_room_that_is_to_be_recorded_cannot_be_set_so_that_it_never_is(alice: Program, cast: Cast) -> None:
    [(field, [words])] = saved(alice, cast, allow_start_stop_recording=False).items()
    assert field == "room_settings.allow_start_stop_recording"
    assert words.startswith(NEVER)
    assert kept(cast) == {}
    assert not saved(alice, cast, allow_start_stop_recording=False, auto_start_recording=True)
    assert list(saved(alice, cast, auto_start_recording=None)) == ["room_settings.auto_start_recording"], "in two steps"
    assert not saved(alice, cast, auto_start_recording=None, allow_start_stop_recording=None)


def test_a_room_that_is_not_to_be_recorded_can_until_it_is(alice: Program, cast: Cast) -> None:
    assert not saved(alice, cast, {"recording": False}, **OFF)
    [(field, [words])] = saved(alice, cast, {"recording": None}).items()
    assert field == "room_features.recording"
    assert words.startswith(NEVER)
    assert not saved(alice, cast, {"recording": None}, auto_start_recording=True)


def test_a_new_room_is_judged_alike(alice: Program) -> None:
    answer = alice.post("/rooms", {"room_name": "Studio", "room_settings": OFF})
    assert answer.status_code == 422, answer.text
    assert list(answer.json["errors"]) == ["room_settings.allow_start_stop_recording"]
    made = alice.post("/rooms", {"room_name": "Studio", "room_settings": OFF, "room_features": {"recording": False}})
    assert made.status_code == 201, made.text


def test_a_room_that_contradicts_already_can_be_changed_elsewhere(
    alice: Program, cast: Cast, owner: Client, path: str
) -> None:
    store(cast, **OFF)
    assert not saved(alice, cast, description="Hello", **OFF), "sent again as it was read"
    assert owner.send(path, room_name="Renamed", active="y", user_camera_cap="3", **SHOWN).status_code == 303
    assert kept(cast) == {"description": "Hello", **OFF}
    assert saved(alice, cast, allow_start_stop_recording=None) == {}
    assert list(saved(alice, cast, allow_start_stop_recording=False)) == ["room_settings.allow_start_stop_recording"]


# Cameras, and what is harmless


@pytest.mark.parametrize(
    ("person", "room", "refused"),
    [(5, 4, True), (4, 4, False), (5, 0, False), (0, 4, False), (None, 2, False), (None, None, False)],
)
def test_one_person_shows_no_more_cameras_than_the_room(
    alice: Program, cast: Cast, person: int | None, room: int | None, refused: bool
) -> None:
    errors = saved(alice, cast, user_camera_cap=person, meeting_camera_cap=room)
    assert list(errors) == (["room_settings.user_camera_cap"] if refused else [])
    assert all(words.startswith(MANY) for [words] in errors.values())


def test_the_refusal_stands_at_what_was_changed(alice: Program, cast: Cast) -> None:
    assert not saved(alice, cast, user_camera_cap=5)
    assert list(saved(alice, cast, meeting_camera_cap=4)) == ["room_settings.meeting_camera_cap"]


@pytest.mark.parametrize(
    "settings",
    [
        {"end_when_no_moderator_timeout": 9},
        {"banner_color": "#00FF00"},
        {"notify_recording_is_on": True},
        {"disable_cam": True, "webcams_only_for_moderator": True, "meeting_layout": "CAMERAS_ONLY"},
        {"disable_mic": True, "allow_mods_to_unmute_users": True},
    ],
)
def test_what_only_waits_for_its_other_half_is_saved(alice: Program, cast: Cast, settings: dict[str, Any]) -> None:
    assert not saved(alice, cast, None, **settings)
    assert kept(cast) == settings


# The page

SHOWN: dict[str, str] = {
    "slug": "board-meeting",
    "description": "Hello",
    "guest_policy": "accept",
    "meeting_layout": "SMART_LAYOUT",
    "banner_color": "#FF0000",
    "end_when_no_moderator_timeout": "1",
    "meeting_camera_cap": "0",
    "camera_as_content": "y",
    "external_videos": "y",
}


@pytest.fixture
def path(cast: Cast) -> str:
    return f"/manage/rooms/{cast.board}/settings"


def test_the_page_says_it_beside_the_field(cast: Cast, owner: Client, path: str) -> None:
    fields = SHOWN | {"room_name": "Board meeting", "active": "y", "user_camera_cap": "9", "meeting_camera_cap": "2"}
    answer = owner.send(path, **fields)
    assert answer.status_code == 422
    page = unescape(answer.text)
    for name, words in (("allow_start_stop_recording", NEVER), ("user_camera_cap", MANY)):
        field = page[page.index(f'id="{name}"') :]
        assert words in field[: field.index("</div>") + 400], name
    assert kept(cast) == {}


# Plans that grant no recording


def test_settings_of_recording_are_offered_only_where_the_plan_grants_it(
    alice: Program, cast: Cast, owner: Client, path: str
) -> None:
    def offered() -> set[str]:
        return set(re.findall(r'name="([^"]+)"', owner.get(path).text))

    with cast.app.app_context(), transaction():
        set_feature(cast.room().subscription, code="max_recordings", value=5)
    limits = {"max_recordings"}
    assert offered() >= OF_RECORDING | limits
    grant(cast, recording=False)
    assert not offered() & (OF_RECORDING | limits)
    for name in OF_RECORDING:
        [(field, [words])] = saved(alice, cast, None, **{name: True}).items()
        assert field == f"room_settings.{name}"
        assert words == f"{NOT_GRANTED} what this needs: Recording."
    errors = alice.post("/rooms", {"room_name": "R", "room_settings": OFF}).json["errors"]
    assert set(errors) == {f"room_settings.{name}" for name in OFF}


def test_what_was_saved_before_has_no_effect_and_can_be_removed(
    alice: Program, cast: Cast, owner: Client, path: str
) -> None:
    store(cast, auto_start_recording=True)
    grant(cast, recording=False)
    with cast.app.app_context():
        room = cast.room()
        assert parameters_of(run_request(room, room.subscription.provider, has_place=True))["record"] == "false"
    sent = SHOWN | {"room_name": "Board meeting", "active": "y", "user_camera_cap": "3"}
    assert owner.send(path, **sent).status_code == 303
    assert not saved(alice, cast, auto_start_recording=True), "sent again as it was read"
    assert kept(cast)["auto_start_recording"] is True, "it counts once the plan grants recording again"
    assert not saved(alice, cast, auto_start_recording=None)


def test_the_page_of_the_api_says_so(owner: Client) -> None:
    page = unescape(owner.get("/api/v1/docs").text)
    assert page.count("whose plan grants “recording”") == len(OF_RECORDING)
    assert page.count(NEVER) == 1, "two types of services declare one list"
