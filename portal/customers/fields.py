"""The fields of a customer as they are given, and the columns that they become: each judged once, for pages and API."""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn, TypedDict

from portal.customers.countries import checked_country
from portal.customers.currencies import checked_currency
from portal.customers.models import (
    EXTERNAL_ID_LENGTH,
    HOSTNAME_LENGTH,
    PREFIX_LENGTH,
    SUBDOMAIN_LENGTH,
    CustomerType,
)
from portal.errors import Invalid, Message
from portal.metadata import checked_metadata
from portal.people.emails import canonical_domain, canonical_email
from portal.people.models import NAME_LENGTH
from portal.people.names import clean_name
from portal.people.timezones import time_zones

MOST_DOMAINS = 100
DOMAINS_SHOWN = 3
KEY_SHOWN = 40  # characters of an unknown key that the answer repeats
_SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_UNNAMED = "customer"


class CustomerFields(TypedDict, total=False):
    """What can be said of a customer when it is made or changed. A text that is None or empty is none."""

    customer_type: CustomerType
    first_name: str | None
    last_name: str | None
    company_name: str | None
    email: str
    country: str
    currency: str
    timezone: str | None
    external_id: str | None
    customer_prefix: str | None
    hostname: str | None
    subdomain: str | None
    allowed_domains_origins: list[str]
    allowed_domains_registration: list[str]
    customer_settings: object
    customer_metadata: object


def checked_columns(given: CustomerFields) -> dict[str, Any]:
    """The columns that these fields become. Raises `Invalid` with a message for each that is wrong.

    Raises `TypeError` for a key that is no field, which mypy cannot see if the keys come from a request.
    """
    if unknown := given.keys() - CustomerFields.__annotations__.keys():
        raise TypeError(f"nothing of a customer is called {', '.join(sorted(unknown))}")
    columns: dict[str, Any] = {}
    wrong: dict[str, Message] = {}
    for field, value in given.items():
        try:
            columns[field] = _CHECKS[field](value, field)
        except Invalid as invalid:
            wrong |= invalid.fields
    if wrong:
        raise Invalid(**wrong)
    return columns


def require_a_name(columns: Mapping[str, Any]) -> None:
    """Raise `Invalid` unless the customer, given all its columns, has the name that its type needs."""
    if columns["customer_type"] is CustomerType.BUSINESS and not columns.get("company_name"):
        raise Invalid(company_name=Message("A company needs its name."))


def subdomain_of(name: str) -> str:
    """A subdomain made from a name: "Müller & Söhne" → "muller-sohne"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SUBDOMAIN_LENGTH].strip("-") or _UNNAMED


def require_allowed_domain(email: str, allowed: Collection[str], *, field: str = "email") -> None:
    """Raise `Invalid` on `field` unless people with this e-mail address may belong to a customer that allows these."""
    domain = email.rpartition("@")[2]
    if allowed and domain not in allowed:
        names = ", ".join(sorted(allowed)[:3])
        raise Invalid(
            **{field: Message("Only addresses of these domains may belong here: %(domains)s.", domains=names)}
        )


def _type(value: CustomerType, field: str) -> CustomerType:
    if not isinstance(value, CustomerType):
        _refuse(field, Message("Choose company or person."))
    return value


def _name(value: str | None, field: str) -> str | None:
    return clean_name(value, field=field, longest=NAME_LENGTH, required=False) or None


def _external_id(value: str | None, field: str) -> str | None:
    return clean_name(value, field=field, longest=EXTERNAL_ID_LENGTH, required=False) or None


def _prefix(value: str | None, field: str) -> str | None:
    return clean_name(value, field=field, longest=PREFIX_LENGTH, required=False) or None


def _email(value: str, field: str) -> str:
    return canonical_email(value or "") or _refuse(field, Message("This is not an e-mail address."))


def _country(value: str, field: str) -> str:
    return checked_country(value or "", field=field)


def _currency(value: str, field: str) -> str:
    return checked_currency(value or "", field=field)


def _timezone(value: str | None, field: str) -> str | None:
    if value and value not in time_zones():
        _refuse(field, Message("Choose one of the time zones."))
    return value or None


def _domain(value: object, field: str) -> str:
    domain = canonical_domain(value.strip()) if isinstance(value, str) and len(value) <= HOSTNAME_LENGTH else None
    if domain is None or "." not in domain or len(domain) > HOSTNAME_LENGTH:
        _refuse(field, Message("Use the name of a domain, such as example.org."))
    return domain


def _hostname(value: str | None, field: str) -> str | None:
    return _domain(value, field) if value else None


def _subdomain(value: str | None, field: str) -> str | None:
    text = (value or "").strip().lower()
    if text and (len(text) > SUBDOMAIN_LENGTH or not _SUBDOMAIN.fullmatch(text)):
        _refuse(field, Message("Use small letters, digits and hyphens, such as acme-events."))
    return text or None


def _domains(value: list[str], field: str) -> list[str]:
    if not isinstance(value, list) or len(value) > MOST_DOMAINS:
        _refuse(field, Message("Use a list of at most %(most)d domains.", most=MOST_DOMAINS))
    return list(dict.fromkeys(_domain(one, field) for one in value))


def _settings(value: object, field: str) -> dict[str, Any]:
    """The settings. None is declared yet, so only an empty object is one."""
    if not isinstance(value, dict):
        _refuse(field, Message("Settings are a JSON object: {…}."))
    for key in value:
        _refuse(f"{field}.{str(key)[:KEY_SHOWN]}", Message("There is no setting of this name."))
    return {}


def _metadata(value: object, field: str) -> dict[str, Any]:
    return checked_metadata(value, field=field)


_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "customer_type": _type,
    "first_name": _name,
    "last_name": _name,
    "company_name": _name,
    "email": _email,
    "country": _country,
    "currency": _currency,
    "timezone": _timezone,
    "external_id": _external_id,
    "customer_prefix": _prefix,
    "hostname": _hostname,
    "subdomain": _subdomain,
    "allowed_domains_origins": _domains,
    "allowed_domains_registration": _domains,
    "customer_settings": _settings,
    "customer_metadata": _metadata,
}


def _refuse(field: str, message: Message) -> NoReturn:
    raise Invalid(**{field: message})
