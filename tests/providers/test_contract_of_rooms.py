"""What rooms keep to whichever adapter holds them, those that the portal's pages drive and those that a service does."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from portal.clock import now
from portal.db import session, transaction
from portal.providers.base import LiveState
from portal.rooms.models import Role
from portal.status.models import Driver, Ending, Participation, RoomSession, RoomStatus
from portal.status.runs import end_session
from tests.cast import Cast
from tests.conftest import BOTH
from tests.providers.houses import HOUSES, House

pytestmark = BOTH


@pytest.fixture(params=sorted(HOUSES))
def house(request: pytest.FixtureRequest, cast: Cast) -> Iterator[House]:
    with HOUSES[request.param](cast) as house:
        yield house


def read(house: House, question: Callable[[], Any]) -> Any:
    with house.cast.app.app_context(), transaction():
        return question()


def status_of(house: House) -> RoomStatus:
    house.settle()
    stored = read(house, lambda: session.get(RoomStatus, house.cast.room().uuid))
    assert isinstance(stored, RoomStatus)
    return stored


def runs_of(house: House) -> list[RoomSession]:
    return list(read(house, lambda: session.scalars(sa.select(RoomSession).order_by(RoomSession.uuid)).all()))


def test_the_first_begins_a_run_that_knows_its_row_and_its_driver(house: House) -> None:
    house.come("Gus")
    [run] = runs_of(house)
    provider = read(house, lambda: house.cast.room().subscription.provider_uuid)
    assert (run.provider_uuid, run.ended_at) == (provider, None)
    assert (run.driver is Driver.PROVIDER) is bool(run.external)


def test_the_status_tells_who_is_in_by_role_with_a_label_for_each_figure(house: House) -> None:
    house.come("Mo Moderator", Role.MODERATOR)
    house.come("Ann Attendee", Role.ATTENDEE)
    house.come("Gus Guest")
    status = status_of(house)
    assert (status.state, status.count) == (LiveState.LIVE, 3)
    assert sorted(status.names) == ["Ann Attendee", "Gus Guest", "Mo Moderator"]
    known = {"participants": 3, "moderators": 1, "attendees": 1, "guests": 1}
    assert {key: status.counts[key] for key in known} == known
    assert set(status.labels) == set(status.counts)
    assert all(status.labels.values())


def test_the_last_to_leave_ends_the_run(house: House) -> None:
    one, first = house.come("One")
    two, second = house.come("Two")
    status_of(house)
    house.go(one, first)
    assert status_of(house).state is LiveState.LIVE
    house.go(two, second)
    status = status_of(house)
    assert (status.state, status.count, status.names) == (LiveState.IDLE, 0, [])
    [run] = runs_of(house)
    assert run.ended_at is not None
    assert run.most == 2
    endings = read(house, lambda: set(session.scalars(sa.select(Participation.ending)).all()))
    assert endings == {Ending.LEFT}


def test_a_device_that_comes_again_is_one_person(house: House) -> None:
    client, first = house.come("Gus")
    _, second = house.come("Gus", client=client)
    assert second == first
    assert status_of(house).count == 1


def test_whoever_ends_the_run_sends_everybody_out(house: House) -> None:
    house.come("One")
    house.come("Two")

    def end() -> int:
        return end_session(house.cast.room())

    assert read(house, end) == 2
    status = status_of(house)
    assert (status.state, status.count) == (LiveState.IDLE, 0)
    with time_machine.travel(now() + timedelta(minutes=3), tick=True):
        assert status_of(house).state is LiveState.IDLE
    assert [run.ended_at is not None for run in runs_of(house)] == [True]


def test_who_comes_after_an_end_begins_another_run(house: House) -> None:
    client, participation = house.come("One")
    status_of(house)
    house.go(client, participation)
    status_of(house)
    house.come("Two")
    assert [run.ended_at is None for run in runs_of(house)] == [False, True]
    assert status_of(house).names == ["Two"]


def test_the_owner_reads_on_the_page_who_is_in(house: House) -> None:
    house.come("Gus Guest")
    status_of(house)
    page = house.cast.sign_in("alice").get(f"/manage/rooms/{house.cast.board}/status").text
    assert "Gus Guest" in page
    assert "<b>1</b>" in page
