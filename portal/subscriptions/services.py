"""From the rows of providers to their code: the only way from a plan to the service behind its rooms.

A row names a type and holds the properties of one service; two rows of one type are two services. Rooms are asked
by `portal.status.services.service_of`, which knows that a running run stays on the row that it started on.
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
