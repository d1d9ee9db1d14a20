"""Ending a conversation that the last moderator has left, in rooms that are set to end then."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.clock import now
from portal.db import session, transaction
from portal.jobs import loop
from portal.rooms.models import Role
from portal.status.models import Ending, Participation
from portal.status.moderators import end_without_moderator
from portal.status.operations import leave_session
from tests.admission.test_removals import come
from tests.cast import Cast
from tests.conftest import BOTH

pytestmark = BOTH
ENDS: dict[str, Any] = {"end_when_no_moderator": True, "end_when_no_moderator_timeout": 3}


def set_up(cast: Cast, settings: dict[str, Any]) -> None:
    cast.room().room_settings = settings
    come(cast, "gus")
    come(cast, "host", token=cast.token(Role.MODERATOR))


def host_leaves(cast: Cast) -> None:
    for person in session.scalars(sa.select(Participation).where(Participation.device == "host")).all():
        leave_session(person, ending=Ending.LEFT)


def gus(cast: Cast) -> Participation:
    return session.scalars(sa.select(Participation).where(Participation.device == "gus")).one()


def after(app: Flask, **time: int) -> int:
    with time_machine.travel(now() + timedelta(**time)):
        return loop.close_overdue(app)


def test_it_ends_so_many_minutes_after_the_last_moderator_left(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        set_up(cast, ENDS)
    assert after(app, minutes=30) == 0  # the moderator is in
    with app.app_context(), transaction():
        host_leaves(cast)
    assert after(app, minutes=2, seconds=50) == 0
    assert after(app, minutes=3, seconds=1) == 1
    with app.app_context():
        assert (gus(cast).ending, gus(cast).run.ended_at is not None) == (Ending.NO_MODERATOR, True)


def test_a_moderator_who_comes_back_in_time_keeps_it_going(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        set_up(cast, ENDS)
        host_leaves(cast)
        come(cast, "host", token=cast.token(Role.MODERATOR))
    assert after(app, minutes=5) == 0
    with app.app_context(), transaction(), time_machine.travel(now() + timedelta(minutes=5)):
        assert end_without_moderator(gus(cast).session_uuid) == 0  # judged before, and late


@pytest.mark.parametrize("settings", [{}, {"end_when_no_moderator": False}, {"end_when_no_moderator": "yes"}])
def test_other_rooms_go_on_without_a_moderator(app: Flask, cast: Cast, settings: dict[str, Any]) -> None:
    with app.app_context(), transaction():
        set_up(cast, settings)
        host_leaves(cast)
    assert after(app, minutes=30) == 0


def test_a_room_in_which_people_wait_for_the_first_moderator_goes_on(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        cast.room().room_settings = {"end_when_no_moderator": True}
        come(cast, "gus")
    assert after(app, minutes=30) == 0


def test_a_minute_is_the_default(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        set_up(cast, {"end_when_no_moderator": True})
        host_leaves(cast)
    assert after(app, seconds=50) == 0
    assert after(app, seconds=61) == 1
