"""The table of accounts: instances of a service that a customer bought. Every room belongs to an account."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.permission import AccountPermission
from portal.column_types import enum_type
from portal.customers.models import Customer
from portal.db import Base, TimestampMixin
from portal.errors import Message
from portal.identifiers import ID_LENGTH, IdentifierMixin, new_id
from portal.people.memberships import MembershipMixin
from portal.people.models import NAME_LENGTH, User
from portal.subscriptions.models import Subscription


class AccountStatus(StrEnum):
    """Whether the rooms of an account may be used."""

    ACTIVE = "active"
    INACTIVE = "inactive"

    @property
    def label(self) -> Message:
        """What people read."""
        return Message("Active") if self is AccountStatus.ACTIVE else Message("Inactive")


class Account(IdentifierMixin, TimestampMixin, Base):
    """An instance of a service. All accounts of a subscription share its quotas."""

    __tablename__ = "accounts"

    account_name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    account_key: Mapped[str] = mapped_column(sa.String(ID_LENGTH), unique=True, default=new_id)
    account_metadata: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[AccountStatus] = mapped_column(enum_type(AccountStatus), default=AccountStatus.ACTIVE)
    customer_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("customers.uuid"), index=True)
    subscription_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("subscriptions.uuid"), index=True)
    owner_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("users.uuid"), index=True)
    customer: Mapped[Customer] = relationship()
    subscription: Mapped[Subscription] = relationship()
    owner: Mapped[User] = relationship()


class AccountMember(MembershipMixin, IdentifierMixin, TimestampMixin, Base):
    """A user in an account, with what the owner granted him there."""

    __tablename__ = "account_members"

    account_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("accounts.uuid", ondelete="CASCADE"))
    account: Mapped[Account] = relationship()

    __table_args__ = (sa.UniqueConstraint("account_uuid", "user_uuid"),)

    @property
    def customer_uuid(self) -> UUID:
        """The customer of the account."""
        return self.account.customer_uuid

    def granted(self, at: datetime) -> frozenset[AccountPermission]:
        """What is granted at this time."""
        return frozenset(AccountPermission(word) for word in self.words(at) if word in set(AccountPermission))
