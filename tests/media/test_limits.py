"""How long recordings are kept, and how many: by plan and room, with a week to save what a later limit takes."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.audit.models import AuditEvent
from portal.clock import now
from portal.db import session, transaction
from portal.jobs.housekeeping import tidy_up
from portal.media import limits
from portal.media.limits import LEFT_TO_SAVE, enforce_limits, first_expiry
from portal.media.models import Recording
from portal.people.actor import actor_of
from portal.providers.base import RecordingState
from portal.rooms.operations import trash_room
from portal.subscriptions.granting import remove_feature, set_feature
from tests.cast import Cast
from tests.conftest import BOTH
from tests.media.conftest import NewRecording

OLD = timedelta(days=100)


def grant(cast: Cast, **features: int | None) -> None:
    """The plan of Alice's rooms grants these; None for unlimited."""
    with cast.app.app_context(), transaction():
        for code, value in features.items():
            set_feature(cast.room().subscription, code=code, value=value)


def narrow(cast: Cast, **features: int) -> None:
    """The board room asks for less."""
    with cast.app.app_context(), transaction():
        cast.room().room_features = features


def tidied(app: Flask, at: datetime) -> set[str]:
    """The ids of the recordings that are left after the job has run at this time."""
    with time_machine.travel(at, tick=True), app.app_context():
        enforce_limits()
    with app.app_context():
        return set(session.scalars(sa.select(Recording.id).where(Recording.deleted_at.is_(None))))


def expiries(app: Flask) -> dict[str, datetime | None]:
    with app.app_context():
        return {one.id: one.expires_at for one in session.scalars(sa.select(Recording))}


@BOTH
def test_one_that_is_too_old_is_deleted_and_the_audit_says_why(
    app: Flask, cast: Cast, new_recording: NewRecording
) -> None:
    grant(cast, record_expiration=30)
    at = now()
    old, fresh = new_recording(ready_at=at - timedelta(days=29)), new_recording(ready_at=at)
    assert tidied(app, at) == {old, fresh}
    assert expiries(app) == {old: at + LEFT_TO_SAVE, fresh: at + timedelta(days=30)}
    assert tidied(app, at + LEFT_TO_SAVE + timedelta(seconds=1)) == {fresh}
    with app.app_context():
        [line] = session.scalars(sa.select(AuditEvent).where(AuditEvent.thing == "recordings"))
        assert (line.action, line.actor_uuid) == ("recording.expired", None)


def test_the_plan_and_the_room_decide_from_the_first_day(app: Flask, cast: Cast) -> None:
    at = now()

    def first() -> datetime | None:
        with app.app_context():
            return first_expiry(cast.room(), at)

    assert first() is None, "a plan that says nothing of it keeps them"
    grant(cast, record_expiration=30)
    assert first() == at + timedelta(days=30)
    narrow(cast, record_expiration=3)
    assert first() == at + timedelta(days=3)
    narrow(cast, record_expiration=300)
    assert first() == at + timedelta(days=30)
    grant(cast, record_expiration=None)
    narrow(cast)
    assert first() is None
    grant(cast, record_expiration=2**53 - 1)
    assert first() is None


@BOTH
def test_a_plan_that_says_nothing_or_no_limit_keeps_everything(
    app: Flask, cast: Cast, new_recording: NewRecording
) -> None:
    made = {new_recording(ready_at=now() - OLD) for _ in range(3)}
    assert tidied(app, now() + OLD) == made
    grant(cast, record_expiration=None, max_recordings=None)
    assert tidied(app, now() + OLD) == made
    assert set(expiries(app).values()) == {None}


@BOTH
def test_of_too_many_the_oldest_go_after_a_week(app: Flask, cast: Cast, new_recording: NewRecording) -> None:
    grant(cast, max_recordings=2)
    at = now()
    oldest, *rest = [new_recording(ready_at=at - OLD + timedelta(days=day)) for day in range(3)]
    assert tidied(app, at) == {oldest, *rest}
    assert expiries(app) == {oldest: at + LEFT_TO_SAVE, **dict.fromkeys(rest)}
    assert tidied(app, at + timedelta(days=3)) == {oldest, *rest}
    assert expiries(app)[oldest] == at + LEFT_TO_SAVE, "the week is not begun anew"
    assert tidied(app, at + LEFT_TO_SAVE + timedelta(seconds=1)) == set(rest)


def test_one_that_is_not_too_many_any_more_stays(app: Flask, cast: Cast, new_recording: NewRecording) -> None:
    grant(cast, max_recordings=1)
    kept, spare = new_recording(ready_at=now() - OLD), new_recording()
    tidied(app, now())
    assert expiries(app)[kept] is not None
    with app.app_context(), transaction():
        session.execute(sa.delete(Recording).where(Recording.id == spare))
    assert tidied(app, now() + OLD) == {kept}
    assert expiries(app)[kept] is None


@BOTH
def test_the_rooms_of_a_subscription_share_its_number_and_a_room_may_ask_for_less(
    app: Flask, cast: Cast, new_recording: NewRecording
) -> None:
    grant(cast, max_recordings=3)
    narrow(cast, max_recordings=1)
    at = now()
    first = new_recording(cast.open_house, ready_at=at - timedelta(days=9))
    second = new_recording(ready_at=at - timedelta(days=8))
    third = new_recording(cast.open_house, ready_at=at - timedelta(days=7))
    fourth = new_recording(ready_at=at - timedelta(days=6))
    tidied(app, at)
    assert {one for one, expires_at in expiries(app).items() if expires_at} == {first, second}
    assert tidied(app, at + LEFT_TO_SAVE + timedelta(seconds=1)) == {third, fourth}


@pytest.mark.parametrize("about", [{"state": RecordingState.FAILED}, {"deleted_at": datetime.now().astimezone()}])
def test_what_failed_or_is_deleted_takes_no_place(
    app: Flask, cast: Cast, new_recording: NewRecording, about: dict[str, Any]
) -> None:
    grant(cast, max_recordings=1)
    kept = new_recording(ready_at=now() - OLD)
    new_recording(**about)
    tidied(app, now())
    assert expiries(app)[kept] is None


def test_rooms_in_the_trash_do_not_count(app: Flask, cast: Cast, new_recording: NewRecording) -> None:
    grant(cast, max_recordings=1)
    kept = new_recording(ready_at=now() - OLD)
    new_recording(cast.open_house)
    with app.app_context(), transaction():
        trash_room(cast.room(cast.open_house), by=actor_of(cast.user("alice")))
    tidied(app, now())
    assert expiries(app)[kept] is None


def test_a_limit_that_is_lifted_takes_nothing(app: Flask, cast: Cast, new_recording: NewRecording) -> None:
    grant(cast, record_expiration=1)
    kept = new_recording(ready_at=now() - OLD)
    tidied(app, now())
    with app.app_context(), transaction():
        remove_feature(cast.room().subscription, code="record_expiration")
    assert tidied(app, now() + OLD) == {kept}


def test_the_hourly_housekeeping_sees_to_it(app: Flask, cast: Cast, new_recording: NewRecording) -> None:
    gone = new_recording(expires_at=now() - timedelta(seconds=1), ready_at=now() - timedelta(days=2))
    grant(cast, record_expiration=1)
    with app.app_context():
        assert tidy_up() == 0
        assert session.scalar(sa.select(Recording).where(Recording.id == gone)) is None


@BOTH
def test_however_many_there_are_they_are_judged_some_at_a_time(
    app: Flask, cast: Cast, new_recording: NewRecording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "JUDGED_AT_ONCE", 2)
    grant(cast, max_recordings=3)
    at = now()
    oldest_first = [new_recording(ready_at=at - timedelta(days=5, minutes=-number)) for number in range(5)]
    tidied(app, at)
    assert {one for one, expires_at in expiries(app).items() if expires_at} == set(oldest_first[:2])
    grant(cast, max_recordings=4)
    tidied(app, at)
    assert {one for one, expires_at in expiries(app).items() if expires_at} == set(oldest_first[:1])
