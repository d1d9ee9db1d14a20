"""The tables of what a customer has several of: addresses, telephones, legal documents. Each row is a profile entry."""

from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from portal.column_types import enum_type
from portal.customers.models import COUNTRY_LENGTH
from portal.db import Base, TimestampMixin
from portal.errors import Message
from portal.identifiers import IdentifierMixin
from portal.partial_indexes import partial_index

LINE_LENGTH = 250
CITY_LENGTH = 100
SHORT_LENGTH = 20
"""Of postal codes, post-office boxes, numbers of buildings, and telephones, which have at most 15 digits by E.164."""
NUMBER_LENGTH = 50
"""Of legal documents, and of telephones as they are typed."""
EXTENSION_LENGTH = 10
"""Of the extension of a telephone, in digits."""


class AddressType(StrEnum):
    """What an address is for."""

    POSTAL = "PostalAddress"
    BILLING = "BillingAddress"

    @property
    def label(self) -> Message:
        """What people read."""
        return _ADDRESSES[self]


_ADDRESSES = {AddressType.POSTAL: Message("For post"), AddressType.BILLING: Message("For invoices")}


class TelephoneType(StrEnum):
    """What a telephone is."""

    LANDLINE = "landline"
    MOBILE = "mobile"

    @property
    def label(self) -> Message:
        """What people read."""
        return _TELEPHONES[self]


_TELEPHONES = {TelephoneType.LANDLINE: Message("Landline"), TelephoneType.MOBILE: Message("Mobile")}


class DocumentType(StrEnum):
    """By which register a number is given. The form of an `other` one is not known."""

    EU_VAT = "eu_vat"
    BR_CPF = "br_cpf"
    BR_CNPJ = "br_cnpj"
    OTHER = "other"

    @property
    def label(self) -> Message:
        """What people read."""
        return _DOCUMENTS[self]


_DOCUMENTS = {
    DocumentType.EU_VAT: Message("VAT number (EU)"),
    DocumentType.BR_CPF: Message("CPF (Brazil, person)"),
    DocumentType.BR_CNPJ: Message("CNPJ (Brazil, company)"),
    DocumentType.OTHER: Message("Other"),
}


class ProfileEntryMixin(IdentifierMixin, TimestampMixin):
    """Whose entry it is. It goes with the customer."""

    customer_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("customers.uuid", ondelete="CASCADE"), index=True)


class DefaultMixin:
    """One entry of each kind that a customer has is the default, which the database holds to be at most one."""

    __tablename__: str
    is_default: Mapped[bool] = mapped_column(default=False)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        name = f"uq_{cls.__tablename__}_default"
        return (partial_index(name, "customer_uuid", "kind", where="is_default", unique=True),)


class CustomerAddress(DefaultMixin, ProfileEntryMixin, Base):
    """An address of a customer."""

    __tablename__ = "customer_addresses"

    kind: Mapped[AddressType] = mapped_column(enum_type(AddressType))
    country: Mapped[str] = mapped_column(sa.String(COUNTRY_LENGTH))
    state: Mapped[str | None] = mapped_column(sa.String(CITY_LENGTH))
    postal_code: Mapped[str | None] = mapped_column(sa.String(SHORT_LENGTH))
    city: Mapped[str] = mapped_column(sa.String(CITY_LENGTH))
    address_line1: Mapped[str | None] = mapped_column(sa.String(LINE_LENGTH))
    address_line2: Mapped[str | None] = mapped_column(sa.String(LINE_LENGTH))
    po_box: Mapped[str | None] = mapped_column(sa.String(SHORT_LENGTH))
    building_number: Mapped[str | None] = mapped_column(sa.String(SHORT_LENGTH))
    complement: Mapped[str | None] = mapped_column(sa.String(LINE_LENGTH))


class CustomerTelephone(DefaultMixin, ProfileEntryMixin, Base):
    """A telephone of a customer."""

    __tablename__ = "customer_telephones"

    kind: Mapped[TelephoneType] = mapped_column(enum_type(TelephoneType))
    number: Mapped[str] = mapped_column(sa.String(SHORT_LENGTH))
    """In the form of E.164: +4930901820."""
    telephone_extension: Mapped[str | None] = mapped_column(sa.String(EXTENSION_LENGTH))


class LegalDocument(ProfileEntryMixin, Base):
    """A number under which a customer is known to an authority."""

    __tablename__ = "customer_legal_documents"

    kind: Mapped[DocumentType] = mapped_column(enum_type(DocumentType))
    country: Mapped[str] = mapped_column(sa.String(COUNTRY_LENGTH))
    value: Mapped[str] = mapped_column(sa.String(NUMBER_LENGTH))
    """In the compact form of its register, without points and spaces."""
    issued_at: Mapped[date | None] = mapped_column(sa.Date)
