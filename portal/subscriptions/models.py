"""The tables of subscriptions, with their features and providers: what customers bought."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column, relationship

from portal.column_types import enum_type, json_rows
from portal.customers.models import Customer
from portal.db import Base, TimestampMixin
from portal.identifiers import IdentifierMixin, new_id
from portal.people.models import NAME_LENGTH
from portal.search_terms import search_terms
from portal.subscriptions.package_models import PackageProvider, ServicePackage
from portal.subscriptions.provider_models import FeatureValueMixin, ServiceProvider, ServiceType
from portal.subscriptions.terms import TermsMixin

TAG_LENGTH = 8


class SubscriptionStatus(StrEnum):
    """The status of a subscription. A canceled one stays usable until `cancels_at`, within its period and grace."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    CANCELED = "canceled"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"


class Term(Protocol):
    """The status and the dates on which it depends whether a subscription may be used."""

    @property
    def status(self) -> SubscriptionStatus: ...
    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime | None: ...
    @property
    def grace_until(self) -> datetime | None: ...
    @property
    def cancels_at(self) -> datetime | None: ...


def is_active(term: Term, at: datetime) -> bool:
    """Whether a subscription of this term may be used at `at`. Computed, because a stored flag goes stale."""
    end = max(filter(None, (term.ends_at, term.grace_until)), default=None)
    if at < term.starts_at or (end is not None and at >= end):
        return False
    if term.status is SubscriptionStatus.CANCELED:
        return term.cancels_at is not None and at < term.cancels_at
    return term.status is SubscriptionStatus.ACTIVE


PackedPlan = list[tuple[str, int | None, int | bool | None]]
"""What `plan_column` reads: code, number and switch of each feature."""


def plan_values(packed: PackedPlan | None) -> dict[str, int | bool | None]:
    """Feature code → value, from the column `plan_column`. None means an unlimited number."""
    return {code: number if switch is None else bool(switch) for code, number, switch in packed or ()}


def new_tag() -> str:
    """A short text by which people name a subscription."""
    return new_id()[:TAG_LENGTH]


class Subscription(TermsMixin, IdentifierMixin, TimestampMixin, Base):
    """What a customer bought. Features, terms and default provider are copies of what was sold at that time."""

    __tablename__ = "subscriptions"

    customer_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("customers.uuid"), index=True)
    package_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("service_packages.uuid"), index=True)
    provider_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("service_providers.uuid"), index=True)
    """The default provider, on which its rooms run."""
    tag: Mapped[str] = mapped_column(sa.String(TAG_LENGTH), unique=True, default=new_tag)
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    service_type: Mapped[ServiceType] = mapped_column(enum_type(ServiceType))
    status: Mapped[SubscriptionStatus] = mapped_column(enum_type(SubscriptionStatus), default=SubscriptionStatus.ACTIVE)
    starts_at: Mapped[datetime]
    trial_ends_at: Mapped[datetime | None]
    """When the trial ends, with which its term begins; None: it has none."""
    ends_at: Mapped[datetime | None] = mapped_column(index=True)
    grace_until: Mapped[datetime | None]
    """When the grace after `ends_at` is over, as `grace` says. It is written whenever one of these is."""
    canceled_at: Mapped[datetime | None]
    cancels_at: Mapped[datetime | None]
    warned_days: Mapped[int | None]
    """How many days before its end staff were warned last; None: not of this end yet."""
    subscription_metadata: Mapped[dict[str, Any]] = mapped_column(default=dict)
    customer: Mapped[Customer] = relationship()
    package: Mapped[ServicePackage] = relationship()
    provider: Mapped[ServiceProvider] = relationship(lazy="joined", innerjoin=True)
    features: Mapped[list["SubscriptionFeature"]] = relationship(
        lazy="joined", cascade="all, delete-orphan", order_by="SubscriptionFeature.code"
    )

    name_words: Mapped[str] = mapped_column(sa.Text)
    """The words of name and tag, by which it is found. They are set whenever the row is written."""

    __table_args__ = (  # pages of lists by these; a migration makes the index of `endings.end_or_never`
        sa.Index("ix_subscriptions_created_at_uuid", "created_at", "uuid"),
        sa.Index("ix_subscriptions_status_created_at_uuid", "status", "created_at", "uuid"),
    )

    def is_active(self, at: datetime) -> bool:
        """Whether it may be used at `at`."""
        return is_active(self, at)

    _plan: ClassVar[dict[str, int | bool | None] | None] = None

    @property
    def values(self) -> dict[str, int | bool | None]:
        """Feature code → value. None means an unlimited number."""
        if self._plan is not None:
            return self._plan
        return {feature.code: feature.value for feature in self.features}

    def set_plan(self, packed: PackedPlan | None) -> None:
        """Set `values` from the column `plan_column` of a larger statement, so that they need no query of their own."""
        vars(self)["_plan"] = plan_values(packed)  # of this instance, and no column

    def forget_plan(self) -> None:
        """Read `values` from the database again."""
        vars(self).pop("_plan", None)


@sa.event.listens_for(Subscription, "before_insert")
@sa.event.listens_for(Subscription, "before_update")
def _set_words(_mapper: object, _connection: object, subscription: Subscription) -> None:
    subscription.tag = subscription.tag or new_tag()
    subscription.name_words = " ".join(search_terms(f"{subscription.name} {subscription.tag}"))


class SubscriptionFeature(FeatureValueMixin, Base):
    """One feature of a subscription."""

    __tablename__ = "subscription_features"

    subscription_uuid: Mapped[UUID] = mapped_column(
        sa.ForeignKey("subscriptions.uuid", ondelete="CASCADE"), primary_key=True
    )


class SubscriptionProvider(IdentifierMixin, TimestampMixin, Base):
    """A provider of its package that a subscription may use. The default is `Subscription.provider`."""

    __tablename__ = "subscription_providers"

    subscription_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("subscriptions.uuid", ondelete="CASCADE"))
    package_provider_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("package_providers.uuid"), index=True)
    active: Mapped[bool] = mapped_column(default=True)
    provider_metadata: Mapped[dict[str, Any]] = mapped_column(default=dict)
    package_provider: Mapped[PackageProvider] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (sa.UniqueConstraint("subscription_uuid", "package_provider_uuid"),)


def plan_column(subscription_uuid: InstrumentedAttribute[UUID]) -> sa.ScalarSelect[Any]:
    """A subquery with all features of a subscription in one JSON column, for `plan_values`."""
    features = json_rows(SubscriptionFeature.code, SubscriptionFeature.number, SubscriptionFeature.switch)
    return sa.select(features).where(SubscriptionFeature.subscription_uuid == subscription_uuid).scalar_subquery()
