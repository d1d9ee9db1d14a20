"""Judging and setting the terms of what is sold: of packages and subscriptions alike."""

from decimal import Decimal
from typing import TypedDict

from portal.customers.currencies import checked_currency, digits_of
from portal.errors import Invalid, InvalidFields, Message
from portal.subscriptions.terms import Length, TermsMixin

DEAREST = Decimal(999_999_999_999)
HIGHEST_TIER = 1_000_000
LONGEST = 1_000
"""How many days, weeks, months or years a length can have."""
LENGTHS = {
    "period": ("periodicity", "periodicity_type"),
    "trial": ("trial_period", "trial_interval"),
    "grace": ("grace_period", "grace_interval"),
}
"""Each length, and the columns of its number and its unit. What is wrong with it is said on the number's."""


class TermChanges(TypedDict, total=False):
    """The terms that can be changed. None removes a length."""

    tier: int
    price: Decimal
    currency: str
    period: Length | None
    trial: Length | None
    grace: Length | None


def change_terms(sold: TermsMixin, changes: TermChanges) -> None:
    """Set the terms that are named. Raises `Invalid` for all that is bad, and sets nothing then."""
    wrong = InvalidFields()
    values: dict[str, object] = {}
    with wrong.gathered():
        if "currency" in changes:
            values["currency"] = checked_currency(changes["currency"])
    with wrong.gathered():
        if "price" in changes or "currency" in changes:
            currency = str(values.get("currency", sold.currency))
            values["price"] = checked_amount(changes.get("price", sold.price), currency=currency, field="price")
    if "tier" in changes:
        with wrong.gathered():
            values["tier"] = checked_number(changes["tier"], field="tier", most=HIGHEST_TIER)
    for name, (number, unit) in LENGTHS.items():
        if name in changes:
            with wrong.gathered():
                values[number], values[unit] = _checked_length(changes[name], field=number) or (None, None)  # type: ignore[literal-required]
    if values.get("grace_period", sold.grace_period) and not values.get("periodicity", sold.periodicity):
        wrong.fields.setdefault("grace_period", Message("Without a period it never ends: leave out the grace, too."))
    wrong.raise_if_any()
    for column, value in values.items():
        setattr(sold, column, value)


def checked_amount(amount: Decimal, *, currency: str, field: str) -> Decimal:
    """An amount of money in this currency. Raises `Invalid` on `field`."""
    if not amount.is_finite() or not 0 <= amount <= DEAREST:
        raise Invalid(**{field: Message("Use an amount from 0 to %(most)s.", most=f"{DEAREST:,}")})
    digits = digits_of(currency)
    if amount != round(amount, digits):
        words = Message.plural(
            "Use at most %(n)d digit after the point: %(currency)s has no more.",
            "Use at most %(n)d digits after the point: %(currency)s has no more.",
            n=digits,
            currency=currency,
        )
        raise Invalid(**{field: words})
    return abs(amount)  # zero has no sign


def checked_number(number: int, *, field: str, most: int) -> int:
    """A whole number from 0 to `most`. Raises `Invalid` on `field`."""
    if not 0 <= number <= most:
        raise Invalid(**{field: Message("Use a whole number from 0 to %(most)d.", most=most)})
    return number


def _checked_length(length: Length | None, *, field: str) -> Length | None:
    if length is not None and not 1 <= length.number <= LONGEST:
        raise Invalid(**{field: Message("Use a whole number from 1 to %(most)d, or leave it empty.", most=LONGEST)})
    return length
