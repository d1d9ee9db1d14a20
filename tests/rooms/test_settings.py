"""Settings: declared as data, merged key by key, refused by name."""

from typing import Any

import pytest
from flask import Flask

from portal.errors import Invalid
from portal.providers.base import FieldKind, SettingScope
from portal.rooms.settings import FREE_KEYS, declared, merged_settings, setting_of
from portal.subscriptions.provider_models import ServiceType
from tests.cast import Cast


@pytest.fixture
def merge(app: Flask) -> Any:
    meet = declared(ServiceType.MEET, "mesh")
    return lambda stored, changes: merged_settings(stored, changes, declared=meet)


def test_each_setting_says_what_it_is_who_reads_it_and_where_it_counts(app: Flask) -> None:
    meet = declared(ServiceType.MEET, "mesh")
    assert {name: setting.scope for name, setting in meet.items()} == {
        "description": SettingScope.GLOBAL,
        "featured_image": SettingScope.GLOBAL,
        "hero_image": SettingScope.GLOBAL,
        "wait_for_host": SettingScope.ROOM_TYPE,
        "guest_policy": SettingScope.ROOM_TYPE,
        "mute_on_start": SettingScope.ROOM_TYPE,
        "hide_user_list": SettingScope.ROOM_TYPE,
        "webcams_only_for_moderator": SettingScope.ROOM_TYPE,
        "end_when_no_moderator": SettingScope.ROOM_TYPE,
        "end_when_no_moderator_timeout": SettingScope.ROOM_TYPE,
        "welcome_message": SettingScope.ROOM_TYPE,
        "moderator_only_message": SettingScope.ROOM_TYPE,
    }
    assert set(declared(ServiceType.VIDEO, "mesh")) == {
        "description", "featured_image", "hero_image", "ask_name", "allow_download",
    }  # fmt: skip
    for setting in meet.values():
        assert setting.label
        assert setting.help
        assert setting.read_by
        assert isinstance(setting.default, bool) is (setting.kind is FieldKind.SWITCH)
        assert (setting.default in [word for word, _label in setting.choices]) is (setting.kind is FieldKind.CHOICE)


def test_writes_merge_and_null_removes(merge: Any) -> None:
    stored = {"description": "Old", "wait_for_host": True, "x_theme": "blue"}
    assert merge(stored, {"description": None, "guest_policy": "refuse", "x_size": 3}) == {
        "wait_for_host": True,
        "x_theme": "blue",
        "guest_policy": "refuse",
        "x_size": 3,
    }
    assert merge(stored, {"x_theme": None, "wait_for_host": False}) == {"description": "Old", "wait_for_host": False}
    assert stored["description"] == "Old"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nonsense", "x"),
        ("banner_text", "of another provider"),
        ("X_upper", "x"),
        ("description", 5),
        ("description", "x" * 2001),
        ("description", "a\x00b"),
        ("description", "\ud800"),
        ("wait_for_host", "yes"),
        ("wait_for_host", 1),
        ("guest_policy", "perhaps"),
        ("guest_policy", True),
        ("mute_on_start", "on"),
        ("hero_image", "ftp://example.org/a.png"),
        ("hero_image", "javascript:alert(1)"),
        ("hero_image", "data:image/png;base64,AAAA"),
        ("hero_image", "//example.org/a.png"),
        ("hero_image", "/a.png"),
        ("hero_image", "https://"),
        ("hero_image", "https://user:secret@example.org/a.png"),
        ("hero_image", "https://user@example.org/a.png"),
        ("hero_image", "https://example.org/a b.png"),
        ("hero_image", "https://example.org\\@evil.example/a.png"),
        ("hero_image", "https://[::1/a.png"),
        ("hero_image", "https://example.org:99999/"),
        ("hero_image", "https://example.org/" + "x" * 2000),
        ("featured_image", ["https://example.org/a.png"]),
        ("x_list", [1]),
        ("x_map", {"a": 1}),
        ("x_long", "x" * 2001),
        ("x_" + "k" * 99, "key too long"),
        ("x_\n", "key not visible"),
        ("x_nan", float("nan")),
        ("x_huge", 10**2000),
    ],
)
def test_what_makes_no_sense_is_refused_naming_the_key(merge: Any, name: str, value: object) -> None:
    with pytest.raises(Invalid) as refused:
        merge({}, {name: value, "description": "Fine"} if name != "description" else {name: value})
    (field,) = refused.value.fields
    assert field == f"room_settings.{name[:100]}"


@pytest.mark.parametrize(
    "address", ["https://example.org/a.png", "http://[::1]:8080/x?y=1#z", "https://bücher.example/ü"]
)
def test_addresses_of_pictures_are_kept_as_they_came(merge: Any, address: str) -> None:
    assert merge({}, {"featured_image": address}) == {"featured_image": address}


@pytest.mark.parametrize("value", ["text", 0, -7, 1.5, True, False])
def test_what_begins_with_x_is_carried_and_not_understood(merge: Any, value: object) -> None:
    assert merge({}, {"x_anything.at-all": value}) == {"x_anything.at-all": value}


def test_a_room_carries_at_most_fifty_of_them(merge: Any) -> None:
    full = merge({}, {f"x_{number}": number for number in range(FREE_KEYS)})
    assert merge(full, {"x_0": None, "x_more": 1})["x_more"] == 1
    with pytest.raises(Invalid):
        merge(full, {"x_more": 1})


def test_several_refusals_are_told_together_and_a_text_of_spaces_removes_its_key(merge: Any) -> None:
    with pytest.raises(Invalid) as refused:
        merge({}, {"nonsense": 1, "wait_for_host": 1, "x_list": [], "description": "Fine"})
    assert set(refused.value.fields) == {f"room_settings.{name}" for name in ("nonsense", "wait_for_host", "x_list")}
    assert merge({"description": "Old"}, {"description": "  "}) == {}


@pytest.mark.usefixtures("in_app")
def test_what_was_set_under_another_declaration_does_not_count(cast: Cast) -> None:
    room = cast.room()
    room.room_settings = {"guest_policy": "of another provider", "mute_on_start": "loud"}
    assert (setting_of(room, "guest_policy"), setting_of(room, "mute_on_start")) == ("accept", False)


@pytest.mark.usefixtures("in_app")
def test_what_is_not_set_has_its_default(cast: Cast) -> None:
    room = cast.room()
    assert (setting_of(room, "guest_policy"), setting_of(room, "mute_on_start")) == ("accept", False)
    room.room_settings = {"guest_policy": "refuse", "mute_on_start": True}
    assert (setting_of(room, "guest_policy"), setting_of(room, "mute_on_start")) == ("refuse", True)
    assert setting_of(room, "auto_start_recording") == ""
