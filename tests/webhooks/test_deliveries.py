"""From the message to the receiver: signed, taken by one worker, tried again for a day, and given up."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from standardwebhooks import WebhookVerificationError

from portal.clock import now
from portal.db import transaction
from portal.errors import Conflict
from portal.jobs.queue import RUN_JOB, make_queue
from portal.people.actor import actor_of
from portal.providers import fetch
from portal.webhooks.deliveries import LEASE, SCHEDULE, SEND, Outcome, claim, record, send_again
from portal.webhooks.events import ROOM_EVENTS, Event
from portal.webhooks.models import DeliveryState
from portal.webhooks.operations import (
    create_endpoint,
    pause_endpoint,
    rotate_secret,
)
from tests.cast import Cast
from tests.conftest import BOTH
from tests.receiver import Receiver
from tests.webhooks.conftest import Listen, Told, Work, endpoint_of, happen, messages, secret_of


@BOTH
def test_the_receiver_verifies_what_it_gets(app: Flask, cast: Cast, hook: Receiver, listen: Listen, work: Work) -> None:
    endpoint_id = listen()
    hook.status, hook.body = 200, "gut, dank’ dir\x00\x07".encode()
    happen(app, cast)
    assert work() == 1
    [got] = hook.messages
    content = got.verified(secret_of(app, endpoint_id))
    assert (content["type"], content["data"]["label"]) == ("token.created", "Press")
    assert got.headers["Content-Type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        got.verified("whsec_" + "A" * 44)
    with app.app_context():
        [sent] = messages()
        assert got.headers["webhook-id"] == sent.message_id
        assert (sent.attempts, sent.answer_status, sent.answer_body) == (1, 200, "gut, dank’ dir��")
        assert (sent.state, sent.ended_at) == (DeliveryState.DELIVERED, sent.answered_at)
        assert (sent.next_attempt_at, sent.claimed_at, sent.trouble) == (None, None, None)
    assert work() == 0


@BOTH
def test_of_many_workers_one_sends_a_message(app: Flask, cast: Cast, listen: Listen) -> None:
    listen()
    happen(app, cast)
    with app.app_context():
        uuid = messages()[0].uuid
    start, taken = threading.Barrier(10), []

    def reach() -> None:
        with app.app_context():
            start.wait(10)
            with transaction():
                taken.append(claim(uuid))

    threads = [threading.Thread(target=reach) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(taken) == 10
    assert sum(letter is not None for letter in taken) == 1
    with app.app_context():
        assert messages()[0].attempts == 1


@BOTH
def test_a_message_whose_worker_died_is_sent_by_another_one_and_the_dead_one_changes_nothing(
    app: Flask, cast: Cast, hook: Receiver, listen: Listen, work: Work
) -> None:
    listen()
    happen(app, cast)
    with app.app_context(), transaction():
        dead = claim(messages()[0].uuid)
    assert dead is not None
    assert work() == 0
    with time_machine.travel(datetime.now(UTC) + LEASE + timedelta(seconds=1), tick=True):
        assert work() == 1
        assert len(hook.messages) == 1
        with app.app_context():
            with transaction():
                record(dead, Outcome(milliseconds=1, status=500))
            [sent] = messages()
            assert (sent.attempts, sent.answer_status) == (2, 204)
            assert sent.state is DeliveryState.DELIVERED


def test_nobody_holds_a_transaction_while_calling_out(
    app: Flask, cast: Cast, hook: Receiver, listen: Listen, work: Work
) -> None:
    """SQLite has one writer: somebody else writes while the receiver thinks about its answer."""
    listen(Event.TOKEN_CREATED)
    happen(app, cast)
    written: list[bool] = []

    def write() -> None:
        if not written:
            happen(app, cast, label="Written meanwhile")
        written.append(True)

    hook.before_answer = write
    assert work() == 2
    assert written == [True, True]


@BOTH
def test_failed_tries_are_repeated_for_a_day_and_then_given_up(
    app: Flask, cast: Cast, hook: Receiver, listen: Listen, work: Work, told: Told
) -> None:
    listen()
    hook.status = 503
    at = datetime(2027, 1, 31, 12, tzinfo=UTC)
    with time_machine.travel(at, tick=False) as clock:
        happen(app, cast)
        begun = now()
        for tries, seconds in enumerate(SCHEDULE, start=1):
            assert work() == 1
            assert len(hook.messages) == tries
            with app.app_context():
                waiting = messages()[0]
                assert (waiting.state, waiting.ended_at) == (DeliveryState.WAITING, None)
                assert waiting.next_attempt_at is not None
                delay = (waiting.next_attempt_at - now()).total_seconds()
                assert seconds * 0.9 <= delay <= seconds * 1.1
                assert told[-1][0] == waiting.uuid
                assert told[-1][1] == pytest.approx(delay, abs=0.001)
            clock.shift(timedelta(seconds=delay - 1))
            assert work() == 0
            clock.shift(timedelta(seconds=2))
        assert work() == 1
        with app.app_context():
            given_up = messages()[0]
            assert given_up.attempts == len(SCHEDULE) + 1
            assert (given_up.state, given_up.ended_at) == (DeliveryState.FAILED, now())
            assert given_up.next_attempt_at is None
            endpoint = given_up.endpoint
            assert (endpoint.failures, endpoint.given_up, endpoint.active) == (len(SCHEDULE) + 1, 1, True)
        assert timedelta(hours=20) < now() - begun < timedelta(hours=28)
        clock.shift(timedelta(days=2))
        assert work() == 0
    assert len({message.headers["webhook-id"] for message in hook.messages}) == 1
    assert len({message.headers["webhook-timestamp"] for message in hook.messages}) == len(SCHEDULE) + 1


@BOTH
def test_for_a_day_after_a_rotation_both_secrets_are_good(
    app: Flask, cast: Cast, hook: Receiver, listen: Listen, work: Work
) -> None:
    endpoint_id = listen()
    first = secret_of(app, endpoint_id)

    def rotate() -> str:
        with app.app_context(), transaction():
            rotate_secret(endpoint_of(endpoint_id), by=actor_of(cast.user("alice")))
            return endpoint_of(endpoint_id).secret

    def sent() -> Receiver:
        happen(app, cast)
        work()
        return hook

    second = rotate()
    assert second != first
    message = sent().messages[-1]
    assert message.headers["webhook-signature"].count("v1,") == 2
    assert message.verified(first) == message.verified(second)
    third = rotate()
    message = sent().messages[-1]
    assert message.verified(third) == message.verified(second)
    with pytest.raises(WebhookVerificationError):
        message.verified(first)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=24, minutes=1), tick=True):
        message = sent().messages[-1]
        assert message.verified(third)["type"] == "token.created"
        with pytest.raises(WebhookVerificationError):
            message.verified(second)


@BOTH
def test_a_message_can_be_sent_again_with_its_old_id(
    app: Flask, cast: Cast, hook: Receiver, listen: Listen, work: Work, told: Told
) -> None:
    endpoint_id = listen()
    happen(app, cast)
    work()
    told.clear()
    with app.app_context():
        with transaction():
            send_again(messages()[0], by=actor_of(cast.user("alice")))
            assert (messages()[0].attempts, messages()[0].state, messages()[0].ended_at) == (
                0,
                DeliveryState.WAITING,
                None,
            )
        assert told == [(messages()[0].uuid, 0)]
    assert work() == 1
    assert hook.messages[0].headers["webhook-id"] == hook.messages[1].headers["webhook-id"]
    assert hook.messages[0].body == hook.messages[1].body
    with app.app_context():
        assert messages()[0].state is DeliveryState.DELIVERED
        with transaction():
            pause_endpoint(endpoint_of(endpoint_id), by=actor_of(cast.user("alice")))
        with pytest.raises(Conflict), transaction():
            send_again(messages()[0], by=actor_of(cast.user("alice")))


def test_what_is_being_sent_is_not_sent_again_beside_it(app: Flask, cast: Cast, listen: Listen) -> None:
    listen()
    happen(app, cast)
    with app.app_context():
        with transaction():
            claim(messages()[0].uuid)
        with pytest.raises(Conflict, match="right now"), transaction():
            send_again(messages()[0], by=actor_of(cast.user("alice")))


def test_an_address_that_has_become_private_is_not_called(
    app: Flask, cast: Cast, hook: Receiver, listen: Listen, work: Work
) -> None:
    listen()
    fetch.use(private=False, plain=True)
    happen(app, cast)
    assert work() == 1
    assert hook.messages == []
    with app.app_context():
        [waiting] = messages()
        assert waiting.trouble is fetch.Trouble.ADDRESS
        assert (waiting.answer_status, waiting.answer_body) == (None, "")
        assert waiting.next_attempt_at is not None


def test_the_queue_is_told_and_its_worker_sends(app: Flask, cast: Cast, hook: Receiver, tmp_path: Path) -> None:
    """As in the running portal: commit, queue, worker, receiver."""
    with app.app_context(), transaction():
        room, alice = cast.room(), actor_of(cast.user("alice"))
        create_endpoint(customer=room.customer, url=hook.url, events=ROOM_EVENTS, by=alice)
    happen(app, cast)
    queue = make_queue(app, app.config["SETTINGS"])
    assert queue.pending_count() == 1
    task = queue.dequeue()
    assert task is not None
    assert task.args == (SEND, task.args[1])
    queue.execute(task)
    assert len(hook.messages) == 1
    assert b"whsec_" not in (tmp_path / "jobs.db").read_bytes()
    queue.storage.close()


def test_a_queue_that_is_away_loses_nothing(
    app: Flask, cast: Cast, hook: Receiver, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context(), transaction():
        room, alice = cast.room(), actor_of(cast.user("alice"))
        create_endpoint(customer=room.customer, url=hook.url, events=ROOM_EVENTS, by=alice)

    class Away:
        def schedule(self, *_args: object, **_more: object) -> None:
            raise ConnectionError

    monkeypatch.setitem(app.extensions, RUN_JOB, Away())
    happen(app, cast)
    assert work() == 1
    assert len(hook.messages) == 1


def test_the_job_survives_a_receiver_that_is_not_there(app: Flask, cast: Cast, listen: Listen, work: Work) -> None:
    listen(url="http://127.0.0.1:9999/")
    happen(app, cast)
    assert work() == 1
    with app.app_context():
        assert messages()[0].trouble is fetch.Trouble.UNREACHABLE
