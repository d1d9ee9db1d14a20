"""The fixed catalogue of features: what a plan can grant and a room may narrow.

Unlimited is null in the database and, as on the platform that the source describes, `true` in the API:
`api_value` and `stored_value` translate between the two.
"""

from dataclasses import dataclass

from portal.errors import Invalid, Message
from portal.subscriptions.models import ServiceType

Value = int | bool | None
"""A whole number ≥ 0, a yes or no, or None for an unlimited number."""

LARGEST = 2**53 - 1  # what every JSON reader can hold

_MEET, _LIVE = frozenset({ServiceType.MEET}), frozenset({ServiceType.LIVE})
_VIDEO, _SIMULCAST = frozenset({ServiceType.VIDEO}), frozenset({ServiceType.SIMULCAST})
_EVERY = frozenset(ServiceType)


@dataclass(frozen=True)
class Feature:
    """One feature: a number with a unit, or a yes/no.

    `fits`: the room types for which it means something. `narrowable`: may a room ask for less? `by_service`:
    is it the service behind the room that does it? What is not is done or counted by the portal itself.
    """

    code: str
    label: Message
    kind: type[int] | type[bool]
    fits: frozenset[ServiceType]
    unit: str = ""
    narrowable: bool = True
    by_service: bool = False

    @property
    def numeric(self) -> bool:
        """Whether it is a number, which can be unlimited."""
        return self.kind is int


FEATURES: dict[str, Feature] = {
    feature.code: feature
    for feature in (
        Feature("max_accounts", Message("Accounts"), int, _EVERY, narrowable=False),
        Feature("max_rooms", Message("Rooms"), int, _EVERY, narrowable=False),
        Feature("max_participants", Message("Participants"), int, _MEET),
        Feature("max_viewers", Message("Viewers"), int, _LIVE | _VIDEO),
        Feature("max_outputs", Message("Destinations"), int, _SIMULCAST),
        Feature("max_duration", Message("Duration"), int, _MEET | _LIVE | _SIMULCAST, unit="min"),
        Feature("max_storage", Message("Storage"), int, _MEET | _LIVE | _VIDEO, unit="GB", by_service=True),
        Feature("max_recordings", Message("Recordings"), int, _MEET | _LIVE, by_service=True),
        Feature("record_expiration", Message("Recordings are kept"), int, _MEET | _LIVE, unit="days", by_service=True),
        Feature("recording", Message("Recording"), bool, _MEET | _LIVE, by_service=True),
        Feature("public_chat", Message("Public chat"), bool, _MEET, by_service=True),
        Feature("private_chat", Message("Private chat"), bool, _MEET, by_service=True),
        Feature("screen_sharing", Message("Screen sharing"), bool, _MEET, by_service=True),
        Feature("allow_create_account", Message("Create accounts"), bool, _EVERY, narrowable=False),
        Feature("allow_delete_account", Message("Delete accounts"), bool, _EVERY, narrowable=False),
    )
}


def api_value(feature: Feature, value: Value) -> int | bool:
    """The value of a plan, or one in use, as the API writes it: unlimited is `true`."""
    return True if feature.numeric and value is None else bool(value) if not feature.numeric else int(value or 0)


def stored_value(feature: Feature, value: object) -> Value:
    """A value of a plan as the database keeps it, read from how the API writes it. Raises `Invalid` by code."""
    if feature.numeric and (value is None or value is True):
        return None
    if isinstance(value, bool) and not feature.numeric:
        return value
    if feature.numeric and (number := whole(value)) is not None:
        return number
    words = Message("Use a whole number, or true for unlimited.") if feature.numeric else Message("Use yes or no.")
    raise Invalid(**{feature.code: words})


def whole(value: object) -> int | None:
    """The whole number from 0 up that `value` is, or None: 50.0 counts, True does not."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value <= LARGEST and value == int(value) else None
