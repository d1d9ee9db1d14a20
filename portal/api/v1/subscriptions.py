"""The API's routes for subscriptions: reading, selling, changing, renewing, canceling and deleting them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import BeforeValidator, Field, WithJsonSchema
from sqlalchemy.orm import contains_eager, joinedload, lazyload, load_only

from portal.accounts.operations import sell_package
from portal.api.v1 import subscription_includes
from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import FieldSelection, listing_of
from portal.api.v1.core.request_body import WHOLE, AnId, RequestBody
from portal.api.v1.term_bodies import Metadata, TermsBody, with_lengths
from portal.clock import now
from portal.customers.models import Customer
from portal.customers.queries import customer_with_id
from portal.db import lock
from portal.edge import actor
from portal.edge.guard import bearer_only
from portal.edge.staff_guard import staff
from portal.errors import Invalid, Message, NotFound
from portal.moments import parse_iso, read_moment
from portal.people.models import NAME_LENGTH, User
from portal.people.staff import StaffPermission
from portal.permissions.rules import acting_as_staff
from portal.permissions.visibility import seen_subscriptions, visible_subscription
from portal.resources.subscriptions import SubscriptionSchema, serialize_subscription
from portal.scopes import Scope
from portal.status.subscription_lifecycle import delete_subscription
from portal.subscriptions.cancellation import cancel as cancel_subscription
from portal.subscriptions.changing import change_subscription
from portal.subscriptions.checked_terms import TermChanges
from portal.subscriptions.models import Subscription, SubscriptionStatus
from portal.subscriptions.package_models import ServicePackage
from portal.subscriptions.queries import find_package_by_id, subscription_with_id
from portal.subscriptions.renewal import renew as renew_subscription
from portal.subscriptions.selling import create_subscription

bp = Blueprint("subscriptions", __name__, url_prefix="/subscriptions")

TAG = "Subscriptions"
LISTING = listing_of(
    SubscriptionSchema,
    Subscription,
    includes=tuple(subscription_includes.SCHEMAS),
    inner=subscription_includes.FIELDS,
)
_RELATED = (
    contains_eager(Subscription.customer).joinedload(Customer.owner).lazyload(User.platform_roles),
    joinedload(Subscription.package).options(load_only(ServicePackage.id), lazyload("*")),
)
CHANGES = staff(StaffPermission.SUBSCRIPTIONS_UPDATE, sees=visible_subscription, subscription=subscription_with_id)


def _date_or_moment(value: object) -> object:
    """A date means a whole day of the customer's time zone, a moment the day to which it belongs there."""
    if not isinstance(value, str):
        raise ValueError(Message("Use a date like 2027-01-31."))
    try:
        moment = read_moment(value)
    except Invalid as invalid:
        raise ValueError(invalid.message) from None
    return parse_iso(value.strip()).date() if len(value.strip()) == len("2027-01-31") else moment


Day = Annotated[
    date | datetime,
    BeforeValidator(_date_or_moment),
    WithJsonSchema(
        {
            "description": "A date in the customer's time zone, or a moment with a time zone, of which the day counts.",
            "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}],
            "examples": ["2027-01-31"],
        }
    ),
]
Name = Annotated[str, Field(max_length=4 * NAME_LENGTH)]


class NewSubscription(TermsBody):
    """A package to be sold to a customer. What is left out follows from the package."""

    resource = SubscriptionSchema

    package_id: AnId
    subscriber_id: AnId
    name: Name = ""
    starts_at: Day | None = None
    ends_at: Day | None = None
    subscription_metadata: Metadata = Field(default_factory=dict)
    account: Annotated[bool, Field(description="Whether to make its first account, named after the package.")] = True


class SubscriptionChange(TermsBody):
    """What can be changed of a subscription."""

    resource = SubscriptionSchema

    name: Name = ""
    status: SubscriptionStatus = SubscriptionStatus.ACTIVE
    starts_at: Day = date.min
    ends_at: Day | None = None
    subscription_metadata: Metadata = Field(default_factory=dict)


class RenewalRequest(RequestBody):
    """By how many periods a subscription is renewed, and whether a cancellation is taken back."""

    renew: bool
    cycles: Annotated[int, Field(ge=1, le=120), WHOLE] = 1
    uncancel: bool = False


class CancellationRequest(RequestBody):
    """Whether a subscription is canceled, and whether now instead of at the end of its period."""

    cancel: bool
    cancel_now: bool = False


@bp.get("")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=SubscriptionSchema, many=True, listing=LISTING)
@bearer_only
def index() -> Response:
    """List the subscriptions of the customers and accounts that the caller owns; staff: all."""
    asked = query_params.list_query(LISTING)
    rows, page = pagination.rows_of(asked, seen_subscriptions(actor.someone()), *_RELATED)
    return responses.listing(_serialized([row[0] for row in rows], asked.selection), asked.selection, page)


@bp.get("/<anyid:subscription_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=SubscriptionSchema, listing=LISTING)
@bearer_only
def show_one(subscription_id: str) -> Response:
    """Read a subscription with its features."""
    selection = query_params.field_selection(LISTING)
    found = visible_subscription(actor.someone(), subscription_id, *_RELATED)
    if found is None:
        raise NotFound
    return _one(found, selection)


@bp.post("")
@endpoint(
    TAG, scope=Scope.CUSTOMERS_WRITE, returns=SubscriptionSchema, status=201, listing=LISTING, refusals=(403, 404, 409),
    permission=StaffPermission.SUBSCRIPTIONS_CREATE,
)  # fmt: skip
@staff(StaffPermission.SUBSCRIPTIONS_CREATE)
@takes(NewSubscription, example={"package_id": "p6Yh3DpQ2x", "subscriber_id": "c3Yh3DpQ2x", "starts_at": "2027-01-31"})
def create(body: NewSubscription) -> Response:
    """Sell a package to a customer, with a first account unless told not to.

    Its price is in the package's currency unless told, whatever the customer pays in otherwise.
    """
    selection = query_params.field_selection(LISTING)
    customer, package = customer_with_id(body.subscriber_id), find_package_by_id(body.package_id)
    if customer is None:
        raise Invalid(subscriber_id=Message("There is no such customer."))
    if package is None:
        raise Invalid(package_id=Message("There is no such package."))
    by = acting_as_staff(actor.someone(), customer)
    given = with_lengths(body.given(), package)
    sale: dict[str, Any] = {"customer": customer, "package": package, "name": body.name, "starts_at": body.starts_at}
    sale["terms"] = {name: value for name, value in given.items() if name in TermChanges.__annotations__}
    sold = sell_package(**sale, by=by).subscription if body.account else create_subscription(**sale, by=by)
    later = {name: value for name, value in given.items() if name in {"ends_at", "subscription_metadata"}}
    if later:
        change_subscription(sold, by=by, **later)
    at = f"/api/v1/subscriptions/{sold.id}"
    (made,) = _serialized([sold], selection)
    return responses.created(made, selection, at=at, tag=responses.etag_of(sold))


@bp.patch("/<anyid:subscription_id>")
@endpoint(
    TAG, scope=Scope.CUSTOMERS_WRITE, returns=SubscriptionSchema, listing=LISTING, refusals=(403, 409),
    permission=StaffPermission.SUBSCRIPTIONS_UPDATE,
)  # fmt: skip
@CHANGES
@takes(SubscriptionChange, end={"ends_at": "2027-01-31"}, grace={"grace_period": 1, "grace_interval": "week"})
def change(subscription: Subscription, body: SubscriptionChange) -> Response:
    """Change a subscription. A new period counts from the next renewal on; trial and grace at once.

    A status is set by what leads to it: `suspended` suspends, `canceled` cancels at the end, `active` resumes or
    uncancels, `inactive` ends at once, `terminated` ends for good. What has ended becomes active by renewing it.
    """
    selection = query_params.field_selection(LISTING)
    responses.check_if_match(subscription)
    change_subscription(subscription, by=actor.someone(), **with_lengths(body.given(), subscription))
    return _one(subscription, selection)


@bp.delete("/<anyid:subscription_id>")
@endpoint(
    TAG, scope=Scope.CUSTOMERS_WRITE, status=204, refusals=(403, 409), permission=StaffPermission.SUBSCRIPTIONS_DELETE
)
@staff(StaffPermission.SUBSCRIPTIONS_DELETE, sees=visible_subscription, subscription=subscription_with_id)
@takes(None)
def delete(subscription: Subscription) -> Response:
    """Delete an inactive subscription with its accounts, and their rooms with links, codes and history."""
    lock(subscription.customer)
    responses.check_if_match(subscription)
    delete_subscription(subscription, by=actor.someone())
    return responses.no_content()


@bp.post("/<anyid:subscription_id>/renew")
@endpoint(
    TAG, scope=Scope.CUSTOMERS_WRITE, returns=SubscriptionSchema, listing=LISTING, refusals=(403, 409),
    permission=StaffPermission.SUBSCRIPTIONS_UPDATE,
)  # fmt: skip
@CHANGES
@takes(RenewalRequest, example={"renew": True, "cycles": 1, "uncancel": True})
def renew(subscription: Subscription, body: RenewalRequest) -> Response:
    """Renew a subscription: a running period grows by the cycles, an ended one begins again today."""
    selection = query_params.field_selection(LISTING)
    if body.renew:
        renew_subscription(subscription, cycles=body.cycles, uncancel=body.uncancel, by=actor.someone())
    return _one(subscription, selection)


@bp.post("/<anyid:subscription_id>/cancel")
@endpoint(
    TAG, scope=Scope.CUSTOMERS_WRITE, returns=SubscriptionSchema, listing=LISTING, refusals=(403, 409),
    permission=StaffPermission.SUBSCRIPTIONS_UPDATE,
)  # fmt: skip
@CHANGES
@takes(CancellationRequest, now={"cancel": True, "cancel_now": True}, at_the_end={"cancel": True})
def cancel(subscription: Subscription, body: CancellationRequest) -> Response:
    """Cancel a subscription, at the end of its period and grace or now. Ignored when it is not active."""
    selection = query_params.field_selection(LISTING)
    if body.cancel:
        cancel_subscription(subscription, at_once=body.cancel_now, by=actor.someone())
    return _one(subscription, selection)


def _one(found: Subscription, selection: FieldSelection) -> Response:
    (read,) = _serialized([found], selection)
    return responses.single(read, selection, tag=responses.etag_of(found))


def _serialized(subscriptions: Sequence[Subscription], selection: FieldSelection) -> list[dict[str, object]]:
    """Representations with the relations that were asked for."""
    at = now()
    related = subscription_includes.load(subscriptions, actor.someone(), selection)
    return [serialize_subscription(one, at) | related[one.uuid] for one in subscriptions]
