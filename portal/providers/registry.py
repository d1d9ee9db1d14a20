"""The registered adapters, by the provider type that rows store. `create_app` fills it once from the catalog."""

from collections.abc import Iterable, KeysView, Mapping, Sequence
from typing import Any

from portal.providers.base import Adapter, Contradiction, Places, Property, ProviderError, RecordingMode, Setting

_adapters: dict[str, Adapter] = {}


def fill(adapters: Iterable[Adapter]) -> None:
    """Register these adapters and no others."""
    _adapters.clear()
    _adapters.update({adapter.key: adapter for adapter in adapters})


class Missing:
    """What stands for an adapter that rows name and the catalog does not have any more: it can do nothing."""

    label = "Unknown service"
    kinds: frozenset[str] = frozenset()
    properties: Sequence[Property] = ()
    settings: Sequence[Setting] = ()
    contradictions: Sequence[Contradiction] = ()
    features: frozenset[str] = frozenset()
    places: Places | None = None
    asks_about_guests = False

    def __init__(self, key: str) -> None:
        self.key = key

    def bind(self, properties: Mapping[str, Any]) -> Any:
        """Raise `ProviderError`: there is nothing to bind to."""
        raise ProviderError(f"there is no adapter {self.key}", permanent=True)

    def recording_mode(self, _settings: Mapping[str, Any], _limits: Mapping[str, Any]) -> RecordingMode:
        """Nothing is recorded."""
        return RecordingMode.OFF


def adapter(provider_type: str) -> Adapter:
    """The adapter of this type; a `Missing` one for a type that is not in the catalog."""
    return _adapters.get(provider_type) or Missing(provider_type)


def known() -> KeysView[str]:
    """All registered types."""
    return _adapters.keys()
