"""The table of customers: the companies and persons who pay. Their subscriptions, accounts and rooms belong to them."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.column_types import enum_type
from portal.customers.defaults import defaults
from portal.customers.permission import CustomerPermission
from portal.db import Base, TimestampMixin
from portal.errors import Message
from portal.identifiers import ID_LENGTH, IdentifierMixin, new_id
from portal.people.memberships import MembershipMixin
from portal.people.models import EMAIL_LENGTH, NAME_LENGTH, User
from portal.search_terms import search_terms

COUNTRY_LENGTH = 2  # ISO 3166-1 alpha-2
CURRENCY_LENGTH = 3  # ISO 4217
EXTERNAL_ID_LENGTH = 250
PREFIX_LENGTH = 10
HOSTNAME_LENGTH = 253
SUBDOMAIN_LENGTH = 63
SORT_NAME_LENGTH = 800  # folding may triple the longest e-mail address


class CustomerType(StrEnum):
    """Whether the customer is a company or a person."""

    BUSINESS = "business"
    PERSONAL = "personal"

    @property
    def label(self) -> Message:
        """What people read."""
        return _TYPES[self]


_TYPES = {CustomerType.BUSINESS: Message("Company"), CustomerType.PERSONAL: Message("Person")}


class CustomerStatus(StrEnum):
    """What a customer may do.

    `active`: everything. `suspended`: people sign in and rooms work, but nothing new is created. `inactive` and
    `terminated`: nothing works, and only a terminated customer can be deleted.
    """

    ACTIVE = "active"
    INACTIVE = "inactive"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"

    @property
    def usable(self) -> bool:
        """Whether rooms of such a customer work, and its people may do anything with what is there."""
        return self in _USABLE

    @property
    def label(self) -> Message:
        """What people read."""
        return _STATUSES[self]


_USABLE = (CustomerStatus.ACTIVE, CustomerStatus.SUSPENDED)
_STATUSES = {
    CustomerStatus.ACTIVE: Message("Active"),
    CustomerStatus.INACTIVE: Message("Inactive"),
    CustomerStatus.SUSPENDED: Message("Suspended"),
    CustomerStatus.TERMINATED: Message("Terminated"),
}


def display_name(company: str | None, first: str | None, last: str | None, email: str) -> str:
    """The name to show for a customer: the company's, else the person's, else the e-mail address."""
    return company or " ".join(filter(None, (first, last))) or email


class Customer(IdentifierMixin, TimestampMixin, Base):
    """A company or person who pays. Its owner is the user with whose e-mail address it was created."""

    __tablename__ = "customers"

    customer_type: Mapped[CustomerType] = mapped_column(enum_type(CustomerType))
    first_name: Mapped[str | None] = mapped_column(sa.String(NAME_LENGTH))
    last_name: Mapped[str | None] = mapped_column(sa.String(NAME_LENGTH))
    company_name: Mapped[str | None] = mapped_column(sa.String(NAME_LENGTH))
    email: Mapped[str] = mapped_column(sa.String(EMAIL_LENGTH), unique=True)
    status: Mapped[CustomerStatus] = mapped_column(enum_type(CustomerStatus), default=CustomerStatus.ACTIVE)
    owner_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("users.uuid"), index=True)
    country: Mapped[str] = mapped_column(sa.String(COUNTRY_LENGTH), default=lambda: defaults().country)
    currency: Mapped[str] = mapped_column(sa.String(CURRENCY_LENGTH), default=lambda: defaults().currency)
    timezone: Mapped[str | None] = mapped_column(sa.String(64), default=lambda: defaults().timezone or None)
    """In which the days of its subscriptions begin and end; None: UTC."""
    external_id: Mapped[str | None] = mapped_column(sa.String(EXTERNAL_ID_LENGTH), index=True)
    """Its id in another system."""
    customer_key: Mapped[str] = mapped_column(sa.String(ID_LENGTH), unique=True, default=new_id)
    customer_prefix: Mapped[str | None] = mapped_column(sa.String(PREFIX_LENGTH))
    hostname: Mapped[str | None] = mapped_column(sa.String(HOSTNAME_LENGTH), unique=True)
    subdomain: Mapped[str | None] = mapped_column(sa.String(SUBDOMAIN_LENGTH), unique=True)
    allowed_domains_origins: Mapped[list[str]] = mapped_column(default=list)
    allowed_domains_registration: Mapped[list[str]] = mapped_column(default=list)
    """The domains of the e-mail addresses of people who may belong to it; any, if it is empty."""
    customer_settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    customer_metadata: Mapped[dict[str, Any]] = mapped_column(default=dict)
    sort_name: Mapped[str] = mapped_column(sa.String(SORT_NAME_LENGTH))
    """`display_name` casefolded, by which lists are sorted. Like `name_words` it is set whenever the row is written."""
    name_words: Mapped[str] = mapped_column(sa.Text)
    """The words by which the customer is found."""
    webhooks: Mapped[int] = mapped_column(default=0)
    """How many active webhook endpoints it has. When it is 0, an event need not look for endpoints."""
    owner: Mapped[User] = relationship()

    __table_args__ = (  # the orders of the list of customers
        sa.Index("ix_customers_sort_name_uuid", "sort_name", "uuid"),
        sa.Index("ix_customers_created_at_uuid", "created_at", "uuid"),
        sa.Index("ix_customers_status_sort_name_uuid", "status", "sort_name", "uuid"),
    )

    @property
    def customer_uuid(self) -> UUID:
        """Its own uuid, as everything that belongs to a customer tells its customer's."""
        return self.uuid

    @property
    def display_name(self) -> str:
        """The name to show: the company's, else the person's, else the e-mail address."""
        return display_name(self.company_name, self.first_name, self.last_name, self.email)

    @property
    def usable(self) -> bool:
        """Whether the customer's rooms work: it is active or suspended."""
        return self.status.usable


def display_name_column() -> sa.ColumnElement[str]:
    """`display_name` of a `Customer`, where a statement has to tell it in one column."""
    first, last = (sa.func.coalesce(column, "") for column in (Customer.first_name, Customer.last_name))
    person = sa.func.nullif(sa.func.trim(first + " " + last), "")
    return sa.func.coalesce(sa.func.nullif(Customer.company_name, ""), person, Customer.email)


def customer_is_usable() -> sa.ColumnElement[bool]:
    """`usable` of a `Customer`, as a condition."""
    return _has_one_of(_USABLE)


def customer_is_unusable() -> sa.ColumnElement[bool]:
    """The opposite. The few such customers are found by an index, which a NOT would keep from being used."""
    return _has_one_of([status for status in CustomerStatus if status not in _USABLE])


def _has_one_of(statuses: Sequence[CustomerStatus]) -> sa.ColumnElement[bool]:
    return Customer.status.in_([sa.literal_column(f"'{status}'", Customer.status.type) for status in statuses])


@sa.event.listens_for(Customer, "before_insert")
@sa.event.listens_for(Customer, "before_update")
def _set_names(_mapper: object, _connection: object, customer: Customer) -> None:
    customer.customer_key = customer.customer_key or new_id()
    customer.sort_name = customer.display_name.casefold()[:SORT_NAME_LENGTH]
    texts = (
        customer.company_name,
        customer.first_name,
        customer.last_name,
        customer.email,
        customer.external_id,
        customer.customer_key,
    )
    customer.name_words = " ".join(search_terms(" ".join(filter(None, texts))))


class CustomerMember(MembershipMixin, IdentifierMixin, TimestampMixin, Base):
    """A user in a customer, with what the owner granted him there."""

    __tablename__ = "customer_members"

    customer_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("customers.uuid", ondelete="CASCADE"))
    customer: Mapped[Customer] = relationship()

    __table_args__ = (sa.UniqueConstraint("customer_uuid", "user_uuid"),)

    def granted(self, at: datetime) -> frozenset[CustomerPermission]:
        """What is granted at this time."""
        return frozenset(CustomerPermission(word) for word in self.words(at) if word in set(CustomerPermission))
