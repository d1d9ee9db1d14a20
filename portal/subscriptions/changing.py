"""Changing what staff may write of a subscription: its name, status, dates, terms and metadata."""

from datetime import date, datetime
from typing import Unpack, cast

from portal.audit.changes import changes_since, values_of
from portal.audit.operations import record_event
from portal.db import lock, session
from portal.errors import Invalid, InvalidFields, Message
from portal.metadata import checked_metadata
from portal.people.actor import Actor
from portal.people.models import NAME_LENGTH
from portal.people.names import clean_name
from portal.subscriptions.checked_terms import TermChanges, change_terms
from portal.subscriptions.dates import day_after, later_day, set_end, starting_day, zone_of
from portal.subscriptions.models import Subscription, SubscriptionStatus
from portal.subscriptions.statuses import change_status
from portal.subscriptions.terms import TERMS, day_of, start_of

AUDITED = (
    "name", "starts_at", "trial_ends_at", "ends_at", "cancels_at", *TERMS, "subscription_metadata",
)  # fmt: skip


class SubscriptionChanges(TermChanges, total=False):
    """The arguments of a change. What is left out stays as it is.

    `ends_at` is null for no end; a date means through that day in the customer's time zone.
    """

    name: str
    status: SubscriptionStatus
    starts_at: date | datetime
    ends_at: date | datetime | None
    subscription_metadata: object


def change_subscription(
    subscription: Subscription, *, by: Actor | None = None, **changes: Unpack[SubscriptionChanges]
) -> None:
    """Change what is given. A new period counts from the next renewal on; trial and grace at once.

    A status is set last, by the operation that stands for it (`statuses.change_status`), which tells of it itself.
    Raises `Invalid` on the fields that are wrong or contradict each other, and `Conflict` for a status that it cannot
    get now.
    """
    lock(subscription, relations=False)
    before, zone = values_of(subscription, AUDITED), zone_of(subscription.customer)
    wrong = InvalidFields()
    with wrong.gathered():
        if "name" in changes:
            subscription.name = clean_name(changes["name"], field="name", longest=NAME_LENGTH)
    with wrong.gathered():
        if "subscription_metadata" in changes:
            metadata = checked_metadata(changes["subscription_metadata"], field="subscription_metadata")
            subscription.subscription_metadata = metadata
    with wrong.gathered():
        terms = {name: value for name, value in changes.items() if name in TermChanges.__annotations__}
        change_terms(subscription, cast(TermChanges, terms))
    with wrong.gathered():
        _set_dates(subscription, changes, zone)
    wrong.raise_if_any()
    session.flush()
    if told := changes_since(before, subscription):
        record_event("subscription.updated", subscription, by=by, changes=told)
    if "status" in changes:
        change_status(subscription, changes["status"], by=by)


def _set_dates(subscription: Subscription, changes: SubscriptionChanges, zone: str) -> None:
    if "starts_at" in changes:
        subscription.starts_at = start_of(starting_day(changes["starts_at"], zone), zone)
    begins = day_of(subscription.starts_at, zone)
    if changes.keys() & {"starts_at", "trial"}:
        trial = subscription.trial
        ends = later_day(begins, trial, field="trial_period") if trial is not None else None
        subscription.trial_ends_at = start_of(ends, zone) if ends is not None else None
    if "ends_at" in changes:
        written = changes["ends_at"]
        set_end(subscription, day_after(written, zone) if written is not None else None, zone)
    elif "grace" in changes and subscription.ends_at is not None:
        set_end(subscription, day_of(subscription.ends_at, zone), zone)
    _require_order(subscription, blamed="ends_at" if "ends_at" in changes else "starts_at")


def _require_order(subscription: Subscription, *, blamed: str) -> None:
    """Raise `Invalid` on the field to blame if it ends before it starts, or while it is being tried."""
    end, trial = subscription.ends_at, subscription.trial_ends_at
    if end is not None and end <= subscription.starts_at:
        words = (
            Message("This is before it starts. Use a later day.")
            if blamed == "ends_at"
            else Message("It ends before that. Use an earlier day, or move its end.")
        )
        raise Invalid(**{blamed: words})
    if end is not None and trial is not None and end < trial:
        raise Invalid(**{blamed: Message("The trial would last longer than the subscription. Change one of the two.")})
