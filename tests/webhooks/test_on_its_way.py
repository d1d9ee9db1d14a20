"""What was on its way when its endpoint got another owner or another address is written down as it ended."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from portal.clock import now
from portal.db import transaction
from portal.people.actor import actor_of
from portal.permissions.permission import Permission
from portal.providers.fetch import Trouble
from portal.webhooks.deliveries import LEASE, ClaimedDelivery, Outcome, claim, record
from portal.webhooks.events import Event
from portal.webhooks.models import DeliveryState
from portal.webhooks.operations import change_endpoint
from tests.cast import Cast
from tests.conftest import BOTH
from tests.webhooks.conftest import Make, bobs_membership, editing, endpoint_of, happen, messages


def taken(app: Flask, cast: Cast) -> ClaimedDelivery:
    """A worker has a message for Bob's endpoint, and has not sent it yet."""
    happen(app, cast)
    with app.app_context(), transaction():
        letter = claim(messages()[0].uuid)
    assert letter is not None
    return letter


@BOTH
@pytest.mark.parametrize(
    ("status", "state"), [(200, DeliveryState.DELIVERED), (503, DeliveryState.WAITING), (410, DeliveryState.FAILED)]
)
def test_what_was_on_its_way_when_somebody_else_saved_it_is_written_down_as_it_ended(
    app: Flask, cast: Cast, make: Make, status: int, state: DeliveryState
) -> None:
    make()
    letter = taken(app, cast)
    with app.app_context(), transaction():
        assert (messages()[0].state, messages()[0].being_sent) == (DeliveryState.SENDING, True)
        change_endpoint(messages()[0].endpoint, by=actor_of(cast.user("alice")))
    with app.app_context(), transaction():
        record(letter, Outcome(milliseconds=1, status=status))
        [message] = messages()
        assert (message.state, message.answer_status, message.claimed_at) == (state, status, None)
        assert (message.ended_at is None) is (message.next_attempt_at is not None) is (state is DeliveryState.WAITING)


@pytest.mark.parametrize(("status", "state"), [(200, DeliveryState.DELIVERED), (503, DeliveryState.DROPPED)])
def test_what_was_dropped_while_its_worker_was_late_is_delivered_if_it_arrived_and_else_not_tried_again(
    app: Flask, cast: Cast, make: Make, status: int, state: DeliveryState
) -> None:
    endpoint_id = make()
    letter = taken(app, cast)
    with app.app_context(), transaction():
        change_endpoint(endpoint_of(endpoint_id), by=editing(cast), events=[Event.ROOM_UPDATED])
        bobs_membership().permissions = [Permission.ROOM_VIEW, Permission.ROOM_EDIT]
    with time_machine.travel(datetime.now(UTC) + LEASE + timedelta(seconds=1), tick=True), app.app_context():
        with transaction():
            assert claim(letter.delivery_uuid) is None
        assert messages()[0].state is DeliveryState.DROPPED
        with transaction():
            record(letter, Outcome(milliseconds=1, status=status))
        assert (messages()[0].state, messages()[0].next_attempt_at) == (state, None)
        assert endpoint_of(endpoint_id).failures == 0


@BOTH
@pytest.mark.parametrize("status", [200, 503, 410, None])
def test_what_an_address_answers_that_the_endpoint_has_left_says_nothing_of_the_new_one(
    app: Flask, cast: Cast, make: Make, status: int | None
) -> None:
    endpoint_id = make("alice")
    letter = taken(app, cast)
    with app.app_context():
        with transaction():
            endpoint = endpoint_of(endpoint_id)
            change_endpoint(endpoint, by=actor_of(cast.user("alice")), url="https://hooks.example/new")
            endpoint.failures, endpoint.failing_since, endpoint.slow = 2, now(), status is None
            slow = endpoint.slow
        with transaction():
            trouble = None if status else Trouble.SLOW
            record(letter, Outcome(milliseconds=1 if slow else 9000, status=status, trouble=trouble))
        [message], endpoint = messages(), endpoint_of(endpoint_id)
        assert (message.answer_status, message.attempts, message.trouble) == (status, 1, trouble)
        assert message.state is (DeliveryState.DELIVERED if status == 200 else DeliveryState.WAITING)
        assert (message.next_attempt_at is None) is (status == 200)  # the new address has not said that it is gone
        assert (endpoint.active, endpoint.failures, endpoint.failing_since is None) == (True, 2, False)
        assert endpoint.slow is slow


@BOTH
def test_failures_of_one_address_are_not_held_against_the_next(app: Flask, cast: Cast, make: Make) -> None:
    endpoint_id = make("alice")
    letter = taken(app, cast)
    with app.app_context():
        with transaction():
            record(letter, Outcome(milliseconds=1, status=503))
            assert endpoint_of(endpoint_id).failures == 1
        with transaction():
            alice = actor_of(cast.user("alice"))
            change_endpoint(endpoint_of(endpoint_id), by=alice, url="https://hooks.example/new")
        assert (endpoint_of(endpoint_id).failures, endpoint_of(endpoint_id).failing_since) == (0, None)
