"""The country, currency and time zone of new customers and packages for which nobody chose others."""

from typing import NamedTuple


class Defaults(NamedTuple):
    """A country of ISO 3166-1, a currency of ISO 4217, and the name of a time zone, "" for UTC."""

    country: str = "US"
    currency: str = "USD"
    timezone: str = ""


_defaults = Defaults()


def use(chosen: Defaults) -> None:
    """Set them. Called once by `create_app`."""
    global _defaults
    _defaults = chosen


def defaults() -> Defaults:
    """What the operator set."""
    return _defaults
