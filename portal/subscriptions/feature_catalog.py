"""The fixed catalogue of features: the limits and switches that a plan can grant and a room may narrow.

An unlimited number is null in the database and `true` in the API, as on the platform whose API the portal
follows: `api_value` and `stored_value` translate between the two.
"""

from dataclasses import dataclass

from portal.errors import Invalid, Message
from portal.subscriptions.provider_models import ServiceType

Value = int | bool | None
"""The value of a feature: a whole number ≥ 0, a boolean, or None for an unlimited number."""

RECORDING, MAX_RECORDINGS = "recording", "max_recordings"

LARGEST = 2**53 - 1  # what every JSON reader can hold

_MEET, _LIVE = frozenset({ServiceType.MEET}), frozenset({ServiceType.LIVE})
_VIDEO, _SIMULCAST = frozenset({ServiceType.VIDEO}), frozenset({ServiceType.SIMULCAST})
_EVERY = frozenset(ServiceType)


@dataclass(frozen=True)
class Feature:
    """One feature: a number with a unit, or a boolean.

    `fits`: the types of rooms that have it. `narrowable`: whether a room may ask for less than its plan. `by_service`:
    whether the service behind the room provides it; if not, the portal itself counts or provides it.
    `unlimited_if_missing`: whether a plan that says nothing about it does not limit it, instead of granting none.
    `part_of`: the code of the feature of which it is a limit; empty for one that stands by itself.
    """

    code: str
    label: Message
    kind: type[int] | type[bool]
    fits: frozenset[ServiceType]
    unit: str = ""
    narrowable: bool = True
    by_service: bool = False
    unlimited_if_missing: bool = False
    part_of: str = ""

    @property
    def numeric(self) -> bool:
        """Whether its value is a number, which can be unlimited."""
        return self.kind is int


FEATURES: dict[str, Feature] = {
    feature.code: feature
    for feature in (
        Feature("max_accounts", Message("Accounts"), int, _EVERY, narrowable=False, unlimited_if_missing=True),
        Feature("max_rooms", Message("Rooms"), int, _EVERY, narrowable=False),
        Feature("max_participants", Message("Participants"), int, _MEET),
        Feature("max_viewers", Message("Viewers"), int, _LIVE | _VIDEO),
        Feature("max_outputs", Message("Destinations"), int, _SIMULCAST),
        Feature(
            "max_duration",
            Message("Duration"),
            int,
            _MEET | _LIVE | _SIMULCAST,
            unit="min",
            unlimited_if_missing=True,
        ),
        Feature("max_storage", Message("Storage"), int, _MEET | _LIVE | _VIDEO, unit="GB", by_service=True),
        Feature(MAX_RECORDINGS, Message("Recordings"), int, _MEET | _LIVE, by_service=True, part_of=RECORDING),
        Feature(
            "record_expiration",
            Message("Recordings are kept"),
            int,
            _MEET | _LIVE,
            unit="days",
            by_service=True,
            part_of=RECORDING,
        ),
        Feature(RECORDING, Message("Recording"), bool, _MEET | _LIVE, by_service=True),
        Feature("public_chat", Message("Public chat"), bool, _MEET, by_service=True),
        Feature("private_chat", Message("Private chat"), bool, _MEET, by_service=True),
        Feature("screen_sharing", Message("Screen sharing"), bool, _MEET, by_service=True),
        Feature("allow_create_account", Message("Create accounts"), bool, _EVERY, narrowable=False),
        Feature("allow_delete_account", Message("Delete accounts"), bool, _EVERY, narrowable=False),
    )
}


def api_value(feature: Feature, value: Value) -> int | bool:
    """A stored value as the API writes it: an unlimited number is `true`."""
    return True if feature.numeric and value is None else bool(value) if not feature.numeric else int(value or 0)


def stored_value(feature: Feature, value: object) -> Value:
    """A value that the API received, as the database stores it. Raises `Invalid` on the feature's code."""
    if feature.numeric and (value is None or value is True):
        return None
    if isinstance(value, bool) and not feature.numeric:
        return value
    if feature.numeric and (number := whole(value)) is not None:
        return number
    message = Message("Use a whole number, or true for unlimited.") if feature.numeric else Message("Use yes or no.")
    raise Invalid(**{feature.code: message})


def whole(value: object) -> int | None:
    """`value` as a whole number if it is one of 0 or more, else None. 50.0 is one, True is not."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value <= LARGEST and value == int(value) else None
