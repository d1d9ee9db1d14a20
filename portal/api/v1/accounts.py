"""The API's routes for accounts."""

from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import Field
from sqlalchemy.orm import contains_eager, joinedload

from portal.accounts.models import Account, AccountStatus
from portal.accounts.operations import change_account, create_account, lock_account
from portal.accounts.permission import AccountPermission
from portal.api.v1 import includes
from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import listing_of
from portal.api.v1.core.request_body import AnId, RequestBody
from portal.clock import now
from portal.customers.models import Customer
from portal.customers.permission import CustomerPermission
from portal.edge import actor
from portal.edge.guard import bearer_only
from portal.edge.place_guard import in_account, require_staff
from portal.errors import Invalid, Message
from portal.people.models import NAME_LENGTH, User
from portal.people.staff import StaffPermission
from portal.permissions.account_rights import require_account_creation, require_account_deletion
from portal.permissions.colleagues import find_colleague, no_colleague
from portal.permissions.ownership import require_owner_of_new_account
from portal.permissions.places import visible_accounts, visible_customer
from portal.permissions.rules import acting_on
from portal.resources.subscriptions import AccountSchema, serialize_account
from portal.scopes import Scope
from portal.status.account_lifecycle import change_account_status, delete_account, move_account
from portal.subscriptions.models import Subscription
from portal.subscriptions.queries import subscription_with_id

bp = Blueprint("accounts", __name__, url_prefix="/accounts")

TAG = "Accounts"
Name = Annotated[str, Field(max_length=4 * NAME_LENGTH)]
LISTING = listing_of(
    AccountSchema,
    Account,
    includes=("customer", "subscription"),
    inner={name: includes.FIELDS[name] for name in ("customer", "subscription")},
)

_OWNER = joinedload(Account.owner).lazyload(User.platform_roles)
_ACCOUNT = (
    contains_eager(Account.customer).joinedload(Customer.owner).lazyload(User.platform_roles),
    joinedload(Account.subscription).joinedload(Subscription.package).lazyload("*"),
    _OWNER,
)


class NewAccount(RequestBody):
    """A new account of a subscription. Without an owner it is the customer's; only he and staff choose another."""

    resource = AccountSchema

    subscription_id: AnId
    account_name: Name
    owner_id: AnId | None = None
    account_metadata: dict[str, Any] | None = None


class AccountChange(RequestBody):
    """What is changed of an account. Another `subscription_id` moves it, with its rooms."""

    resource = AccountSchema

    account_name: Name | None = None
    status: Annotated[AccountStatus | None, Field(strict=False)] = None
    subscription_id: AnId | None = None
    account_metadata: dict[str, Any] | None = None


@bp.get("")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=AccountSchema, many=True, listing=LISTING)
@bearer_only
def index() -> Response:
    """List the accounts that the caller owns, himself or through their customer, or has rights in; staff: all."""
    asked, at = query_params.list_query(LISTING), now()
    rows, page = pagination.rows_of(asked, visible_accounts(actor.someone(), at), *_ACCOUNT)
    return responses.listing([_account(row[0], asked.selection, at) for row in rows], asked.selection, page)


@bp.post("")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, returns=AccountSchema, status=201, listing=LISTING, refusals=(403, 409))
@bearer_only
@takes(NewAccount, example={"subscription_id": "u6Yh3DpQ2x", "account_name": "Events"})
def create(body: NewAccount) -> Response:
    """Make an account: staff, or people of the customer with `accounts:create`, if their plan lets them."""
    selection, somebody = query_params.field_selection(LISTING), actor.someone()
    subscription = subscription_with_id(body.subscription_id)
    creating = CustomerPermission.ACCOUNTS_CREATE
    customer = visible_customer(somebody, subscription.customer.id, using=creating) if subscription else None
    if subscription is None or customer is None:
        raise Invalid(subscription_id=Message("There is no such subscription, or none of yours."))
    require_account_creation(somebody, subscription)
    actor.become(acting_on(somebody, creating, customer))
    owner = find_colleague(customer, user_id=body.owner_id) if body.owner_id is not None else None
    if body.owner_id is not None and owner is None:
        raise Invalid(owner_id=no_colleague(customer, named="user_id"))
    if owner is not None and owner.uuid != customer.owner_uuid:
        try:
            require_owner_of_new_account(owner, customer, by=somebody)
        except Invalid as invalid:
            raise Invalid(owner_id=invalid.fields["email"]) from None
    account = create_account(
        subscription=subscription,
        account_name=body.account_name,
        owner=owner,
        metadata=body.account_metadata,
        by=actor.someone(),
    )
    made = _account(account, selection, now())
    return responses.created(made, selection, at=f"/api/v1/accounts/{account.id}", tag=responses.etag_of(account))


@bp.get("/<anyid:account_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=AccountSchema, listing=LISTING)
@in_account()
def show_one(account: Account) -> Response:
    """Read an account."""
    return _answer(account)


@bp.patch("/<anyid:account_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, returns=AccountSchema, listing=LISTING, refusals=(403, 409))
@in_account(AccountPermission.ACCOUNT_EDIT)
@takes(AccountChange, example={"account_name": "Events"})
def change(account: Account, body: AccountChange) -> Response:
    """Change an account. Only staff change its status or move it to another subscription of its customer and type."""
    if body.status is not None or body.subscription_id is not None:
        require_staff(StaffPermission.ACCOUNTS_UPDATE, account)
        lock_account(account)
    responses.check_if_match(account)
    by = actor.someone()
    change_account(account, account_name=body.account_name, metadata=body.account_metadata, by=by)
    if body.status is not None:
        change_account_status(account, body.status, by=by)
    if body.subscription_id is not None:
        to = subscription_with_id(body.subscription_id)
        if to is None:
            raise Invalid(subscription_id=Message("There is no such subscription."))
        move_account(account, to, by=by)
    return _answer(account)


@bp.delete("/<anyid:account_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, status=204, refusals=(403, 409))
@in_account()
@takes(None)
def delete(account: Account) -> Response:
    """Delete an inactive account with its rooms: staff, or the customer's people, if their plan lets them."""
    somebody = actor.someone()
    require_account_deletion(somebody, account)
    lock_account(account)
    responses.check_if_match(account)
    actor.become(acting_on(somebody, CustomerPermission.ACCOUNTS_DELETE, account.customer))
    delete_account(account, by=actor.someone())
    return responses.no_content()


def _answer(account: Account) -> Response:
    selection = query_params.field_selection(LISTING)
    return responses.single(_account(account, selection, now()), selection, tag=responses.etag_of(account))


def _account(account: Account, selection: query_params.FieldSelection, at: datetime) -> dict[str, object]:
    data = serialize_account(account)
    related = includes.below_account(account, selection.includes, at)
    return data | {name: _inner(selection, name, related[name]) for name in selection.includes}


def _inner(
    selection: query_params.FieldSelection, name: str, included: dict[str, dict[str, object]] | None
) -> dict[str, object] | None:
    return None if included is None else {"data": selection.select_inner(name, included["data"])}
