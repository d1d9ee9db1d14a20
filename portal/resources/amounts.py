"""Amounts of money, as programs read them."""

from decimal import Decimal

from pydantic import Field

from portal.customers.currencies import digits_of

AMOUNT = Field(description="With the digits of the currency.", examples=["19.90"])


def decimal_string(amount: Decimal, currency: str) -> str:
    """An amount with the digits of its currency: "19.90"."""
    return f"{amount:.{digits_of(currency)}f}"
