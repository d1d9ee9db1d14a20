"""The features of a room that are in force: the subscription's values, narrowed by the room's, never widened.

A room's value counts if the subscription has the feature and the room asks for the same or less; otherwise it
is ignored, which is not an error, and the reason is shown. So a room may keep a value that is ignored today and
counts once its plan grows. (The rule is that of the platform whose API the portal follows.)

The service behind the room may be unable to do what plan and room grant, or hold fewer people. That changes no value;
the row says so.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from portal.errors import Invalid, Message
from portal.providers.base import Adapter
from portal.rooms.kinds import KINDS
from portal.rooms.protocols import RoomLike
from portal.subscriptions.feature_catalog import FEATURES, LARGEST, Feature, Value, api_value, whole
from portal.subscriptions.provider_models import ServiceType
from portal.subscriptions.services import adapter_of


@dataclass(frozen=True)
class EffectiveFeature:
    """One feature of a room: the plan's value, the room's, the one in force (`used_value`), and why.

    None for `subscription_value` or `used_value` of a number means unlimited. `room_value` is as the room stores it:
    None when not set, True for a number that should be unlimited. `available`: whether the service behind the
    room can do what the used value grants. `held`: the number that it holds, if that is less than the used value.
    """

    feature: Feature
    subscription_value: Value
    room_value: Any
    used_value: Value
    in_subscription: bool
    in_room: bool
    reason: Message
    available: bool = True
    held: int | None = None

    @property
    def code(self) -> str:
        """The feature's code."""
        return self.feature.code

    @property
    def usable(self) -> bool:
        """Whether the room can have it: plan and service grant it, even if the room itself turned it off."""
        granted = self.subscription_value is None or bool(self.subscription_value)
        used = self.used_value is None or bool(self.used_value)
        return self.available and self.in_subscription and (used or (granted and self.room_value == self.used_value))

    def as_api(self) -> dict[str, Any]:
        """The row as the API writes it: a value that is not there is null, an unlimited one is `true`."""
        return {
            "code": self.code,
            "subscription_value": api_value(self.feature, self.subscription_value) if self.in_subscription else None,
            "room_value": self.room_value,
            "used_value": api_value(self.feature, self.used_value),
            "reason": self.reason,
        }


def effective_features(
    subscription: Mapping[str, Value],
    room: Mapping[str, Any],
    room_type: ServiceType,
    served: Collection[str] | None = None,
) -> dict[str, EffectiveFeature]:
    """Code → row, for every feature of this type of room that the plan has, and for every one that the room names.

    `served`: the codes of the features that the service behind the room offers; None means all.
    """
    return {
        code: _as_served(_judged(feature, subscription, room, room_type), served)
        for code, feature in FEATURES.items()
        if room.get(code) is not None or (code in subscription and room_type in feature.fits)
    }


def features_of(room: RoomLike) -> list[EffectiveFeature]:
    """The rows of `effective_features` for this room."""
    plan, adapter = room.subscription.values, adapter_of(room.subscription.provider)
    rows = effective_features(plan, room.room_features, room.room_type, adapter.features)
    people_limit = KINDS[room.room_type].people_limit
    if adapter.places is not None and people_limit in rows:
        rows[people_limit] = _as_held(rows[people_limit], adapter.places.people)
    return list(rows.values())


def grants(plan: Mapping[str, Value], code: str) -> bool:
    """Whether a plan with these values grants the feature: a switch that is on, or a number of 1 or more."""
    return code in plan and (plan[code] is None or bool(plan[code]))


def narrowable_features(room_type: ServiceType) -> list[Feature]:
    """The features that a room of this type may narrow."""
    return [feature for feature in FEATURES.values() if feature.narrowable and room_type in feature.fits]


def used_limit(subscription: Mapping[str, Value], room: Mapping[str, Any], code: str) -> int | None:
    """The number in force for the feature `code`, or None for unlimited. 0 if the plan lacks the feature."""
    feature = FEATURES[code]
    if code not in subscription:
        return 0
    used = _judged(feature, subscription, room, None).used_value
    return None if used is None else int(used)


def people_limit(
    subscription: Mapping[str, Value], room: Mapping[str, Any], room_type: ServiceType, adapter: Adapter
) -> int | None:
    """How many people may be in a room at most, by plan, room, and what its service holds; None for unlimited.

    Also None for a type of room that counts nobody.
    """
    code = KINDS[room_type].people_limit
    if code is None:
        return None
    limits = used_limit(subscription, room, code), adapter.places.people if adapter.places is not None else None
    return min((most for most in limits if most is not None), default=None)


def merged_features(stored: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`stored` with `changes` laid over it; None removes a code. Raises `Invalid` naming each bad code."""
    result = dict(stored)
    refused: dict[str, Message] = {}
    for code, value in changes.items():
        try:
            checked = checked_override(code, value)
        except Invalid as invalid:
            refused |= invalid.fields
            continue
        if checked is None:
            result.pop(code, None)
        else:
            result[code] = checked
    if refused:
        raise Invalid(**refused)
    return result


def checked_override(code: str, value: object) -> Value:
    """A room's own value for a feature as the room stores it, or None to follow the plan.

    Raises `Invalid` on `room_features.<code>` for an unknown code, and for a value that no feature can have. A value
    of the wrong kind, or a higher one than the plan's, is accepted: `effective_features` ignores it.
    """
    field = f"room_features.{code[:64]}"
    if code not in FEATURES:
        raise Invalid(**{field: Message("There is no feature %(code)s.", code=code[:64])})
    if value is None or isinstance(value, bool):
        return value
    number = whole(value)
    if number is None:
        raise Invalid(
            **{field: Message("Use a whole number from 0 to %(largest)d, true or false.", largest=LARGEST)},
        )
    return number


def _as_served(row: EffectiveFeature, served: Collection[str] | None) -> EffectiveFeature:
    granted = row.used_value is None or bool(row.used_value)
    if served is None or not row.feature.by_service or row.code in served or not granted:
        return row
    return replace(row, available=False, reason=Message("The service behind the room does not offer it"))


def _as_held(row: EffectiveFeature, most: int) -> EffectiveFeature:
    if row.used_value is not None and row.used_value <= most:
        return row
    return replace(row, held=most, reason=Message("The service behind the room holds %(most)d people", most=most))


def _judged(
    feature: Feature, subscription: Mapping[str, Value], room: Mapping[str, Any], room_type: ServiceType | None
) -> EffectiveFeature:
    code = feature.code
    granted, asked = subscription.get(code), room.get(code)
    in_plan, in_room = code in subscription, asked is not None

    def row(used: Value, reason: Message) -> EffectiveFeature:
        return EffectiveFeature(feature, granted, asked, used, in_plan, in_room, reason)

    if room_type is not None and room_type not in feature.fits:
        return row(0 if feature.numeric else False, Message("Not for this type of room"))
    if not in_plan:
        return row(0 if feature.numeric else False, Message("Not in the plan"))
    if not in_room:
        return row(granted, Message("From the plan"))
    if not feature.narrowable:
        return row(granted, Message("A room cannot change this"))
    return row(*(_number(granted, asked) if feature.numeric else _switch(granted, asked)))


def _number(granted: Value, asked: object) -> tuple[Value, Message]:
    same, more = Message("Same as the plan"), Message("The room asks for more than the plan gives")
    if asked is True:  # unlimited
        return granted, same if granted is None else more
    if isinstance(asked, bool) or not isinstance(asked, int):
        return granted, Message("The room's value is of another kind and is ignored")
    if granted is not None and asked >= granted:
        return granted, same if asked == granted else more
    return asked, Message("Lowered for this room")


def _switch(granted: Value, asked: object) -> tuple[Value, Message]:
    if not isinstance(asked, bool):
        return granted, Message("The room's value is of another kind and is ignored")
    if asked and not granted:
        return granted, Message("The plan has it switched off")
    return asked, Message("Same as the plan") if asked == granted else Message("Switched off for this room")
