"""The plans that every portal can sell from the start. They need nothing but the portal itself.

A subscription is a copy of the plan that was sold, so a change here changes no customer's subscription.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.subscriptions.feature_catalog import Value
from portal.subscriptions.models import ServiceType


@dataclass(frozen=True)
class Plan:
    """What is sold: rooms of one type on one kind of service, with these values of features (None: unlimited)."""

    name: str
    service_type: ServiceType
    provider_type: str
    features: Mapping[str, Value]


_EVERYTHING: dict[str, Value] = {
    "max_duration": None,
    "recording": True,
    "public_chat": True,
    "private_chat": True,
    "screen_sharing": True,
}

BUILT_IN_PLANS = {
    "small": Plan("Small", ServiceType.MEET, "mesh", {"max_rooms": 10, "max_participants": 25, **_EVERYTHING}),
    "large": Plan("Large", ServiceType.MEET, "mesh", {"max_rooms": None, "max_participants": 100, **_EVERYTHING}),
}
"""Word of the command line → plan."""
