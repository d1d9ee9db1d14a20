"""Effective features, by the source's own example and our reasons."""

import pytest

from portal.errors import Invalid
from portal.rooms.features import Value, checked_override, effective_features, used_limit


@pytest.mark.parametrize(
    ("code", "plan", "room", "used", "reason"),
    [
        ("max_participants", 100, 50, 50, "Lowered for this room"),  # the source's table
        ("max_duration", 60, None, 60, "From the plan"),
        ("recording", True, None, True, "From the plan"),
        ("max_participants", 25, 40, 25, "The room asks for more than the plan gives"),
        ("max_participants", 25, 25, 25, "Same as the plan"),
        ("max_participants", None, 40, 40, "Lowered for this room"),
        ("max_participants", None, None, None, "From the plan"),
        ("recording", True, False, False, "Switched off for this room"),
        ("recording", False, True, False, "The plan has it switched off"),
        ("recording", True, 1, True, "The room's value is of another kind and is ignored"),
        ("max_participants", 25, True, 25, "The room's value is of another kind and is ignored"),
        ("max_participants", 25, "9", 25, "The room's value is of another kind and is ignored"),
        ("max_rooms", 10, 5, 10, "A room cannot change this"),
    ],
)
def test_used_value_and_reason(code: str, plan: Value, room: object, used: Value, reason: str) -> None:
    row = effective_features({code: plan}, {} if room is None else {code: room})[code]
    assert row.used_value == used
    assert row.reason == reason


def test_a_feature_that_the_plan_lacks_is_not_available() -> None:
    row = effective_features({}, {"public_chat": True})["public_chat"]
    assert (row.used_value, row.reason) == (False, "Not in the plan")
    assert used_limit({}, {"max_participants": 9}, "max_participants") == 0


def test_unlimited_and_zero_never_meet() -> None:
    assert used_limit({"max_participants": None}, {}, "max_participants") is None
    assert used_limit({"max_participants": 0}, {}, "max_participants") == 0


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("max_participants", 0),
        ("max_participants", True),
        ("max_participants", "5"),
        ("recording", 1),
        ("max_rooms", 3),
        ("nonsense", 1),
    ],
)
def test_an_override_that_makes_no_sense_is_refused_by_name(code: str, value: object) -> None:
    with pytest.raises(Invalid) as refused:
        checked_override(code, value)
    assert set(refused.value.fields) == {code}
