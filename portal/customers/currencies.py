"""The currencies in which customers pay and packages are sold: those of ISO 4217 that are legal tender now."""

from functools import cache

from babel.core import get_global
from babel.numbers import get_currency_precision

from portal.errors import Invalid, Message


@cache
def currencies() -> frozenset[str]:
    """Their codes. Cached, because finding them walks the currencies that all countries ever had."""
    histories = get_global("territory_currencies").values()
    return frozenset(
        code for history in histories for code, _since, until, is_tender in history if until is None and is_tender
    )


def checked_currency(text: str, *, field: str = "currency") -> str:
    """The code in capitals. Raises `Invalid` on `field` if no country uses such a currency now."""
    code = text.strip().upper()
    if code not in currencies():
        raise Invalid(**{field: Message("Use the code of a currency, such as EUR or USD.")})
    return code


def digits_of(currency: str) -> int:
    """How many digits an amount in this currency has after the point: 2 for USD, none for JPY."""
    return get_currency_precision(currency)
