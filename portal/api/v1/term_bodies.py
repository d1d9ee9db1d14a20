"""What bodies about packages have in common: amounts of money, lengths of time, values of features, metadata."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from portal.api.v1.core.request_body import WHOLE, RequestBody
from portal.errors import Invalid, Message
from portal.subscriptions.checked_terms import HIGHEST_TIER, LENGTHS, LONGEST
from portal.subscriptions.terms import Length, PeriodUnit, TermsMixin

LONGEST_AMOUNT = 20  # characters


def _amount(value: object) -> Decimal:
    """A decimal string, or a number, which programs may send as well."""
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        text = str(value).strip()
        if len(text) <= LONGEST_AMOUNT and text.removeprefix("-").replace(".", "", 1).isdecimal() and text.isascii():
            return Decimal(text)
    raise ValueError(Message("Send an amount like “19.90”."))


def _feature_value(value: object) -> object:
    """A number, a boolean, or either of them as a text, as the platform writes it."""
    if isinstance(value, str):
        text = value.strip()
        number = text.isascii() and text.isdigit() and len(text) <= LONGEST_AMOUNT
        return {"true": True, "false": False}.get(text, int(text) if number else text)
    return value


def _object(value: object) -> object:
    """An empty list stands for an empty object, as some languages write it."""
    return {} if value == [] else value


AMOUNT = {"anyOf": [{"type": "string", "pattern": r"^\d{1,9}(\.\d{1,2})?$"}, {"type": "number", "minimum": 0}]}
Amount = Annotated[Any, AfterValidator(_amount), WithJsonSchema(AMOUNT)]
VALUE = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "boolean"}]}
FeatureValue = Annotated[Any, AfterValidator(_feature_value), WithJsonSchema(VALUE)]
Metadata = Annotated[dict[str, Any], BeforeValidator(_object)]
Number = Annotated[int, Field(ge=1, le=LONGEST), WHOLE]
Tier = Annotated[int, Field(ge=0, le=HIGHEST_TIER), WHOLE]
Currency = Annotated[str, Field(max_length=8, description="ISO 4217.", examples=["EUR"])]


class TermsBody(RequestBody):
    """The terms of a package or a subscription. A length is a number and its unit; null for both takes it away."""

    tier: Tier = 0
    price: Amount = None
    currency: Currency = ""
    periodicity: Number | None = None
    periodicity_type: PeriodUnit | None = None
    trial_period: Number | None = None
    trial_interval: PeriodUnit | None = None
    grace_period: Number | None = None
    grace_interval: PeriodUnit | None = None


def with_lengths(given: Mapping[str, Any], stored: TermsMixin | None = None) -> dict[str, Any]:
    """What was sent, with each length in one: of a number and a unit, one may have been sent alone.

    Raises `Invalid` on the unit that is missing.
    """
    result = dict(given)
    for name, (number, unit) in LENGTHS.items():
        if number not in given and unit not in given:
            continue
        before: Length | None = getattr(stored, name, None)
        how_many = result.pop(number, before.number if before else None)
        counted_in: PeriodUnit | None = result.pop(unit, before.unit if before else None)
        if how_many is not None and counted_in is None:
            raise Invalid(**{unit: Message("This is required.")})
        result[name] = None if how_many is None or counted_in is None else Length(how_many, counted_in)
    return result
