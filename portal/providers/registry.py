"""The registered adapters, by the provider type that rows store. `create_app` fills it once from the catalog."""

from collections.abc import Iterable, KeysView, Mapping
from typing import Any

from portal.providers.base import Adapter

_adapters: dict[str, Adapter] = {}


def fill(adapters: Iterable[Adapter]) -> None:
    """Register these adapters and no others."""
    _adapters.clear()
    _adapters.update({adapter.key: adapter for adapter in adapters})


def adapter(provider_type: str) -> Adapter:
    """The adapter of this type. Raises `KeyError` for a type that is not in the catalog."""
    return _adapters[provider_type]


def bind(provider_type: str, properties: Mapping[str, Any]) -> Any:
    """The service of this type with these properties, secrets unsealed. Raises `KeyError` for an unknown type."""
    return _adapters[provider_type].bind(properties)


def known() -> KeysView[str]:
    """All registered types."""
    return _adapters.keys()
