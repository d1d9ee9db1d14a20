"""The fields of addresses, telephones and legal documents as they are given, and the columns that they become."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, TypedDict

from portal.clock import now
from portal.customers.countries import checked_country
from portal.customers.models import Customer
from portal.customers.number_forms import checked_document, checked_telephone
from portal.customers.profile_models import (
    CITY_LENGTH,
    EXTENSION_LENGTH,
    LINE_LENGTH,
    SHORT_LENGTH,
    AddressType,
    CustomerAddress,
    CustomerTelephone,
    DocumentType,
    LegalDocument,
    TelephoneType,
)
from portal.errors import Invalid, InvalidFields, Message
from portal.people.names import clean_name

_EARLIEST = date(1900, 1, 1)
_EXTENSION = re.compile(rf"[0-9]{{1,{EXTENSION_LENGTH}}}")
_EASTERNMOST = timedelta(hours=14)
_TEXTS = {
    "state": CITY_LENGTH,
    "postal_code": SHORT_LENGTH,
    "address_line1": LINE_LENGTH,
    "address_line2": LINE_LENGTH,
    "po_box": SHORT_LENGTH,
    "building_number": SHORT_LENGTH,
    "complement": LINE_LENGTH,
}
"""The texts of an address that it can be without → how long they may be."""


class AddressFields(TypedDict, total=False):
    """What can be said of an address. A text that is None or empty is none; a country, the customer's."""

    address_type: AddressType
    default: bool
    country: str | None
    state: str | None
    postal_code: str | None
    city: str
    address_line1: str | None
    address_line2: str | None
    po_box: str | None
    building_number: str | None
    complement: str | None


class TelephoneFields(TypedDict, total=False):
    """What can be said of a telephone. A number without the code of a country is one of the customer's."""

    telephone_type: TelephoneType
    default: bool
    number: str
    telephone_extension: str | None


class DocumentFields(TypedDict, total=False):
    """What can be said of a legal document. A country that is not named is the number's, else the customer's."""

    type: DocumentType
    country: str | None
    value: str
    issued_at: date | None


def address_columns(given: AddressFields, stored: CustomerAddress | None, customer: Customer) -> dict[str, Any]:
    """The columns of an address that these fields make of a `stored` one, or of a new one. Raises `Invalid`."""
    wrong, columns = InvalidFields(), {}
    said = _all_of(given, stored, AddressFields, kind="address_type")
    with wrong.gathered():
        columns["kind"] = _kind(said, "address_type", AddressType)
    with wrong.gathered():
        columns["country"] = checked_country(said.get("country") or customer.country)
    with wrong.gathered():
        columns["city"] = clean_name(said.get("city"), field="city", longest=CITY_LENGTH)
    for name, longest in _TEXTS.items():
        with wrong.gathered():
            columns[name] = clean_name(said.get(name), field=name, longest=longest, required=False) or None
    if not any(columns.get(name) or name in wrong.fields for name in ("address_line1", "po_box")):
        wrong.fields["address_line1"] = Message("Fill in the street, or a post-office box.")
    wrong.raise_if_any()
    return columns


def telephone_columns(given: TelephoneFields, stored: CustomerTelephone | None, customer: Customer) -> dict[str, Any]:
    """The columns of a telephone that these fields make of a `stored` one, or of a new one. Raises `Invalid`."""
    wrong, columns = InvalidFields(), {}
    said = _all_of(given, stored, TelephoneFields, kind="telephone_type")
    with wrong.gathered():
        columns["kind"] = _kind(said, "telephone_type", TelephoneType)
    with wrong.gathered():
        columns["number"] = checked_telephone(said.get("number") or "", country=customer.country)
    extension = (said.get("telephone_extension") or "").strip()
    if extension and not _EXTENSION.fullmatch(extension):
        wrong.fields["telephone_extension"] = Message("Use at most %(most)d digits.", most=EXTENSION_LENGTH)
    wrong.raise_if_any()
    return columns | {"telephone_extension": extension or None}


def document_columns(given: DocumentFields, stored: LegalDocument | None, customer: Customer) -> dict[str, Any]:
    """The columns of a legal document that these fields make of a `stored` or a new one. Raises `Invalid`."""
    wrong, columns = InvalidFields(), {}
    said = _all_of(given, stored, DocumentFields, kind="type")
    renumbered = {"type", "value"} & given.keys()
    named = given.get("country") if renumbered else said.get("country")
    with wrong.gathered():
        columns["kind"] = _kind(said, "type", DocumentType)
        number, country = checked_document(columns["kind"], said.get("value") or "", country=named)
        columns |= {"value": number, "country": country or said.get("country") or customer.country}
    with wrong.gathered():
        columns["issued_at"] = _issued(said.get("issued_at"))
    wrong.raise_if_any()
    return columns


def _all_of(given: Mapping[str, Any], stored: Any, fields: type, *, kind: str) -> dict[str, Any]:
    """The fields given, and as they are stored those that were not.

    Raises `TypeError` for a key that is no field, which mypy cannot see if the keys come from a request.
    """
    if unknown := given.keys() - fields.__annotations__.keys():
        raise TypeError(f"nothing of it is called {', '.join(sorted(unknown))}")
    if stored is None:
        return dict(given)
    attributes = {name: "kind" if name == kind else name for name in fields.__annotations__ if name != "default"}
    return {name: getattr(stored, attribute) for name, attribute in attributes.items()} | dict(given)


def _kind(said: Mapping[str, Any], field: str, kinds: type) -> Any:
    kind = said.get(field)
    if not isinstance(kind, kinds):
        raise Invalid(**{field: Message("Choose one of them.")})
    return kind


def _issued(day: date | None) -> date | None:
    if day is not None and not _EARLIEST <= day <= (now() + _EASTERNMOST).date():
        raise Invalid(issued_at=Message("Use a day from 1900 until today."))
    return day


FIELDS_OF: Mapping[type, Callable[..., dict[str, Any]]] = {
    CustomerAddress: address_columns,
    CustomerTelephone: telephone_columns,
    LegalDocument: document_columns,
}
"""Kind of profile entry → what makes its columns."""
