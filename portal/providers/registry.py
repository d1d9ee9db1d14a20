"""From a provider's key, as stored in rows, to its code. Filled once by `create_app` from the catalog."""

from collections.abc import Iterable, KeysView

from portal.providers.base import Provider

_providers: dict[str, Provider] = {}


def fill(providers: Iterable[Provider]) -> None:
    """Replace what is registered."""
    _providers.clear()
    _providers.update({provider.key: provider for provider in providers})


def get(key: str) -> Provider:
    """The provider with this key. Raises `KeyError` for a key that is not in the catalog."""
    return _providers[key]


def known() -> KeysView[str]:
    """All registered keys."""
    return _providers.keys()
