"""Which limits are in force in a room: the subscription's, narrowed by the room's, never widened.

The rule is the source document's: a room's value counts if the subscription has the feature and the
room asks for the same or less; otherwise it is ignored, which is not an error, and the reason is shown.
So a room may keep a value that is ignored today and counts once its plan grows.

What plan and room grant may still be nothing that the service behind the room can do. That changes no value,
so the source's rule holds with every service, but the row says so.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from portal.errors import Invalid, Message
from portal.rooms.models import Room
from portal.subscriptions.feature_catalog import FEATURES, LARGEST, Feature, Value, api_value, whole
from portal.subscriptions.models import ServiceType
from portal.subscriptions.services import adapter_of


@dataclass(frozen=True)
class EffectiveFeature:
    """One row of the table of limits.

    None for a plan's number, or one in use, means unlimited; a room's value is as the room keeps it:
    None when not set, True for a number that should be unlimited. `available`: can the service behind the
    room do what the used value grants?
    """

    feature: Feature
    subscription_value: Value
    room_value: Any
    used_value: Value
    in_subscription: bool
    in_room: bool
    reason: Message
    available: bool = True

    @property
    def code(self) -> str:
        """The feature's code."""
        return self.feature.code

    def as_api(self) -> dict[str, Any]:
        """The row as the API writes it: null is "not there", unlimited is `true`."""
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
    """Code → row, for every feature of this type of room that the plan has, and all that the room names.

    `served`: what the service behind the room does of that which is for it to do; None stands for all.
    """
    return {
        code: _as_served(_judged(feature, subscription, room, room_type), served)
        for code, feature in FEATURES.items()
        if room.get(code) is not None or (code in subscription and room_type in feature.fits)
    }


def features_of(room: Room) -> list[EffectiveFeature]:
    """The room's table of limits."""
    plan, served = room.subscription.values, adapter_of(room.subscription.provider).features
    return list(effective_features(plan, room.room_features, room.room_type, served).values())


def narrowable_features(room_type: ServiceType) -> list[Feature]:
    """What a room of this type may narrow."""
    return [feature for feature in FEATURES.values() if feature.narrowable and room_type in feature.fits]


def used_limit(subscription: Mapping[str, Value], room: Mapping[str, Any], code: str) -> int | None:
    """The number in force, or None for unlimited. A feature that the plan lacks is 0."""
    feature = FEATURES[code]
    if code not in subscription:
        return 0
    used = _judged(feature, subscription, room, None).used_value
    return None if used is None else int(used)


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
    """A room's own value for a feature as the room keeps it, or None to follow the plan.

    Raises `Invalid` on `room_features.<code>` for an unknown code, and for what is no value of any
    feature. One that is of another kind, or too high, is kept: `effective_features` ignores it.
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
