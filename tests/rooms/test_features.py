"""Effective features, by the source's own example and our reasons."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.errors import Invalid
from portal.rooms.features import (
    checked_override,
    effective_features,
    merged_features,
    narrowable_features,
    used_limit,
)
from portal.subscriptions.feature_catalog import FEATURES, LARGEST, Feature, Value, api_value, stored_value
from portal.subscriptions.provider_models import ServiceType

MEET = ServiceType.MEET
OTHER_KIND = "The room's value is of another kind and is ignored"
NOT_SERVED = "The service behind the room does not offer it"
MORE = "The room asks for more than the plan gives"


@pytest.mark.parametrize(
    ("code", "plan", "room", "used", "reason"),
    [
        ("max_participants", 100, 50, 50, "Lowered for this room"),  # the source's table
        ("max_duration", 60, None, 60, "From the plan"),
        ("recording", True, None, True, "From the plan"),
        ("max_participants", 25, 40, 25, MORE),
        ("max_participants", 25, 25, 25, "Same as the plan"),
        ("max_participants", 25, 0, 0, "Lowered for this room"),
        ("max_participants", None, 40, 40, "Lowered for this room"),
        ("max_participants", None, None, None, "From the plan"),
        ("max_participants", None, True, None, "Same as the plan"),  # true: unlimited
        ("max_participants", 25, True, 25, MORE),
        ("max_participants", 25, False, 25, OTHER_KIND),
        ("max_participants", 25, "9", 25, OTHER_KIND),
        ("recording", True, False, False, "Switched off for this room"),
        ("recording", True, True, True, "Same as the plan"),
        ("recording", False, False, False, "Same as the plan"),
        ("recording", False, True, False, "The plan has it switched off"),
        ("recording", True, 1, True, OTHER_KIND),
        ("recording", True, 0, True, OTHER_KIND),
        ("max_rooms", 10, 5, 10, "A room cannot change this"),
        ("allow_create_account", True, False, True, "A room cannot change this"),
        ("max_outputs", 5, 3, 0, "Not for this type of room"),
    ],
)
def test_used_value_and_reason(code: str, plan: Value, room: object, used: Value, reason: str) -> None:
    row = effective_features({code: plan}, {} if room is None else {code: room}, MEET)[code]
    assert (row.used_value, type(row.used_value)) == (used, type(used))
    assert row.reason == reason


def test_a_feature_that_the_plan_lacks_is_not_available() -> None:
    row = effective_features({}, {"public_chat": True}, MEET)["public_chat"]
    assert (row.used_value, row.reason) == (False, "Not in the plan")
    assert used_limit({}, {"max_participants": 9}, "max_participants") == 0


@pytest.mark.parametrize(
    ("code", "plan", "room", "reason"),
    [
        ("recording", True, None, NOT_SERVED),
        ("max_recordings", None, 4, NOT_SERVED),
        ("max_storage", None, None, NOT_SERVED),
        ("recording", True, False, "Switched off for this room"),  # off is off, whoever could do it
        ("recording", False, None, "From the plan"),
        ("max_participants", 100, 50, "Lowered for this room"),  # the portal counts
        ("max_duration", 60, None, "From the plan"),
    ],
)
def test_what_the_service_cannot_do_is_said_and_changes_no_value(
    code: str, plan: Value, room: object, reason: str
) -> None:
    asked = {} if room is None else {code: room}
    able = effective_features({code: plan}, asked, MEET, served={code})[code]
    unable = effective_features({code: plan}, asked, MEET, served=())[code]
    assert (unable.available, unable.reason) == (reason != NOT_SERVED, reason)
    assert able.available
    assert able.reason != NOT_SERVED
    assert unable.used_value == able.used_value


def test_unlimited_and_zero_never_meet() -> None:
    assert used_limit({"max_participants": None}, {}, "max_participants") is None
    assert used_limit({"max_participants": 0}, {}, "max_participants") == 0
    assert used_limit({"max_participants": None}, {"max_participants": 0}, "max_participants") == 0


def test_the_catalogue_is_the_whole_one_of_the_domain() -> None:
    assert set(FEATURES) == {
        "max_accounts", "max_rooms", "max_participants", "max_duration", "max_storage", "max_recordings",
        "record_expiration", "recording", "private_chat", "public_chat", "screen_sharing",
        "allow_create_account", "allow_delete_account", "max_outputs", "max_viewers",
    }  # fmt: skip
    assert FEATURES["max_outputs"].fits == {ServiceType.SIMULCAST}
    assert FEATURES["max_viewers"].fits == {ServiceType.LIVE, ServiceType.VIDEO}


def test_a_room_shows_what_fits_its_type_and_what_it_names() -> None:
    plan: dict[str, Value] = {code: None if feature.numeric else True for code, feature in FEATURES.items()}
    for kind in ServiceType:
        assert set(effective_features(plan, {}, kind)) == {f.code for f in FEATURES.values() if kind in f.fits}
        assert all(feature.narrowable and kind in feature.fits for feature in narrowable_features(kind))
    assert "max_outputs" in effective_features(plan, {"max_outputs": 1}, MEET)


@pytest.mark.parametrize("value", [-1, 2.5, "5", [], {}, float("nan"), float("inf"), LARGEST + 1])
def test_an_override_that_is_no_value_of_any_feature_is_refused_by_name(value: object) -> None:
    with pytest.raises(Invalid) as refused:
        checked_override("max_participants", value)
    assert set(refused.value.fields) == {"room_features.max_participants"}


def test_unknown_codes_are_refused_each_by_name_and_nothing_is_kept() -> None:
    with pytest.raises(Invalid) as refused:
        merged_features({"recording": False}, {"nonsense": 1, "max_duration": 5, "max_fun": True, "recording": -1})
    assert set(refused.value.fields) == {"room_features.nonsense", "room_features.max_fun", "room_features.recording"}


def test_a_write_keeps_what_does_not_count_today() -> None:
    kept = merged_features({}, {"max_participants": 4000, "recording": 3, "max_rooms": 1, "max_duration": True})
    assert kept == {"max_participants": 4000, "recording": 3, "max_rooms": 1, "max_duration": True}


def test_writes_merge_code_by_code_and_null_removes() -> None:
    stored = {"max_participants": 9, "recording": False}
    assert merged_features(stored, {"max_participants": None, "max_duration": 30.0}) == {
        "recording": False,
        "max_duration": 30,
    }
    assert stored == {"max_participants": 9, "recording": False}


def test_unlimited_is_null_in_the_database_and_true_in_the_api() -> None:
    most, recording = FEATURES["max_participants"], FEATURES["recording"]
    assert api_value(most, None) is True
    assert stored_value(most, True) is None
    assert (api_value(most, 0), stored_value(most, 0)) == (0, 0)
    assert (api_value(recording, True), stored_value(recording, False)) == (True, False)
    row = effective_features({"max_participants": None}, {}, MEET)["max_participants"].as_api()
    assert row == {
        "code": "max_participants",
        "subscription_value": True,
        "room_value": None,
        "used_value": True,
        "reason": "From the plan",
    }
    assert effective_features({}, {"recording": True}, MEET)["recording"].as_api()["subscription_value"] is None


@pytest.mark.parametrize(
    ("code", "value"),
    [("recording", 1), ("recording", None), ("max_rooms", False), ("max_rooms", -1), ("max_rooms", "1")],
)
def test_a_plan_takes_only_values_of_the_features_kind(code: str, value: object) -> None:
    with pytest.raises(Invalid) as refused:
        stored_value(FEATURES[code], value)
    assert set(refused.value.fields) == {code}


numbers, switches = st.none() | st.integers(0, LARGEST), st.booleans()
anything = st.none() | st.booleans() | st.integers(0, LARGEST)


@given(st.sampled_from(sorted(FEATURES)), st.data())
def test_a_room_narrows_and_never_widens(code: str, data: st.DataObject) -> None:
    feature = FEATURES[code]
    granted: Value = data.draw(numbers if feature.numeric else switches)
    asked: Any = data.draw(anything)
    used = effective_features({code: granted}, {code: checked_override(code, asked)}, MEET).get(code)
    if used is None:
        assert asked is None
    else:
        assert _at_most(feature, used.used_value, granted)
        assert used.reason


@given(st.dictionaries(st.sampled_from(sorted(FEATURES)), anything))
def test_what_may_be_written_is_kept_as_it_was_written(changes: dict[str, Any]) -> None:
    kept = merged_features({}, changes)
    assert kept == {code: value for code, value in changes.items() if value is not None}
    assert merged_features(kept, dict.fromkeys(kept)) == {}


def _at_most(feature: Feature, used: Value, granted: Value) -> bool:
    if feature.numeric:
        return granted is None or (used is not None and used <= granted)
    return bool(granted) or not used
