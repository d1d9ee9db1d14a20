"""Changing a customer's status and deleting it, with everything below: what that does is counted before it is done.

It belongs to this package because what stands below customers does not know who is in.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import sqlalchemy as sa

from portal.accounts.models import Account, AccountStatus
from portal.audit.operations import record_event, record_events
from portal.channels import channels
from portal.customers.models import Customer, CustomerMember, CustomerStatus
from portal.db import lock, on_commit, session
from portal.errors import Conflict, Message
from portal.people.actor import Actor
from portal.permissions.belonging import people_belonging_to
from portal.rooms.models import Room
from portal.rooms.purging import purge_rooms
from portal.status.models import Ending, Participation, RoomSession
from portal.status.runs import end_session
from portal.subscriptions.models import Subscription, SubscriptionStatus

Kind = TypeVar("Kind", Account, Subscription)
_OVER = (SubscriptionStatus.INACTIVE, SubscriptionStatus.TERMINATED)


@dataclass(frozen=True)
class Below:
    """How much there is below a customer or an account."""

    accounts: int
    subscriptions: int
    rooms: int
    """Those in the trash count, too: they can be restored."""
    members: int
    """People who are members at the customer, without its owner."""


@dataclass(frozen=True)
class Consequences:
    """What a change of a customer's status does at once."""

    rooms: int = 0
    """Rooms, not in the trash, that nobody can use any more."""
    live: int = 0
    """How many of them are live and end."""
    people: int = 0
    """How many people are in them and have to leave."""
    subscriptions: int = 0
    """Subscriptions that become inactive."""
    accounts: int = 0
    """Accounts that become inactive."""


def below(customer: Customer) -> Below:
    """How much there is below the customer, by one statement: what `delete_customer` deletes."""
    row = session.execute(
        sa.select(
            _count(Account, Account.customer_uuid == customer.uuid),
            _count(Subscription, Subscription.customer_uuid == customer.uuid),
            _count(Room, Room.customer_uuid == customer.uuid),
            _count(CustomerMember, CustomerMember.customer_uuid == customer.uuid),
        )
    ).one()
    return Below(*row)


def consequences(customer: Customer, status: CustomerStatus) -> Consequences:
    """What `change_customer_status` does if it is called now, by one statement."""
    stops = customer.status.usable and not status.usable
    ends = status is CustomerStatus.TERMINATED and customer.status is not CustomerStatus.TERMINATED
    theirs = Room.customer_uuid == customer.uuid
    nothing = sa.literal(0)
    row = session.execute(
        sa.select(
            _count(Room, theirs, Room.trashed_at.is_(None)) if stops else nothing,
            _count(RoomSession, RoomSession.room_uuid == Room.uuid, theirs, RoomSession.ended_at.is_(None))
            if stops
            else nothing,
            _count(Participation, Participation.room_uuid == Room.uuid, theirs, Participation.left_at.is_(None))
            if stops
            else nothing,
            _count(Subscription, *_going_on(customer)) if ends else nothing,
            _count(Account, *_active_accounts(customer)) if ends else nothing,
        )
    ).one()
    return Consequences(*row)


def change_customer_status(customer: Customer, status: CustomerStatus, *, by: Actor | None = None) -> Consequences:
    """Set the status, and do what follows from it. Returns what that was, as `consequences` counts it.

    `inactive` and `terminated` end all runs: who is inside has to leave. `terminated` makes subscriptions and accounts
    inactive, which another status later does not undo. `by` is None for the portal itself. Raises `NotFound`.
    """
    lock(customer)
    before = customer.status
    if status is before:
        return Consequences()
    done = consequences(customer, status)
    customer.status = status
    session.flush()
    if done.subscriptions:
        for subscription in session.scalars(_in_order(Subscription, _going_on(customer))).unique():
            was, subscription.status = subscription.status, SubscriptionStatus.INACTIVE
            _record_status(subscription, was, SubscriptionStatus.INACTIVE, by=by)
        session.flush()
    if not status.usable:
        _end_runs(customer, by=by)
    if done.accounts:
        for account in session.scalars(_in_order(Account, _active_accounts(customer))):
            account.status = AccountStatus.INACTIVE
            _record_status(account, AccountStatus.ACTIVE, AccountStatus.INACTIVE, by=by)
        session.flush()
    _record_status(customer, before, status, by=by)
    topics = [f"customer:{customer.uuid}"]
    if status.usable != before.usable:  # the streams of its people end, or show its rooms again
        topics += [f"user:{uuid}" for uuid in session.scalars(people_belonging_to(customer))]
    on_commit(lambda: channels().nudge(*topics))
    return done


def delete_customer(customer: Customer, *, by: Actor | None = None) -> None:
    """Delete the customer and everything below it: rooms with links, codes and history, accounts, subscriptions.

    The people stay users. Raises `Conflict` unless it is terminated, or while one of the rooms is live or a service has
    still to be told that a run has ended; and `NotFound`.
    """
    lock(customer)
    reason = reason_to_keep_customer(customer)
    if reason is not None:
        raise Conflict(reason)
    delete_rooms(Room.customer_uuid == customer.uuid, by=by)
    delete_accounts(Account.customer_uuid == customer.uuid, by=by)
    delete_subscriptions(Subscription.customer_uuid == customer.uuid, by=by)
    record_event("customer.deleted", customer, by=by, name=customer.display_name)
    session.delete(customer)
    session.flush()


def reason_to_keep_customer(customer: Customer) -> Message | None:
    """Why it cannot be deleted now; None if it can."""
    if customer.status is not CustomerStatus.TERMINATED:
        return Message("“%(name)s” is not terminated. Set its status to terminated first.", name=customer.display_name)
    return reason_to_keep_rooms(Room.customer_uuid == customer.uuid)


def delete_rooms(which: sa.ColumnElement[bool], *, by: Actor | None) -> None:
    """Delete these rooms for good, with all that belongs to them. Raises `Conflict` while one of them is in use."""
    reason = reason_to_keep_rooms(which)
    if reason is not None:
        raise Conflict(reason)
    purge_rooms(which, by=by)


def delete_accounts(which: sa.ColumnElement[bool], *, by: Actor | None) -> None:
    """Delete these accounts, which have no rooms."""
    accounts = session.scalars(_in_order(Account, (which,))).all()
    record_events("account.deleted", [(one, by) for one in accounts], name_of=lambda one: one.account_name)
    session.execute(sa.delete(Account).where(which))


def delete_subscriptions(which: sa.ColumnElement[bool], *, by: Actor | None) -> None:
    """Delete these subscriptions, which have no accounts."""
    subscriptions = session.scalars(_in_order(Subscription, (which,))).unique().all()
    record_events("subscription.deleted", [(one, by) for one in subscriptions], name_of=lambda one: one.name)
    session.execute(sa.delete(Subscription).where(which))


def reason_to_keep_rooms(which: sa.ColumnElement[bool]) -> Message | None:
    """Why these rooms cannot be deleted: one is live, or its service has still to be told that a run has ended."""
    runs = sa.select(sa.func.count(), sa.func.count(RoomSession.ended_at)).where(
        RoomSession.room_uuid == Room.uuid, which, sa.or_(RoomSession.ended_at.is_(None), RoomSession.end_wanted)
    )
    open_runs, ended = session.execute(runs).one()
    if open_runs > ended:
        return Message.plural(
            "%(n)d room is live. End its session, or wait until it is empty.",
            "%(n)d rooms are live. End their sessions, or wait until they are empty.",
            n=open_runs - ended,
        )
    return Message("A room is still being ended at its service. Try again in a minute.") if ended else None


def _count(counted: Any, *conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count(counted.uuid)).where(*conditions).scalar_subquery()


def _going_on(customer: Customer) -> tuple[sa.ColumnElement[bool], ...]:
    return Subscription.customer_uuid == customer.uuid, Subscription.status.not_in(_OVER)


def _active_accounts(customer: Customer) -> tuple[sa.ColumnElement[bool], ...]:
    return Account.customer_uuid == customer.uuid, Account.status == AccountStatus.ACTIVE


def _in_order(kind: type[Kind], which: tuple[sa.ColumnElement[bool], ...]) -> sa.Select[Kind]:
    return sa.select(kind).where(*which).order_by(kind.uuid)


def _record_status(
    thing: Customer | Account | Subscription, before: StrEnum, after: StrEnum, *, by: Actor | None
) -> None:
    noun = {Customer: "customer", Account: "account", Subscription: "subscription"}[type(thing)]
    record_event(f"{noun}.status_changed", thing, by=by, status_before=before.value, status_after=after.value)


def _end_runs(customer: Customer, *, by: Actor | None) -> None:
    """End the running runs of its rooms, which are locked in the order of their uuids."""
    running = (
        sa.select(Room.uuid)
        .join(RoomSession, RoomSession.room_uuid == Room.uuid)
        .where(Room.customer_uuid == customer.uuid, RoomSession.ended_at.is_(None))
        .order_by(Room.uuid)
    )
    for uuid in session.scalars(running).all():
        end_session(session.get_one(Room, uuid), ending=Ending.CLOSED, by=by)
