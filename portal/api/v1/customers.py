"""What the caller's customers bought: accounts and subscriptions, for reading; and the catalogue of features."""

from datetime import datetime

from flask import Blueprint, Response
from sqlalchemy.orm import contains_eager, joinedload

from portal import representations as show
from portal.accounts.models import Account, AccountStatus
from portal.api.v1 import answers, includes, language, lists, shapes
from portal.api.v1.endpoint import endpoint
from portal.api.v1.language import Column, Listing
from portal.api.v1.tokens import beginning
from portal.clock import now
from portal.credentials.scopes import Scope
from portal.customers.models import Customer
from portal.db import session
from portal.edge import actor
from portal.edge.guard import bearer_only
from portal.errors import NotFound
from portal.identifiers import matches_identifier
from portal.people.models import User
from portal.permissions.visibility import seen_accounts, seen_subscriptions
from portal.subscriptions.feature_catalog import FEATURES
from portal.subscriptions.models import ServiceType, Subscription, SubscriptionStatus

bp = Blueprint("customers", __name__)

TAG = "Accounts and subscriptions"
ACCOUNTS = Listing(
    columns={
        "account_name": Column(Account.account_name, like=lambda words: beginning(Account.account_name, words)),
        "status": Column(Account.status, AccountStatus),
        "created_at": Column(Account.created_at, "moment"),
        "updated_at": Column(Account.updated_at, "moment"),
        "id": Column(Account.id),
    },
    tie=Account.uuid,
    fields=frozenset(shapes.Account.model_fields) - {"customer", "subscription"},
    includes=("customer", "subscription"),
    inner={name: includes.FIELDS[name] for name in ("customer", "subscription")},
)
SUBSCRIPTIONS = Listing(
    columns={
        "name": Column(Subscription.name, like=lambda words: beginning(Subscription.name, words)),
        "status": Column(Subscription.status, SubscriptionStatus),
        "service_type": Column(Subscription.service_type, ServiceType),
        "created_at": Column(Subscription.created_at, "moment"),
        "updated_at": Column(Subscription.updated_at, "moment"),
        "id": Column(Subscription.id),
    },
    tie=Subscription.uuid,
    fields=frozenset(shapes.Subscription.model_fields) - {"customer"},
    includes=("customer",),
    inner={"customer": includes.FIELDS["customer"]},
)
CATALOGUE = Listing(columns={}, tie=None, fields=frozenset(shapes.Feature.model_fields))

_OWNER = joinedload(Account.owner).lazyload(User.platform_roles)
_ACCOUNT = (
    contains_eager(Account.customer).joinedload(Customer.owner).lazyload(User.platform_roles),
    joinedload(Account.subscription),
    _OWNER,
)
_SUBSCRIPTION = (contains_eager(Subscription.customer).joinedload(Customer.owner).lazyload(User.platform_roles),)


@bp.get("/accounts")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=shapes.Account, many=True, listing=ACCOUNTS)
@bearer_only
def accounts() -> Response:
    """List the accounts that the caller owns, himself or through their customer; staff: all."""
    asked = language.query(ACCOUNTS)
    rows, pagination = lists.rows_of(asked, seen_accounts(actor.someone()), *_ACCOUNT)
    at = now()
    return answers.many([_account(row[0], asked.shape, at) for row in rows], asked.shape, pagination)


@bp.get("/accounts/<anyid:account_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=shapes.Account, listing=ACCOUNTS)
@bearer_only
def account(account_id: str) -> Response:
    """Read an account."""
    shape = language.shape(ACCOUNTS)
    query = seen_accounts(actor.someone()).where(matches_identifier(Account, account_id)).options(*_ACCOUNT)
    found = session.scalars(query).unique().one_or_none()
    if found is None:
        raise NotFound
    return answers.one(_account(found, shape, now()), shape, tag=answers.tag_of(found))


def _account(account: Account, shape: language.Shape, at: datetime) -> dict[str, object]:
    data = show.account(account)
    related = includes.below_account(account, shape.includes, at)
    return data | {name: _inner(shape, name, related[name]) for name in shape.includes}


def _inner(shape: language.Shape, name: str, included: dict[str, dict[str, object]]) -> dict[str, object]:
    return {"data": shape.cut_inner(name, included["data"])}


@bp.get("/subscriptions")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=shapes.Subscription, many=True, listing=SUBSCRIPTIONS)
@bearer_only
def subscriptions() -> Response:
    """List the subscriptions of the customers and accounts that the caller owns; staff: all."""
    asked = language.query(SUBSCRIPTIONS)
    rows, pagination = lists.rows_of(asked, seen_subscriptions(actor.someone()), *_SUBSCRIPTION)
    at = now()
    return answers.many([_subscription(row[0], asked.shape, at) for row in rows], asked.shape, pagination)


@bp.get("/subscriptions/<anyid:subscription_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=shapes.Subscription, listing=SUBSCRIPTIONS)
@bearer_only
def subscription(subscription_id: str) -> Response:
    """Read a subscription with its features."""
    shape = language.shape(SUBSCRIPTIONS)
    query = (
        seen_subscriptions(actor.someone())
        .where(matches_identifier(Subscription, subscription_id))
        .options(*_SUBSCRIPTION)
    )
    found = session.scalars(query).unique().one_or_none()
    if found is None:
        raise NotFound
    return answers.one(_subscription(found, shape, now()), shape, tag=answers.tag_of(found))


def _subscription(subscription: Subscription, shape: language.Shape, at: datetime) -> dict[str, object]:
    data = show.subscription(subscription, at)
    if shape.wants("customer"):
        data["customer"] = _inner(shape, "customer", {"data": show.customer(subscription.customer)})
    return data


@bp.get("/features")
@endpoint("Features", scope=Scope.ROOMS_READ, returns=shapes.Feature, many=True, listing=CATALOGUE)
@bearer_only
def features() -> Response:
    """List the fixed catalogue of features: what a plan can grant, and whether a room may narrow it."""
    shape = language.shape(CATALOGUE)
    data = [show.feature(feature) for feature in FEATURES.values()]
    pagination = {
        "total": len(data), "count": len(data), "per_page": len(data), "current_page": 1, "total_pages": 1,
        "links": {"previous": None, "next": None},
    }  # fmt: skip
    return answers.many(data, shape, pagination)
