"""Addresses, telephones and legal documents of a customer. What they are serialized with is the customer."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from portal.customers.models import Customer
from portal.customers.profile_models import (
    AddressType,
    CustomerAddress,
    CustomerTelephone,
    DocumentType,
    LegalDocument,
    TelephoneType,
)
from portal.resources.columns import Column, worded
from portal.resources.declaring import Id, IdentifiedResource, Read, serializer

CustomerId = Annotated[Id, Read(lambda _entry, customer: customer.id)]
Country = Field(description="ISO 3166-1 alpha-2.", examples=["DE"])
DEFAULT = Field(description="Whether it is the one to use of its type. Of each type that there is, exactly one is.")


class AddressSchema(IdentifiedResource):
    """An address of a customer."""

    object: Literal["Address"]
    customer_id: CustomerId
    address_type: Annotated[AddressType, Column(CustomerAddress.kind), Read("kind")]
    default: Annotated[bool, DEFAULT, Column(CustomerAddress.is_default), Read("is_default")]
    country: Annotated[str, Country, Column(CustomerAddress.country)]
    state: str | None
    postal_code: Annotated[str | None, Column(CustomerAddress.postal_code)]
    city: Annotated[str, worded(CustomerAddress.city)]
    address_line1: str | None
    address_line2: str | None
    po_box: str | None
    building_number: str | None
    complement: str | None


class TelephoneSchema(IdentifiedResource):
    """A telephone of a customer."""

    object: Literal["Telephone"]
    customer_id: CustomerId
    telephone_type: Annotated[TelephoneType, Column(CustomerTelephone.kind), Read("kind")]
    default: Annotated[bool, DEFAULT, Column(CustomerTelephone.is_default), Read("is_default")]
    number: Annotated[
        str, Field(description="As E.164 writes it.", examples=["+4930901820"]), Column(CustomerTelephone.number)
    ]
    telephone_extension: str | None


class LegalDocumentSchema(IdentifiedResource):
    """A number under which a customer is known to an authority, in the compact form of its register."""

    object: Literal["LegalDocument"]
    customer_id: CustomerId
    type: Annotated[DocumentType, Column(LegalDocument.kind), Read("kind")]
    country: Annotated[str, Country, Column(LegalDocument.country)]
    value: Annotated[str, Column(LegalDocument.value)]
    issued_at: Annotated[date | None, Read(lambda entry, _: entry.issued_at.isoformat() if entry.issued_at else None)]


_SERIALIZERS = {
    CustomerAddress: serializer(AddressSchema),
    CustomerTelephone: serializer(TelephoneSchema),
    LegalDocument: serializer(LegalDocumentSchema),
}


def serialize_profile_entry(
    customer: Customer, entry: CustomerAddress | CustomerTelephone | LegalDocument
) -> dict[str, Any]:
    """An entry of this customer's profile."""
    return _SERIALIZERS[type(entry)](entry, customer)
