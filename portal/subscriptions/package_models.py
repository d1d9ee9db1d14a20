"""The tables of packages: what is sold, with the features it grants and the providers that can serve it."""

from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.column_types import Money, enum_type
from portal.db import Base, TimestampMixin
from portal.identifiers import IdentifierMixin
from portal.partial_indexes import partial_index
from portal.people.models import NAME_LENGTH
from portal.subscriptions.provider_models import FeatureValueMixin, ServiceProvider, ServiceType
from portal.subscriptions.terms import TermsMixin

SHORT_DESCRIPTION_LENGTH = 250
DESCRIPTION_LENGTH = 5000


class PackageStatus(StrEnum):
    """Whether a package can be sold. What was sold of it goes on."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class ServicePackage(TermsMixin, IdentifierMixin, TimestampMixin, Base):
    """What is sold: rooms of one type, with these features, on one of these providers, on these terms."""

    __tablename__ = "service_packages"

    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    short_description: Mapped[str] = mapped_column(sa.String(SHORT_DESCRIPTION_LENGTH), default="")
    description: Mapped[str] = mapped_column(sa.String(DESCRIPTION_LENGTH), default="")
    service_type: Mapped[ServiceType] = mapped_column(enum_type(ServiceType))
    status: Mapped[PackageStatus] = mapped_column(enum_type(PackageStatus), default=PackageStatus.ACTIVE)
    hidden: Mapped[bool] = mapped_column(default=False)
    """Whether only staff sell it."""
    signup_fee: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    has_stock: Mapped[bool] = mapped_column(default=False)
    """Whether only so many may be sold as are in stock."""
    stock_qty: Mapped[int] = mapped_column(default=0)
    """How many may still be sold, where `has_stock`. Counted down under a lock by each sale."""
    package_metadata: Mapped[dict[str, Any]] = mapped_column(default=dict)
    features: Mapped[list["PackageFeature"]] = relationship(
        cascade="all, delete-orphan", order_by="PackageFeature.code", lazy="selectin"
    )
    providers: Mapped[list["PackageProvider"]] = relationship(
        back_populates="package", cascade="all, delete-orphan", order_by="PackageProvider.uuid", lazy="selectin"
    )

    __table_args__ = (sa.Index(None, "name", "uuid"),)

    @property
    def values(self) -> dict[str, int | bool | None]:
        """Feature code → value. None means an unlimited number."""
        return {feature.code: feature.value for feature in self.features}

    @property
    def default_provider(self) -> "PackageProvider | None":
        """The provider that a new subscription gets; None if there is none yet."""
        return next((one for one in self.providers if one.is_default), None)


class PackageFeature(FeatureValueMixin, Base):
    """One feature of a package."""

    __tablename__ = "package_features"

    package_uuid: Mapped[UUID] = mapped_column(
        sa.ForeignKey("service_packages.uuid", ondelete="CASCADE"), primary_key=True
    )


class PackageProvider(IdentifierMixin, TimestampMixin, Base):
    """A provider that can serve a package. One of a package is its default."""

    __tablename__ = "package_providers"

    package_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("service_packages.uuid", ondelete="CASCADE"))
    provider_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("service_providers.uuid"), index=True)
    active: Mapped[bool] = mapped_column(default=True)
    """Whether new subscriptions may use it."""
    is_default: Mapped[bool] = mapped_column(default=False)
    provider_settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    provider_metadata: Mapped[dict[str, Any]] = mapped_column(default=dict)
    package: Mapped[ServicePackage] = relationship(back_populates="providers")
    provider: Mapped[ServiceProvider] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (
        sa.UniqueConstraint("package_uuid", "provider_uuid"),
        partial_index("uq_package_providers_default", "package_uuid", where="is_default", unique=True),
    )
