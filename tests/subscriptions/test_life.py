"""The life of a subscription: sold, renewed, canceled, suspended, ended; told as what may be used when."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.audit.models import AuditEvent
from portal.customers.models import CustomerStatus
from portal.db import session, transaction
from portal.errors import Conflict, Invalid
from portal.people.actor import actor_of
from portal.subscriptions import endings
from portal.subscriptions.cancellation import cancel, uncancel
from portal.subscriptions.models import Subscription, SubscriptionStatus
from portal.subscriptions.renewal import renew
from portal.subscriptions.selling import create_subscription
from portal.subscriptions.statuses import resume, suspend, terminate
from portal.subscriptions.terms import Length, PeriodUnit
from tests.cast import Cast
from tests.conftest import BOTH
from tests.subscriptions.test_packages import a_package, acme

MONTH, WEEK = Length(1, PeriodUnit.MONTH), Length(1, PeriodUnit.WEEK)
MODULES = ("selling", "renewal", "cancellation", "statuses", "endings")
ACTIVE, INACTIVE, CANCELED = SubscriptionStatus.ACTIVE, SubscriptionStatus.INACTIVE, SubscriptionStatus.CANCELED
SUSPENDED, TERMINATED = SubscriptionStatus.SUSPENDED, SubscriptionStatus.TERMINATED

Clock = Callable[[datetime], None]


@pytest.fixture(autouse=True)
def _context(in_app: None) -> None:
    """All of these call operations."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the time that all operations on subscriptions see."""

    def move(at: datetime) -> None:
        for name in MODULES:
            monkeypatch.setattr(f"portal.subscriptions.{name}.now", lambda: at)

    move(day(2026, 1, 31))
    return move


def day(year: int, month: int, number: int, hour: int = 12) -> datetime:
    return datetime(year, month, number, hour, tzinfo=UTC)


def midnight(year: int, month: int, number: int) -> datetime:
    return day(year, month, number, 0)


def sold(cast: Cast, **more: Any) -> Subscription:
    return create_subscription(customer=acme(cast), package=a_package(**{"period": MONTH} | more))


def test_a_running_period_grows_and_keeps_its_day(cast: Cast, clock: Clock) -> None:
    one = sold(cast, grace=WEEK)
    assert one.ends_at == midnight(2026, 2, 28)
    renew(one)
    assert (one.ends_at, one.grace_until) == (midnight(2026, 3, 31), midnight(2026, 4, 7))
    clock(day(2026, 4, 3))  # in its grace: who pays late gets no days for nothing
    renew(one, cycles=2)
    assert one.ends_at == midnight(2026, 5, 31)
    assert one.starts_at == midnight(2026, 1, 31)


def test_one_that_has_ended_begins_again_today(cast: Cast, clock: Clock) -> None:
    one = sold(cast)
    clock(day(2026, 5, 10))
    endings.mark_ended()
    assert one.status is INACTIVE
    renew(one)
    assert (one.status, one.starts_at, one.ends_at) == (ACTIVE, midnight(2026, 5, 10), midnight(2026, 6, 10))


def test_a_canceled_one_is_renewed_only_with_uncancel(cast: Cast, clock: Clock) -> None:
    one = sold(cast)
    assert cancel(one)
    with pytest.raises(Conflict, match="uncancel"):
        renew(one)
    renew(one, uncancel=True)
    assert (one.status, one.canceled_at, one.cancels_at) == (ACTIVE, None, None)
    assert one.ends_at == midnight(2026, 3, 31)


def test_a_suspended_one_stays_so_when_it_is_renewed(cast: Cast, clock: Clock) -> None:
    one = sold(cast)
    suspend(one)
    renew(one)
    assert one.status is SUSPENDED
    resume(one)
    assert one.status is ACTIVE


def test_without_an_end_there_is_nothing_to_renew(cast: Cast, clock: Clock) -> None:
    one = sold(cast, period=None)
    with pytest.raises(Conflict, match="no end"):
        renew(one)
    with pytest.raises(Conflict, match="no end"):
        cancel(one)
    assert cancel(one, at_once=True)
    renew(one, uncancel=True)
    assert (one.status, one.ends_at) == (ACTIVE, None)


@pytest.mark.parametrize("cycles", [0, -1, 121, True])
def test_cycles_are_a_whole_number_from_one_on(cycles: int, cast: Cast, clock: Clock) -> None:
    with pytest.raises(Invalid) as refused:
        renew(sold(cast), cycles=cycles)
    assert set(refused.value.fields) == {"cycles"}


def test_canceled_at_the_end_it_is_usable_until_period_and_grace_are_over(cast: Cast, clock: Clock) -> None:
    one = sold(cast, grace=WEEK)
    assert cancel(one)
    assert (one.status, one.cancels_at) == (CANCELED, midnight(2026, 3, 7))
    assert one.is_active(day(2026, 3, 6))
    assert not one.is_active(midnight(2026, 3, 7))
    assert not cancel(one), "a second time it is ignored"
    uncancel(one)
    assert (one.status, one.canceled_at, one.cancels_at) == (ACTIVE, None, None)


def test_canceled_now_it_is_over(cast: Cast, clock: Clock) -> None:
    one = sold(cast)
    cancel(one)
    assert cancel(one, at_once=True), "what was canceled for later can still be ended"
    assert not one.is_active(day(2026, 1, 31))
    with pytest.raises(Conflict, match="has ended"):
        uncancel(one)


def test_canceling_what_is_not_active_is_ignored(cast: Cast, clock: Clock) -> None:
    one = sold(cast)
    suspend(one)
    assert not cancel(one, at_once=True)
    assert (one.status, one.canceled_at) == (SUSPENDED, None)


def test_a_suspension_keeps_a_cancellation_in_mind(cast: Cast, clock: Clock) -> None:
    one = sold(cast)
    cancel(one)
    suspend(one)
    resume(one)
    assert one.status is CANCELED
    clock(day(2026, 3, 1))
    suspend(one)
    with pytest.raises(Conflict, match="Renew it"):
        resume(one)


def test_a_terminated_one_stays_so(cast: Cast, clock: Clock) -> None:
    one = sold(cast)
    terminate(one)
    terminate(one)
    with pytest.raises(Conflict, match="Sell the package anew"):
        renew(one)
    with pytest.raises(Conflict, match="Only an active"):
        suspend(one)


def test_a_customer_who_is_not_active_buys_nothing(cast: Cast, clock: Clock) -> None:
    customer = acme(cast)
    customer.status = CustomerStatus.SUSPENDED
    with pytest.raises(Conflict, match="suspended"):
        create_subscription(customer=customer, package=a_package())


def test_it_starts_on_the_day_that_is_said(cast: Cast, clock: Clock) -> None:
    acme(cast).timezone = "America/Sao_Paulo"
    one = create_subscription(customer=acme(cast), package=a_package(period=MONTH), starts_at=date(2026, 3, 31))
    assert (one.starts_at, one.ends_at) == (day(2026, 3, 31, 3), day(2026, 4, 30, 3))


def test_warnings_come_once_each_and_anew_for_a_new_end(cast: Cast, clock: Clock) -> None:
    one = sold(cast)
    for at in (13, 14, 15, 22, 23, 27, 27):  # it ends with the beginning of the 28th
        clock(day(2026, 2, at))
        endings.warn_of_endings()
    assert warned(one) == [14, 7, 1]
    renew(one)
    endings.warn_of_endings()
    assert warned(one) == [14, 7, 1]
    clock(day(2026, 3, 29))
    endings.warn_of_endings()
    assert warned(one) == [14, 7, 1, 7], "after a pause the one that is due, none that is past"


def warned(one: Subscription) -> list[int]:
    session.commit()
    query = sa.select(AuditEvent.details).where(
        AuditEvent.action == "subscription.ending", AuditEvent.thing_uuid == one.uuid
    )
    return [details["days"] for details in session.scalars(query.order_by(AuditEvent.uuid))]


def test_the_job_leaves_what_is_suspended_or_goes_on(cast: Cast, clock: Clock) -> None:
    running, suspended, canceled = sold(cast, grace=WEEK), sold(cast), sold(cast)
    suspend(suspended)
    cancel(canceled)
    clock(day(2026, 3, 1))
    endings.mark_ended()
    assert [one.status for one in (running, suspended, canceled)] == [ACTIVE, SUSPENDED, INACTIVE]


def test_what_was_changed_stands_in_the_audit(cast: Cast, clock: Clock) -> None:
    one = sold(cast)
    renew(one, by=actor_of(cast.user("admin")))
    session.commit()
    query = sa.select(AuditEvent).where(AuditEvent.action == "subscription.renewed")
    line = session.scalars(query).one()
    assert line.details["changes"] == {"ends_at": ["2026-02-28T00:00:00.000000Z", "2026-03-31T00:00:00.000000Z"]}
    assert line.actor_uuid == cast.user("admin").uuid


MOMENTS = (None, -400, -1, 0, 1, 400)  # hours from now


@BOTH
def test_statements_and_rules_agree_on_what_may_be_used(app: Flask, cast: Cast) -> None:
    at, package, customer = day(2026, 6, 15), a_package(), acme(cast)
    rows = [
        (status, starts, ends, grace, cancels)
        for status in SubscriptionStatus
        for starts in (-400, 0, 1)
        for ends in MOMENTS
        for grace in (None, -1, 1)
        for cancels in (None, -1, 0, 1)
    ]
    for status, starts, *others in rows:
        ends, grace, cancels = (at + timedelta(hours=one) if one is not None else None for one in others)
        session.add(
            Subscription(
                customer=customer, package=package, provider=package.providers[0].provider, name="One",
                service_type=package.service_type, currency="EUR", status=status,
                starts_at=at + timedelta(hours=starts), ends_at=ends, grace_until=grace, cancels_at=cancels,
            )
        )  # fmt: skip
    session.flush()
    found = session.scalars(sa.select(Subscription).where(Subscription.name == "One")).unique().all()
    assert len(found) == len(rows)
    usable = set(session.scalars(sa.select(Subscription.uuid).where(endings.usable(at))))
    ending = set(session.scalars(sa.select(Subscription.uuid).where(endings.ends_within(14, at))))
    assert usable & {one.uuid for one in found} == {one.uuid for one in found if one.is_active(at)}
    for one in found:
        end = endings.end_of(one)
        soon = end is not None and at < end <= at + timedelta(days=14) and one.status in {ACTIVE, CANCELED}
        assert (one.uuid in ending) is soon, (one.status, one.ends_at, one.cancels_at)


@BOTH
def test_housekeeping_marks_and_warns_on_both_databases(app: Flask, cast: Cast, clock: Clock) -> None:
    with transaction():
        soon, over = sold(cast).uuid, sold(cast, period=WEEK).uuid
    clock(day(2026, 2, 20))
    with transaction():
        endings.warn_of_endings()
    with transaction():
        endings.mark_ended()
    assert session.get_one(Subscription, over).status is INACTIVE
    assert session.get_one(Subscription, soon).warned_days == 14


@pytest.mark.parametrize("status", [CustomerStatus.INACTIVE, CustomerStatus.TERMINATED])
def test_nothing_becomes_active_below_a_customer_that_nobody_may_use(
    cast: Cast, clock: Clock, status: CustomerStatus
) -> None:
    one, other = sold(cast), sold(cast)
    suspend(one)
    cancel(other)
    one.customer.status = status
    session.flush()
    for act in (renew, resume):
        with pytest.raises(Conflict, match="make the customer active first"):
            act(one)
    with pytest.raises(Conflict, match="make the customer active first"):
        uncancel(other)
    assert (one.status, other.status) == (SUSPENDED, CANCELED)
