"""Accounts: instances of a service that a customer bought. Rooms live in accounts."""

from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.customers.models import Customer
from portal.db import Base, Dated, one_of
from portal.identifiers import Identified
from portal.people.models import NAME_LENGTH, User
from portal.subscriptions.models import Subscription


class AccountStatus(StrEnum):
    """May its rooms be used?"""

    ACTIVE = "active"
    INACTIVE = "inactive"


class Account(Identified, Dated, Base):
    """All accounts of a subscription share its quotas."""

    __tablename__ = "accounts"

    account_name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    status: Mapped[AccountStatus] = mapped_column(one_of(AccountStatus), default=AccountStatus.ACTIVE)
    customer_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("customers.uuid"), index=True)
    subscription_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("subscriptions.uuid"), index=True)
    owner_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("users.uuid"), index=True)
    customer: Mapped[Customer] = relationship()
    subscription: Mapped[Subscription] = relationship()
    owner: Mapped[User] = relationship()
