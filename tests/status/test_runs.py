"""Runs of a room: opened by the first who comes or by a wish, over when the last one leaves or somebody ends them."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.admission.participations import count_participations, participations_of
from portal.audit.models import AuditEvent
from portal.clock import now
from portal.customers.models import CustomerStatus
from portal.db import session, transaction
from portal.errors import Conflict
from portal.jobs import loop
from portal.people.actor import actor_of
from portal.providers.base import LiveState
from portal.rooms.models import Role, Room, RoomStatusWord
from portal.status.arrivals import enter_session
from portal.status.models import Ending, Participation, RoomSession, RoomStatus
from portal.status.operations import leave_session, present_participations
from portal.status.queries import find_session, position_of, sessions_of
from portal.status.room_lifecycle import change_room, delete_room
from portal.status.runs import end_run, end_session, start_session
from tests.admission.test_races import race
from tests.cast import Cast, editable
from tests.conftest import BOTH
from tests.status.entrances import read_entrance

in_app = pytest.mark.usefixtures("in_app")


def running_session(room: Room) -> RoomSession | None:
    query = sa.select(RoomSession).where(RoomSession.room_uuid == room.uuid, RoomSession.ended_at.is_(None))
    return session.scalar(query)


def state(cast: Cast) -> LiveState:
    return session.get_one(RoomStatus, cast.room().uuid).state


def come(cast: Cast, name: str, role: Role = Role.ATTENDEE) -> Participation:
    return come_into(cast, cast.board, name=name, role=role)


@in_app
def test_a_started_run_waits_for_people_and_becomes_live_with_the_first(cast: Cast) -> None:
    alice = cast.user("alice")
    run = start_session(cast.room(), by=actor_of(alice))
    assert (state(cast), run.most, run.ended_at) == (LiveState.STARTING, 0, None)
    assert start_session(cast.room(), by=actor_of(alice)) is run
    assert come(cast, "Gus").session_uuid == run.uuid
    assert (state(cast), run.most) == (LiveState.LIVE, 1)
    session.commit()
    noted = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "room.started")).all()
    assert [(event.actor_uuid, event.thing_uuid) for event in noted] == [(alice.uuid, run.uuid)]


@in_app
def test_ending_sends_everybody_out_and_is_noted(cast: Cast) -> None:
    alice = cast.user("alice")
    people = [come(cast, name) for name in ("Gus", "Fay")]
    run = running_session(cast.room())
    assert run is not None
    assert end_session(cast.room(), by=actor_of(alice)) == 2
    assert [person.ending for person in people] == [Ending.ENDED] * 2
    assert (state(cast), run.ended_at is not None, run.most) == (LiveState.IDLE, True, 2)
    session.commit()
    noted = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "room.ended")).one()
    assert (noted.actor_uuid, noted.details) == (alice.uuid, {"most": 2})


@in_app
def test_a_run_that_nobody_came_to_can_be_ended_too(cast: Cast) -> None:
    run = start_session(cast.room())
    assert end_session(cast.room()) == 0
    assert (state(cast), run.ended_at is not None) == (LiveState.IDLE, True)
    assert end_session(cast.room()) == 0


def test_a_run_that_nobody_comes_to_ends_by_itself_after_five_minutes(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        run = start_session(cast.room())
        run.started_at = now() - timedelta(minutes=4)
        with_people = come_into(cast, cast.open_house)
        with_people.run.started_at = now() - timedelta(minutes=30)
    loop.close_overdue(app)
    with app.app_context(), transaction():
        (run,) = sessions_of(cast.room())
        assert run.ended_at is None
        run.started_at = now() - timedelta(minutes=5)
    loop.close_overdue(app)
    with app.app_context():
        (run,) = sessions_of(cast.room())
        assert run.ended_at is not None
        assert state(cast) is LiveState.IDLE
        assert running_session(cast.room(cast.open_house)) is not None


@in_app
@pytest.mark.parametrize("spoil", ["room", "customer", "provider"])
def test_what_cannot_be_used_cannot_be_started(cast: Cast, spoil: str) -> None:
    room = cast.room()
    if spoil == "room":
        room.status = RoomStatusWord.INACTIVE
    elif spoil == "customer":
        room.customer.status = CustomerStatus.TERMINATED
    else:
        room.subscription.provider.active = False
    session.flush()
    with pytest.raises(Conflict):
        start_session(room)
    assert running_session(room) is None


@in_app
def test_a_room_that_becomes_inactive_sends_everybody_out(cast: Cast) -> None:
    room, alice = cast.room(), actor_of(cast.user("alice"))
    come(cast, "Gus")
    named = change_room(editable(room, alice), by=alice, room_name="Other name")
    assert len(present_participations(room)) == 1
    change_room(named, by=alice, status=RoomStatusWord.INACTIVE)
    assert present_participations(room) == []
    assert running_session(room) is None


@in_app
def test_a_room_that_is_deleted_sends_everybody_out(cast: Cast) -> None:
    room = cast.room()
    come(cast, "Gus")
    delete_room(room, by=actor_of(cast.user("alice")))
    assert room.trashed_at is not None
    assert present_participations(room) == []
    assert running_session(room) is None


@in_app
def test_the_most_that_were_in_at_once_stay_known(cast: Cast) -> None:
    people = [come(cast, name) for name in ("Gus", "Fay", "Kim")]
    leave_session(people[0], ending=Ending.LEFT)
    come(cast, "Pat")
    (run,) = sessions_of(cast.room())
    assert run.most == 3


@in_app
def test_runs_come_newest_first_page_by_page(cast: Cast) -> None:
    room, start = cast.room(), now() - timedelta(days=9)
    for hours in (*range(7), 3):  # two of them started in the same microsecond
        at = start + timedelta(hours=hours)
        session.add(RoomSession(room_uuid=room.uuid, started_at=at, ended_at=at + timedelta(minutes=5), most=1))
    session.flush()
    everything = sessions_of(room)
    assert [run.started_at for run in everything] == sorted((run.started_at for run in everything), reverse=True)
    paged: list[RoomSession] = []
    while page := sessions_of(room, after=position_of(paged[-1]) if paged else None, limit=3):
        paged += page
    assert paged == everything
    assert len(paged) == 8
    assert find_session(room, everything[0].id) is everything[0]
    assert find_session(cast.room(cast.open_house), everything[0].id) is None


def test_attendance_says_who_was_in_by_which_right_and_how_it_ended(cast: Cast, app: Flask) -> None:
    guest = cast.join(Role.GUEST, name="Gus")
    cast.sign_in("bob").send(f"/rooms/{cast.board}/-/entry")
    player = f"/rooms/{cast.board}/-/conference"
    guest.post(f"{player}/departure", data={"csrf_token": guest.token(player)})
    with app.app_context():
        (run,) = sessions_of(cast.room())
        one, other = participations_of(run)
        assert count_participations(run) == 2
        assert [one] == participations_of(run, limit=1)
    assert (one.name, one.role, one.link, one.member, one.ending) == ("Gus", Role.GUEST, "Press", None, Ending.LEFT)
    assert one.left_at is not None
    assert (other.name, other.link, other.link_id, other.member) == ("Bob Fischer", None, None, "Bob Fischer")
    assert (other.left_at, other.ending) == (None, None)


@BOTH
def test_of_twenty_who_start_a_room_at_once_all_get_the_same_run(app: Flask, cast: Cast) -> None:
    results = race(app, lambda _n: start_session(cast.room()).uuid)
    assert len(set(results)) == 1


def come_into(cast: Cast, room_id: str, *, name: str = "Pat", role: Role = Role.GUEST) -> Participation:
    device = f"device of {name}"
    place = enter_session(here=read_entrance(cast.room(room_id), device), name=name, role=role, device=device)
    session.expire_all()  # people enter by statements that change no row which is loaded
    return session.get_one(Participation, place.uuid)


@BOTH
def test_a_run_that_somebody_came_to_meanwhile_is_not_ended_as_forsaken(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        run = start_session(cast.room())
        come_into(cast, cast.board)
        assert end_run(run.uuid, if_empty=True) == 0
        assert running_session(cast.room()) is not None
        assert end_run(run.uuid) == 1
        later = start_session(cast.room())
        assert end_run(run.uuid) == 0  # another one runs by now
        assert running_session(cast.room()) == later
