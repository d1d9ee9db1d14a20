"""What changes while a service thinks: nobody is let in, or ended, by what is no longer so."""

from datetime import timedelta

import sqlalchemy as sa
import time_machine

from portal.admission.tokens import change_token
from portal.clock import now
from portal.customers.models import CustomerStatus
from portal.db import session
from portal.people.actor import actor_of
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.rooms.models import Role, RoomStatusWord
from portal.status.models import RoomSession
from portal.status.runs import end_session
from tests.api.conftest import NewProgram, program
from tests.conftest import BOTH
from tests.providers.standin.world import World, enter, in_a_transaction

__all__ = ["program"]
pytestmark = BOTH


# What changes while a service thinks


def test_a_customer_who_is_out_meanwhile_lets_nobody_in(world: World) -> None:
    world.service.meanwhile.append(
        lambda: in_a_transaction(
            world, lambda: setattr(world.cast.room().customer, "status", CustomerStatus.TERMINATED)
        )
    )
    _, answer = world.join(Role.GUEST)
    assert answer.status_code == 403
    assert world.people(present=False) == []


def test_a_member_who_is_none_any_more_meanwhile_is_not_let_in(world: World) -> None:
    bob = world.cast.sign_in("bob")
    in_a_transaction(
        world, lambda: session.execute(sa.update(RoomMember).values(permissions=[Permission.ROOM_VIEW.value]))
    )
    world.service.meanwhile.append(lambda: in_a_transaction(world, lambda: session.execute(sa.delete(RoomMember))))
    answer = bob.send(f"/rooms/{world.cast.board}/-/entry", entrance="1")
    assert answer.status_code == 404
    assert world.people(present=False) == []


def test_a_link_that_is_lowered_meanwhile_makes_no_moderator(world: World) -> None:
    def lower() -> None:
        token = world.cast.token(Role.MODERATOR)
        change_token(token, room=token.room, by=actor_of(world.cast.user("alice")), role=Role.GUEST)

    world.service.meanwhile.append(lambda: in_a_transaction(world, lower))
    _, answer = world.join(Role.MODERATOR, name="Mo")
    world.land(answer)
    assert [role for _, role in world.service.people_in().values()] == ["visitor"]


def test_a_slow_arrival_ends_no_run_that_others_began_meanwhile(world: World) -> None:
    enter(world, "One")

    def begin_anew() -> None:
        in_a_transaction(world, lambda: end_session(world.cast.room()))
        world.service.meetings.clear()
        enter(world, "Ann")

    world.service.meanwhile.append(begin_anew)
    enter(world, "Slow")
    assert sorted(person.name for person in world.people()) == ["Ann", "Slow"]
    assert len(world.service.people_in()) == 2


def test_an_end_that_could_not_be_told_does_not_end_who_came_after(world: World) -> None:
    enter(world, "One")
    in_a_transaction(world, lambda: end_session(world.cast.room()))
    enter(world, "Two")  # the service has gone on under the same name
    world.work()
    assert world.service.count("end") == 0
    assert [person.name for person in world.people()] == ["Two"]


def test_a_room_that_cannot_be_used_is_not_opened_by_its_service(world: World) -> None:
    enter(world)
    world.ask()

    def shut() -> None:
        world.cast.room().status = RoomStatusWord.INACTIVE
        end_session(world.cast.room())

    in_a_transaction(world, shut)
    in_a_transaction(world, lambda: session.execute(sa.update(RoomSession).values(end_wanted=False)))
    with time_machine.travel(now() + timedelta(minutes=5), tick=True):
        world.ask()
        assert [run.ended_at is None for run in world.runs()] == [False]
        world.work()
    assert world.service.count("end") == 1, "its service is told once more"


def test_a_refused_start_leaves_the_programs_key_free(world: World, program: NewProgram) -> None:
    alice = program("alice")
    world.service.dead = True
    first = alice.post(f"/rooms/{world.cast.board}/start", Idempotency_Key="k-1")
    assert first.status_code == 503
    world.service.dead = False
    again = alice.post(f"/rooms/{world.cast.board}/start", Idempotency_Key="k-1")
    assert (again.status_code, again.json["data"]["state"]) == (200, "starting")
