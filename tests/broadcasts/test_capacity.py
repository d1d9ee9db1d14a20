"""As many broadcasts as a machine can make segments of, and no longer than the plan allows."""

from datetime import timedelta

import pytest
from flask import Flask

from portal.broadcasts import leases
from portal.broadcasts.models import BroadcastState
from portal.clock import now
from portal.db import transaction
from portal.jobs import broadcasts
from portal.rooms.models import Role
from portal.status.models import Ending
from tests.cast import Cast
from tests.conftest import BOTH
from tests.live_room import Stage, Studio, new_stage


def age(stage: Stage, **ago: float) -> None:
    with stage.app.app_context(), transaction():
        stage.broadcast().since = now() - timedelta(**ago)


def test_where_no_worker_takes_it_nobody_goes_live(stage: Stage) -> None:
    studio = Studio(stage, stage.come(Role.MODERATOR))
    age(stage, seconds=11)
    refused = studio.go_live()
    assert refused.status_code == 503
    assert "no capacity" in refused.json["message"]  # type: ignore[index]
    with stage.app.app_context(), transaction():
        assert leases.claim(stage.run().uuid) is not None
    assert studio.go_live().status_code == 201


@BOTH
def test_a_process_that_has_enough_takes_no_more_and_ends_what_nobody_takes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcasts, "most_here", lambda: 0)
    stage.come(Role.MODERATOR)
    broadcasts.work_on_due(stage.app)
    with stage.app.app_context(), transaction():
        assert leases.due() == [stage.run().uuid]
    age(stage, minutes=6)
    broadcasts.work_on_due(stage.app)
    with stage.app.app_context(), transaction():
        assert leases.due() == []
        assert stage.broadcast().state is BroadcastState.ENDED
        assert stage.run().ended_at is not None
        assert [one.ending for one in stage.people()] == [Ending.CLOSED]


@pytest.mark.parametrize(("ago", "left"), [(0, None), (49, None), (51, 9), (59, 1)])
def test_moderators_are_told_when_the_time_is_nearly_over(app: Flask, cast: Cast, ago: int, left: int | None) -> None:
    stage = new_stage(app, cast, max_duration=60)
    studio = Studio(stage, stage.come(Role.MODERATOR))
    with stage.app.app_context(), transaction():
        stage.run().started_at = now() - timedelta(minutes=ago, seconds=10)
    told = studio.post("/presence", json={}).json
    assert told is not None
    assert told.get("minutes_left") == left
