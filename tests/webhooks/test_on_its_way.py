"""What was on its way when somebody else became its endpoint's keeper is written down as it ended."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from portal.clock import now
from portal.db import transaction
from portal.permissions.actor import actor_of
from portal.permissions.permission import Permission
from portal.webhooks.deliveries import LEASE, Letter, Outcome, claim, record
from portal.webhooks.events import Event
from portal.webhooks.operations import change_endpoint
from portal.webhooks.shown import state_of
from tests.cast import Cast
from tests.conftest import BOTH
from tests.webhooks.conftest import Make, bobs_membership, editing, endpoint_of, happen, messages


def taken(app: Flask, cast: Cast) -> Letter:
    """A worker has a message for Bob's endpoint, and has not sent it yet."""
    happen(app, cast)
    with app.app_context(), transaction():
        letter = claim(messages()[0].uuid)
    assert letter is not None
    return letter


@BOTH
@pytest.mark.parametrize(("status", "state"), [(200, "delivered"), (503, "given_up"), (410, "given_up")])
def test_what_was_on_its_way_when_somebody_took_it_over_is_written_down_and_not_tried_again(
    app: Flask, cast: Cast, make: Make, status: int, state: str
) -> None:
    """What the receiver of before says against it is nothing to who keeps it now."""
    endpoint_id = make()
    letter = taken(app, cast)
    with app.app_context(), transaction():
        bobs_membership().until = now() - timedelta(seconds=1)
        assert endpoint_of(endpoint_id).active
        change_endpoint(
            endpoint_of(endpoint_id), by=actor_of(cast.user("alice")), events=[Event.TOKEN_CREATED, Event.TOKEN_USED]
        )
    with app.app_context(), transaction():
        record(letter, Outcome(milliseconds=1, status=status))
        [message] = messages()
        assert (state_of(message), message.answer_status, message.next_attempt_at) == (state, status, None)
        assert (message.gave_up_at is None) is (state == "delivered")
        assert (endpoint_of(endpoint_id).active, endpoint_of(endpoint_id).failures) == (True, 0)


def test_what_arrived_is_delivered_though_it_was_given_up_while_its_worker_was_late(
    app: Flask, cast: Cast, make: Make
) -> None:
    endpoint_id = make()
    letter = taken(app, cast)
    with app.app_context(), transaction():
        change_endpoint(endpoint_of(endpoint_id), by=editing(cast), events=[Event.ROOM_UPDATED])
        bobs_membership().permissions = [Permission.ROOM_VIEW, Permission.ROOM_EDIT]
    with time_machine.travel(datetime.now(UTC) + LEASE + timedelta(seconds=1), tick=True), app.app_context():
        with transaction():
            assert claim(letter.delivery_uuid) is None
        assert state_of(messages()[0]) == "given_up"
        with transaction():
            record(letter, Outcome(milliseconds=1, status=200))
        assert state_of(messages()[0]) == "delivered"
