"""Which limits are in force in a room: the subscription's, narrowed by the room's, never widened.

The rule is the source document's: a room's value counts if the subscription has the feature and the
room asks for the same or less; otherwise it is ignored, which is not an error, and the reason is shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.errors import Invalid, Message
from portal.subscriptions.catalogue import FEATURES, Feature

Value = int | bool | None
LARGEST = 1_000_000


@dataclass(frozen=True)
class EffectiveFeature:
    """One row of the table of limits. None for a number means unlimited, for a room's value: not set."""

    feature: Feature
    subscription_value: Value
    room_value: Value
    used_value: Value
    in_subscription: bool
    in_room: bool
    reason: Message

    @property
    def code(self) -> str:
        """The feature's code."""
        return self.feature.code


def effective_features(subscription: Mapping[str, Value], room: Mapping[str, Any]) -> dict[str, EffectiveFeature]:
    """Code → row, for every feature that the subscription or the room names."""
    return {
        code: _judged(feature, subscription, room)
        for code, feature in FEATURES.items()
        if code in subscription or code in room
    }


def used_limit(subscription: Mapping[str, Value], room: Mapping[str, Any], code: str) -> int | None:
    """The number in force, or None for unlimited. A feature that the plan lacks is 0."""
    row = effective_features(subscription, room).get(code)
    if row is None or not row.in_subscription:
        return 0
    return None if row.used_value is None else int(row.used_value)


def checked_override(code: str, value: object) -> Value:
    """A room's own value for a feature, or None to follow the plan. Raises `Invalid` naming the code."""
    feature = FEATURES.get(code)
    if feature is None or not feature.narrowable:
        raise Invalid(**{code: Message("A room cannot set this.")})
    if value is None:
        return None
    if feature.kind is bool and isinstance(value, bool):
        return value
    if feature.kind is int and isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= LARGEST:
            raise Invalid(**{code: Message("Use a whole number from 1 to %(largest)d.", largest=LARGEST)})
        return value
    raise Invalid(**{code: Message("Use a whole number.") if feature.kind is int else Message("Use yes or no.")})


def _judged(feature: Feature, subscription: Mapping[str, Value], room: Mapping[str, Any]) -> EffectiveFeature:
    code = feature.code
    granted, asked = subscription.get(code), room.get(code)
    in_plan, in_room = code in subscription, room.get(code) is not None

    def row(used: Value, reason: Message) -> EffectiveFeature:
        return EffectiveFeature(feature, granted, asked, used, in_plan, in_room, reason)

    if not in_plan:
        return row(False if feature.kind is bool else 0, Message("Not in the plan"))
    if not in_room:
        return row(granted, Message("From the plan"))
    if isinstance(asked, bool) is not (feature.kind is bool) or not isinstance(asked, int):
        return row(granted, Message("The room's value is of another kind and is ignored"))
    if not feature.narrowable:
        return row(granted, Message("A room cannot change this"))
    if feature.kind is bool:
        if asked and not granted:
            return row(granted, Message("The plan has it switched off"))
        return row(asked, Message("From the plan") if asked else Message("Switched off for this room"))
    if granted is not None and asked > granted:
        return row(granted, Message("The room asks for more than the plan gives"))
    if asked == granted:
        return row(asked, Message("Same as the plan"))
    return row(asked, Message("Lowered for this room"))
