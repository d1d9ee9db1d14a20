"""Finding the adapter and the service of a provider.

A row of `service_providers` names a type and holds the properties of one service; two rows of one type are two
services. For a room use `portal.status.services.service_of`, because a running run keeps the provider that it
started on.
"""

from typing import Any

from portal.providers import registry
from portal.providers.base import Adapter, ProviderError
from portal.public_url import public_url
from portal.subscriptions.properties import unsealed_properties
from portal.subscriptions.protocols import ProviderLike


def adapter_of(provider: ProviderLike) -> Adapter:
    """The adapter of this row's type: the declarations of the service."""
    return registry.adapter(provider.provider_type)


def callback_url(provider: ProviderLike) -> str:
    """The address for the callbacks of this provider's service."""
    return public_url(f"/hooks/{provider.id}")


def bound_service(provider: ProviderLike) -> Any:
    """The service behind this row, bound to its unsealed properties.

    Raises `ProviderError` if its type is not in the catalog any more, or its properties cannot be read. What it can
    do, `isinstance` with the Protocols of `portal.providers.base` tells.
    """
    adapter = adapter_of(provider)
    try:
        properties = unsealed_properties(provider.properties, adapter=adapter) if adapter.properties else {}
        return adapter.bind(properties)
    except Exception as error:
        raise ProviderError(f"the provider cannot be used ({type(error).__name__})", permanent=True) from error
