"""Customers: who pays. Their accounts, subscriptions and rooms hang below them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.customers.permission import CustomerPermission
from portal.db import Base, TimestampMixin, enum_type
from portal.identifiers import IdentifierMixin
from portal.people.memberships import MembershipMixin
from portal.people.models import EMAIL_LENGTH, NAME_LENGTH, User


class CustomerType(StrEnum):
    """A company, or a person."""

    BUSINESS = "business"
    PERSONAL = "personal"


class CustomerStatus(StrEnum):
    """What a customer may still do; see *domain*, Customer."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"


def display_name(company: str | None, first: str | None, last: str | None, email: str) -> str:
    """What a customer is called: the company's name, or the person's."""
    return company or " ".join(filter(None, (first, last))) or email


class Customer(IdentifierMixin, TimestampMixin, Base):
    """Who pays. `suspended`: rooms keep working, nothing new; `inactive` and `terminated`: nothing works."""

    __tablename__ = "customers"

    customer_type: Mapped[CustomerType] = mapped_column(enum_type(CustomerType))
    first_name: Mapped[str | None] = mapped_column(sa.String(NAME_LENGTH))
    last_name: Mapped[str | None] = mapped_column(sa.String(NAME_LENGTH))
    company_name: Mapped[str | None] = mapped_column(sa.String(NAME_LENGTH))
    email: Mapped[str] = mapped_column(sa.String(EMAIL_LENGTH), unique=True)
    status: Mapped[CustomerStatus] = mapped_column(enum_type(CustomerStatus), default=CustomerStatus.ACTIVE)
    owner_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("users.uuid"), index=True)
    webhooks: Mapped[int] = mapped_column(default=0)
    """How many endpoints listen now: who writes down what happened need not look for them when it is 0."""
    owner: Mapped[User] = relationship()

    @property
    def display_name(self) -> str:
        """The company's name, or the person's."""
        return display_name(self.company_name, self.first_name, self.last_name, self.email)

    @property
    def usable(self) -> bool:
        """Whether what they bought works."""
        return self.status in {CustomerStatus.ACTIVE, CustomerStatus.SUSPENDED}


class CustomerMember(MembershipMixin, IdentifierMixin, TimestampMixin, Base):
    """A user in a customer, with what the owner granted him there."""

    __tablename__ = "customer_members"

    customer_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("customers.uuid", ondelete="CASCADE"))
    customer: Mapped[Customer] = relationship()

    __table_args__ = (sa.UniqueConstraint("customer_uuid", "user_uuid"),)

    def granted(self, at: datetime) -> frozenset[CustomerPermission]:
        """What is granted at this time."""
        return frozenset(CustomerPermission(word) for word in self.words(at) if word in set(CustomerPermission))
