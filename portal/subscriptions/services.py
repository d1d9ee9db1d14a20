"""Finding the adapter and the service of a provider or a subscription.

A row of `service_providers` names a type and holds the properties of one service; two rows of one type are two
services. For a room use `portal.status.services.service_of`, because a running run keeps the provider that it
started on.
"""

from typing import Any

from portal.providers import registry
from portal.providers.base import Adapter
from portal.subscriptions.models import ServiceProvider, Subscription
from portal.subscriptions.properties import unsealed_properties


def adapter_of(provider: ServiceProvider) -> Adapter:
    """The adapter of this row's type: the declarations of the service."""
    return registry.adapter(provider.provider_type)


def bound_service(provider: ServiceProvider) -> Any:
    """The service behind this row, bound to its unsealed properties.

    What it can do, `isinstance` with the Protocols of `portal.providers.base` tells.
    """
    adapter = adapter_of(provider)
    properties = unsealed_properties(provider.properties, adapter=adapter) if adapter.properties else {}
    return registry.bind(provider.provider_type, properties)


def service_of(subscription: Subscription) -> Any:
    """The service on which new runs of this subscription's rooms start."""
    return bound_service(subscription.provider)
