"""Buckets over simulated days, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal import throttling
from portal.admission.throttle_buckets import KNOWN, STRANGERS, code_buckets
from portal.clock import now
from portal.db import session
from portal.errors import Throttled
from portal.rooms.models import Role
from portal.throttling import Bucket, RetryAfterColumn, ThrottleBucket
from tests.cast import Cast
from tests.conftest import BOTH

pytestmark = BOTH
START = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("opening", "device"), [(STRANGERS, None), (KNOWN, "a device")])
def test_each_bucket_is_asked_and_none_can_be_left_out(
    app: Flask, cast: Cast, opening: RetryAfterColumn, device: str | None
) -> None:
    with app.app_context():
        buckets = code_buckets(room=cast.room(), role=Role.ATTENDEE, network="192.0.2.7", known_device=device)
        asked = sa.select(opening.column)
        assert session.scalar(asked, opening.params(*buckets)) is None
        for bucket in buckets:
            session.add(ThrottleBucket(key=bucket.key, used=bucket.limit, factor=1, resets_at=now().timestamp() + 60))
            session.flush()
            assert session.scalar(asked, opening.params(*buckets)) is not None
            session.rollback()
        for wrong in (buckets[:-1], (*buckets, buckets[0])):
            with pytest.raises(ValueError, match="argument"):
                opening.params(*wrong)


def test_whoever_paces_his_guesses_gets_no_more_than_a_hundred_a_day(app: Flask, cast: Cast) -> None:
    compared, at = 0, START
    with app.app_context(), time_machine.travel(START, tick=False) as clock:
        buckets = code_buckets(room=cast.room(), role=Role.ATTENDEE, network="192.0.2.7", known_device=None)
        while at < START + timedelta(days=3):
            try:
                for _ in range(9):  # one below the limit of a minute
                    throttling.reserve(*buckets)
                    compared += 1
                wait = 61.0
            except Throttled as throttled:
                session.rollback()
                wait = throttled.retry_after + 1
            session.commit()
            at += timedelta(seconds=wait)
            clock.move_to(at)
    assert 200 <= compared <= 400


def test_a_quiet_window_halves_the_delay_and_success_does_not_reset_it(app: Flask) -> None:
    bucket = Bucket.of("shared", limit=2, window=60)
    with app.app_context(), time_machine.travel(START, tick=False) as clock:
        waits = []
        at = START
        for _ in range(4):
            throttling.reserve(bucket)
            throttling.reserve(bucket)
            with pytest.raises(Throttled) as refused:
                throttling.reserve(bucket)
            session.commit()
            waits.append(refused.value.retry_after)
            at += timedelta(seconds=refused.value.retry_after)
            clock.move_to(at)
        assert waits == [60, 120, 240, 480]
        throttling.reserve(bucket)
        throttling.release(bucket)  # a good one, by somebody else of the same network
        at += timedelta(seconds=961)
        clock.move_to(at)
        throttling.reserve(bucket)
        throttling.reserve(bucket)
        with pytest.raises(Throttled) as refused:
            throttling.reserve(bucket)
        assert refused.value.retry_after == 480
        session.rollback()
