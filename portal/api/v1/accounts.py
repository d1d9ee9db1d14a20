"""The API's routes for reading accounts, subscriptions and the catalogue of features."""

from datetime import datetime

from flask import Blueprint, Response
from sqlalchemy.orm import contains_eager, joinedload

from portal.accounts.models import Account
from portal.api.v1 import includes
from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint
from portal.api.v1.core.query_params import Listing, listing_of
from portal.clock import now
from portal.customers.models import Customer
from portal.db import session
from portal.edge import actor
from portal.edge.guard import bearer_only
from portal.errors import NotFound
from portal.identifiers import matches_identifier
from portal.people.models import User
from portal.permissions.visibility import seen_accounts, seen_subscriptions
from portal.resources.declaring import fields_of
from portal.resources.subscriptions import (
    AccountSchema,
    FeatureSchema,
    SubscriptionSchema,
    serialize_account,
    serialize_customer,
    serialize_feature,
    serialize_subscription,
)
from portal.scopes import Scope
from portal.subscriptions.feature_catalog import FEATURES
from portal.subscriptions.models import Subscription

bp = Blueprint("customers", __name__)  # the name is a part of the public operation ids

TAG = "Accounts and subscriptions"
ACCOUNTS = listing_of(
    AccountSchema,
    Account,
    includes=("customer", "subscription"),
    inner={name: includes.FIELDS[name] for name in ("customer", "subscription")},
)
SUBSCRIPTIONS = listing_of(
    SubscriptionSchema, Subscription, includes=("customer",), inner={"customer": includes.FIELDS["customer"]}
)
CATALOGUE = Listing(columns={}, tie=None, fields=frozenset(fields_of(FeatureSchema)))

_OWNER = joinedload(Account.owner).lazyload(User.platform_roles)
_ACCOUNT = (
    contains_eager(Account.customer).joinedload(Customer.owner).lazyload(User.platform_roles),
    joinedload(Account.subscription),
    _OWNER,
)
_SUBSCRIPTION = (contains_eager(Subscription.customer).joinedload(Customer.owner).lazyload(User.platform_roles),)


@bp.get("/accounts")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=AccountSchema, many=True, listing=ACCOUNTS)
@bearer_only
def accounts() -> Response:
    """List the accounts that the caller owns, himself or through their customer; staff: all."""
    asked = query_params.list_query(ACCOUNTS)
    rows, page = pagination.rows_of(asked, seen_accounts(actor.someone()), *_ACCOUNT)
    at = now()
    return responses.listing([_account(row[0], asked.selection, at) for row in rows], asked.selection, page)


@bp.get("/accounts/<anyid:account_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=AccountSchema, listing=ACCOUNTS)
@bearer_only
def account(account_id: str) -> Response:
    """Read an account."""
    selection = query_params.field_selection(ACCOUNTS)
    query = seen_accounts(actor.someone()).where(matches_identifier(Account, account_id)).options(*_ACCOUNT)
    found = session.scalars(query).unique().one_or_none()
    if found is None:
        raise NotFound
    return responses.single(_account(found, selection, now()), selection, tag=responses.etag_of(found))


def _account(account: Account, selection: query_params.FieldSelection, at: datetime) -> dict[str, object]:
    data = serialize_account(account)
    related = includes.below_account(account, selection.includes, at)
    return data | {name: _inner(selection, name, related[name]) for name in selection.includes}


def _inner(
    selection: query_params.FieldSelection, name: str, included: dict[str, dict[str, object]]
) -> dict[str, object]:
    return {"data": selection.select_inner(name, included["data"])}


@bp.get("/subscriptions")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=SubscriptionSchema, many=True, listing=SUBSCRIPTIONS)
@bearer_only
def subscriptions() -> Response:
    """List the subscriptions of the customers and accounts that the caller owns; staff: all."""
    asked = query_params.list_query(SUBSCRIPTIONS)
    rows, page = pagination.rows_of(asked, seen_subscriptions(actor.someone()), *_SUBSCRIPTION)
    at = now()
    return responses.listing([_subscription(row[0], asked.selection, at) for row in rows], asked.selection, page)


@bp.get("/subscriptions/<anyid:subscription_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=SubscriptionSchema, listing=SUBSCRIPTIONS)
@bearer_only
def subscription(subscription_id: str) -> Response:
    """Read a subscription with its features."""
    selection = query_params.field_selection(SUBSCRIPTIONS)
    query = (
        seen_subscriptions(actor.someone())
        .where(matches_identifier(Subscription, subscription_id))
        .options(*_SUBSCRIPTION)
    )
    found = session.scalars(query).unique().one_or_none()
    if found is None:
        raise NotFound
    return responses.single(_subscription(found, selection, now()), selection, tag=responses.etag_of(found))


def _subscription(
    subscription: Subscription, selection: query_params.FieldSelection, at: datetime
) -> dict[str, object]:
    data = serialize_subscription(subscription, at)
    if selection.wants("customer"):
        data["customer"] = _inner(selection, "customer", {"data": serialize_customer(subscription.customer)})
    return data


@bp.get("/features")
@endpoint("Features", scope=Scope.ROOMS_READ, returns=FeatureSchema, many=True, listing=CATALOGUE)
@bearer_only
def features() -> Response:
    """List the fixed catalogue of features: what a plan can grant, and whether a room may narrow it."""
    selection = query_params.field_selection(CATALOGUE)
    data = [serialize_feature(feature) for feature in FEATURES.values()]
    return responses.listing(data, selection, responses.one_page(len(data)))
