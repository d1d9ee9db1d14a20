"""Packages that an operator can sell from the command line before anybody has made one, and from which others start.

Each is made as a package when it is first sold, by the portal itself. From then on it is one like any other: staff
change it, and what was sold of it stays as it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from portal.customers.defaults import defaults
from portal.db import session
from portal.subscriptions.feature_catalog import Value
from portal.subscriptions.package_models import ServicePackage
from portal.subscriptions.packages import create_package, find_package
from portal.subscriptions.provider_models import ServiceProvider, ServiceType


@dataclass(frozen=True)
class PackagePreset:
    """A package to be made: rooms of one type on one kind of service, with these features (None: unlimited)."""

    name: str
    service_type: ServiceType
    provider_type: str
    features: Mapping[str, Value]


PRESETS = {
    "small": PackagePreset(
        "Small",
        ServiceType.MEET,
        "mesh",
        {
            "max_rooms": 10,
            "max_participants": 25,
            "max_duration": None,
            "public_chat": True,
            "private_chat": True,
            "screen_sharing": True,
        },
    ),
    "large": PackagePreset(
        "Large",
        ServiceType.MEET,
        "mesh",
        {
            "max_rooms": None,
            "max_participants": 100,
            "max_duration": None,
            "public_chat": True,
            "private_chat": True,
            "screen_sharing": True,
        },
    ),
    "videos": PackagePreset("Videos", ServiceType.VIDEO, "vod", {"max_rooms": 10, "max_viewers": 50, "max_storage": 5}),
}
"""Word of the command line → what it makes."""
FIRST_OF_A_TYPE = {preset.service_type: preset for preset in reversed(PRESETS.values())}
"""Type of rooms → the first of the presets for it, from which a new package starts."""


def package_of(preset: PackagePreset) -> ServicePackage:
    """The package of this name, which is made if there is none, on the oldest active provider of its type."""
    providers = sa.select(ServiceProvider).where(
        ServiceProvider.provider_type == preset.provider_type, ServiceProvider.active
    )
    return find_package(preset.name) or create_package(
        name=preset.name,
        service_type=preset.service_type,
        currency=defaults().currency,
        features=preset.features,
        provider=session.scalars(providers.order_by(ServiceProvider.uuid).limit(1)).first(),
    )
