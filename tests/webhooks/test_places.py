"""One slow receiver delays himself: how many messages are on their way at once, and who is called next."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.accounts.models import Account
from portal.db import session, transaction
from portal.jobs.queue import WORKERS
from portal.permissions.actor import actor_of
from portal.rooms.operations import create_room
from portal.webhooks.deliveries import LEASE, Letter, Outcome, claim, due, record
from portal.webhooks.events import Event
from portal.webhooks.operations import create_endpoint
from portal.webhooks.places import AT_ONCE
from tests.cast import Cast
from tests.conftest import BOTH
from tests.receiver import Receiver
from tests.webhooks.conftest import Listen, endpoint_of, happen, messages

Told = list[tuple[UUID, float]]
Take = Callable[[UUID], Letter | None]


@pytest.fixture
def take(app: Flask) -> Take:
    """A worker reaches for a message."""

    def taken(uuid: UUID) -> Letter | None:
        with app.app_context(), transaction():
            return claim(uuid)

    return taken


def waiting(app: Flask, endpoint_id: str) -> list[UUID]:
    """The messages to this endpoint, the oldest first."""
    with app.app_context():
        endpoint = endpoint_of(endpoint_id).uuid
        return [one.uuid for one in messages() if one.endpoint_uuid == endpoint]


def test_there_are_more_workers_than_one_customer_may_take() -> None:
    assert 1 < AT_ONCE < WORKERS


@BOTH
def test_one_endpoint_is_sent_one_message_at_a_time_and_others_go_on(
    app: Flask, cast: Cast, listen: Listen, take: Take
) -> None:
    slow, quick = listen(Event.TOKEN_CREATED), listen(Event.TOKEN_CREATED)
    for _ in range(3):
        happen(app, cast)
    assert take(waiting(app, slow)[0]) is not None
    assert [take(uuid) for uuid in waiting(app, slow)] == [None] * 3
    assert take(waiting(app, quick)[0]) is not None


@BOTH
def test_a_customer_whose_receivers_are_all_slow_leaves_workers_for_another_one(
    app: Flask, cast: Cast, hook: Receiver, listen: Listen, take: Take
) -> None:
    slow = [listen(Event.TOKEN_CREATED) for _ in range(AT_ONCE + 1)]
    with app.app_context(), transaction():
        charlie = actor_of(cast.user("charlie"))
        account = session.scalars(sa.select(Account).where(Account.owner_uuid == charlie.uuid)).unique().one()
        other = create_endpoint(customer=account.customer, url=hook.url, events=[Event.ROOM_CREATED], by=charlie).id
        create_room(account=account, room_name="Theirs", by=charlie.user)
    happen(app, cast)
    taken = [take(waiting(app, endpoint_id)[0]) for endpoint_id in slow]
    assert [letter is not None for letter in taken] == [True] * AT_ONCE + [False]
    assert take(waiting(app, other)[0]) is not None


@BOTH
def test_whoever_ends_a_try_calls_for_the_oldest_message_that_waited(
    app: Flask, cast: Cast, listen: Listen, take: Take, told: Told
) -> None:
    endpoint_id = listen(Event.TOKEN_CREATED)
    for _ in range(3):
        happen(app, cast)
    first, second, third = waiting(app, endpoint_id)
    letter = take(first)
    assert letter is not None
    assert take(third) is None
    told.clear()
    with app.app_context(), transaction():
        record(letter, Outcome(milliseconds=1, status=204))
    assert told == [(second, 0)]
    assert take(second) is not None


@BOTH
def test_a_worker_that_died_keeps_its_place_no_longer_than_its_message(
    app: Flask, cast: Cast, listen: Listen, take: Take
) -> None:
    endpoint_id = listen(Event.TOKEN_CREATED)
    happen(app, cast)
    happen(app, cast)
    first, second = waiting(app, endpoint_id)
    assert take(first) is not None
    assert take(second) is None
    with time_machine.travel(datetime.now(UTC) + LEASE + timedelta(seconds=1), tick=True):
        assert take(second) is not None


@BOTH
def test_of_many_workers_only_so_many_find_a_place(app: Flask, cast: Cast, listen: Listen) -> None:
    for _ in range(3):
        listen(Event.TOKEN_CREATED)
    for _ in range(3):
        happen(app, cast)
    with app.app_context():
        everything = due()
        owner = {one.uuid: one.endpoint_uuid for one in messages()}
    assert len(everything) == 9
    start, taken = threading.Barrier(9), []

    def reach(uuid: UUID) -> None:
        with app.app_context():
            start.wait(10)
            with transaction():
                if claim(uuid) is not None:
                    taken.append(owner[uuid])

    threads = [threading.Thread(target=reach, args=[uuid]) for uuid in everything]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(taken) == AT_ONCE
    assert len(set(taken)) == AT_ONCE
