"""Customers, what they bought, and what that grants: subscriptions, accounts and features; and provider rows."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from portal.accounts.models import Account, AccountStatus
from portal.customers.models import Customer, CustomerStatus, CustomerType
from portal.customers.search import matches as customer_matches
from portal.people.emails import canonical_email
from portal.resources.amounts import AMOUNT, decimal_string
from portal.resources.columns import Column, worded
from portal.resources.declaring import Id, IdentifiedResource, Included, Read, Resource, serializer
from portal.resources.packages import PackageSchema
from portal.resources.plain_rooms import PlainRoomSchema
from portal.resources.subscription_parts import SubscriptionFeatureSchema, SubscriptionProviderSchema, UsageSchema
from portal.rooms.features import EffectiveFeature
from portal.subscriptions.feature_catalog import FEATURES, Feature, api_value
from portal.subscriptions.models import Subscription, SubscriptionStatus
from portal.subscriptions.provider_models import ServiceType
from portal.subscriptions.terms import PeriodUnit

Value = int | bool | None
OWNER_ID = Read("owner.id")
CUSTOMER_ID = Read("customer.id")
SUBSCRIBER_ID = Annotated[Id, Field(description="The same as `customer_id`."), CUSTOMER_ID]


class CustomerSchema(IdentifiedResource):
    """A customer: the company or person who pays."""

    object: Literal["Customer"]
    customer_type: Annotated[
        Literal["business", "personal"],
        Column(Customer.customer_type, kind=CustomerType),
        Read("customer_type.value"),
    ]
    company_name: Annotated[str | None, Column(Customer.company_name, like=customer_matches)]
    first_name: Annotated[str | None, Column(Customer.first_name, like=customer_matches)]
    last_name: Annotated[str | None, Column(Customer.last_name, like=customer_matches)]
    email: Annotated[
        str, Column(Customer.email, like=customer_matches, stored=lambda text: canonical_email(text) or text)
    ]
    status: Annotated[CustomerStatus, Column(Customer.status)]
    owner_id: Annotated[Id, OWNER_ID]
    country: Annotated[str, Column(Customer.country)]
    currency: Annotated[str, Column(Customer.currency)]
    timezone: str | None
    external_id: Annotated[str | None, Column(Customer.external_id)]
    customer_key: Annotated[str, Column(Customer.customer_key)]
    customer_prefix: str | None
    hostname: str | None
    subdomain: str | None
    allowed_domains_origins: list[str]
    allowed_domains_registration: list[str]
    customer_settings: dict[str, Any]
    customer_metadata: dict[str, Any]


class PlainAccountSchema(IdentifiedResource):
    """An instance of a service that a customer bought."""

    object: Literal["Account"]
    account_name: Annotated[str, worded(Account.account_name)]
    status: Annotated[
        Literal["active", "inactive"],
        Column(Account.status, kind=AccountStatus),
        Read("status.value"),
    ]
    account_key: Annotated[str, Column(Account.account_key)]
    customer_id: Annotated[Id, CUSTOMER_ID]
    subscriber_id: SUBSCRIBER_ID
    subscription_id: Annotated[Id, Read("subscription.id")]
    owner_id: Annotated[Id, OWNER_ID]
    account_metadata: dict[str, Any]


class SubscriptionSchema(IdentifiedResource):
    """What a customer bought. Unlimited numbers are `true`."""

    object: Literal["ServicePackageSubscription"]
    tag: Annotated[str, Column(Subscription.tag)]
    name: Annotated[str, worded(Subscription.name)]
    customer_id: Annotated[Id, CUSTOMER_ID]
    subscriber_id: SUBSCRIBER_ID
    package_id: Annotated[Id, Read("package.id")]
    service_type: Annotated[ServiceType, Column(Subscription.service_type)]
    status: Annotated[SubscriptionStatus, Column(Subscription.status)]
    is_active: Annotated[bool, Read(lambda subscription, at: subscription.is_active(at))]
    starts_at: datetime
    trial_ends_at: datetime | None
    ends_at: Annotated[datetime | None, Column(Subscription.ends_at)]
    canceled_at: datetime | None
    cancels_at: datetime | None
    tier: int
    price: Annotated[str, AMOUNT, Read(lambda row, _: decimal_string(row.price, row.currency))]
    currency: str
    periodicity: int | None
    periodicity_type: PeriodUnit | None
    trial_period: int | None
    trial_interval: PeriodUnit | None
    grace_period: int | None
    grace_interval: PeriodUnit | None
    subscription_metadata: dict[str, Any]
    feature_values: Annotated[
        dict[str, int | bool],
        Read(lambda row, _: {code: api_value(FEATURES[code], value) for code, value in row.values.items()}),
    ]
    customer: Included[CustomerSchema] | None = None
    features: Included[list[SubscriptionFeatureSchema]] | None = None
    providers: Included[list[SubscriptionProviderSchema]] | None = None
    package: Included[PackageSchema] | None = None
    usage: Included[list[UsageSchema]] | None = None
    accounts: Included[list[PlainAccountSchema]] | None = None
    rooms: Included[list[PlainRoomSchema]] | None = None


class AccountSchema(PlainAccountSchema):
    """An instance of a service that a customer bought."""

    customer: Included[CustomerSchema] | None = None
    subscription: Included[SubscriptionSchema] | None = None


class EffectiveFeatureSchema(Resource):
    """What the plan says, what the room says, what counts, and why."""

    code: str
    subscription_value: Annotated[
        Value,
        Read(lambda row, _: api_value(row.feature, row.subscription_value) if row.in_subscription else None),
    ]
    room_value: Value
    used_value: Annotated[Value, Read(lambda row, _: api_value(row.feature, row.used_value))]
    reason: Annotated[str, Read(lambda row, _: str(row.reason))]


class FeatureSchema(Resource):
    """One feature of the fixed catalogue."""

    object: Literal["Feature"]
    id: Annotated[str, Read("code")]
    code: str
    label: Annotated[str, Read(lambda feature, _: str(feature.label))]
    type: Annotated[Literal["number", "boolean"], Read(lambda feature, _: "number" if feature.numeric else "boolean")]
    unit: Annotated[str | None, Read(lambda feature, _: feature.unit or None)]
    room_types: Annotated[list[ServiceType], Read(lambda feature, _: sorted(kind.value for kind in feature.fits))]
    narrowable: bool


_serialize_customer, _serialize_subscription = serializer(CustomerSchema), serializer(SubscriptionSchema)
_serialize_account, _serialize_feature = serializer(AccountSchema), serializer(FeatureSchema)
_serialize_effective_feature = serializer(EffectiveFeatureSchema)


def serialize_customer(customer: Customer) -> dict[str, Any]:
    """A customer: the company or person who pays."""
    return _serialize_customer(customer)


def serialize_subscription(subscription: Subscription, at: datetime) -> dict[str, Any]:
    """A subscription with its features; an unlimited number is written `true`. `is_active` is computed for `at`."""
    return _serialize_subscription(subscription, at)


def serialize_account(account: Account) -> dict[str, Any]:
    """An account: an instance of a service that a customer bought."""
    return _serialize_account(account)


def serialize_effective_feature(row: EffectiveFeature) -> dict[str, Any]:
    """One row of the table of limits: what the plan says, what the room says, what counts, and why."""
    return _serialize_effective_feature(row)


def serialize_feature(feature: Feature) -> dict[str, Any]:
    """One feature of the fixed catalogue."""
    return _serialize_feature(feature)
