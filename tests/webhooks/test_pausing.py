"""Endpoints that take nothing: paused at once, or after a while, and what waited is sent when one is resumed."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.audit.models import AuditEvent
from portal.clock import now
from portal.db import session, transaction
from portal.people.actor import actor_of
from portal.webhooks import deliveries
from portal.webhooks.deliveries import claim
from portal.webhooks.models import DeliveryState, EndpointStatus, PauseReason
from portal.webhooks.operations import (
    pause_endpoint,
    resume_endpoint,
)
from tests.cast import Cast
from tests.conftest import BOTH
from tests.receiver import Receiver
from tests.webhooks.conftest import Listen, Work, endpoint_of, happen, messages, secret_of


def test_a_success_wipes_the_slate_clean(app: Flask, cast: Cast, hook: Receiver, listen: Listen, work: Work) -> None:
    endpoint_id = listen()
    hook.status = 500
    with time_machine.travel(datetime(2027, 1, 31, tzinfo=UTC), tick=False) as clock:
        happen(app, cast)
        work()
        with app.app_context():
            endpoint = endpoint_of(endpoint_id)
            assert (endpoint.failures, endpoint.failing_since) == (1, now())
        hook.status = 204
        clock.shift(10)
        work()
        with app.app_context():
            endpoint = endpoint_of(endpoint_id)
            assert (endpoint.failures, endpoint.failing_since) == (0, None)


@BOTH
def test_gone_pauses_at_once_and_says_so(app: Flask, cast: Cast, hook: Receiver, listen: Listen, work: Work) -> None:
    endpoint_id = listen()
    hook.status = 410
    happen(app, cast)
    work()
    with app.app_context():
        endpoint = endpoint_of(endpoint_id)
        assert (endpoint.status, endpoint.paused_why) == (EndpointStatus.PAUSED, PauseReason.GONE)
        assert endpoint.customer is not None
        assert endpoint.customer.webhooks == 0
        assert messages()[0].state is DeliveryState.FAILED
        noted = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "webhook.paused")).one()
        assert noted.details == {"why": "gone"}
    happen(app, cast)
    with app.app_context():
        assert len(messages()) == 1


def test_five_messages_given_up_in_a_row_pause_the_endpoint(
    app: Flask, cast: Cast, hook: Receiver, listen: Listen, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "SCHEDULE", ())
    endpoint_id = listen()
    hook.status = 500
    for count in range(1, 6):
        happen(app, cast)
        work()
        with app.app_context():
            assert endpoint_of(endpoint_id).given_up == count
            assert endpoint_of(endpoint_id).active is (count < 5)
    with app.app_context():
        assert endpoint_of(endpoint_id).paused_why is PauseReason.FAILING


def test_three_days_without_a_success_pause_the_endpoint(
    app: Flask, cast: Cast, hook: Receiver, listen: Listen, work: Work
) -> None:
    endpoint_id = listen()
    hook.status = 500
    with time_machine.travel(datetime(2027, 1, 31, tzinfo=UTC), tick=False) as clock:
        happen(app, cast)
        work()
        clock.shift(timedelta(days=2, hours=23))
        work()
        with app.app_context():
            assert endpoint_of(endpoint_id).active
        clock.shift(timedelta(hours=1))
        happen(app, cast)
        work()
        with app.app_context():
            endpoint = endpoint_of(endpoint_id)
            assert (endpoint.active, endpoint.paused_why) == (False, PauseReason.FAILING)


@BOTH
def test_what_waits_for_a_paused_endpoint_is_sent_when_it_is_resumed(
    app: Flask, cast: Cast, hook: Receiver, listen: Listen, work: Work
) -> None:
    endpoint_id = listen()
    happen(app, cast, "before")
    with app.app_context(), transaction():
        alice = actor_of(cast.user("alice"))
        pause_endpoint(endpoint_of(endpoint_id), by=alice)
        assert cast.room().customer.webhooks == 0
    happen(app, cast, "meanwhile")
    with app.app_context(), transaction():
        assert claim(messages()[0].uuid) is None
    assert work() == 0
    with app.app_context(), transaction():
        resume_endpoint(endpoint_of(endpoint_id), by=actor_of(cast.user("alice")))
        assert cast.room().customer.webhooks == 1
    happen(app, cast, "after")
    assert work() == 2
    secret = secret_of(app, endpoint_id)
    assert [message.verified(secret)["data"]["label"] for message in hook.messages] == ["before", "after"]
