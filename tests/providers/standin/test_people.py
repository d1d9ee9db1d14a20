"""People at a service: who is in, whoever hurries or takes long, and what others are told of it."""

from datetime import timedelta

import sqlalchemy as sa
import time_machine

from portal.admission.models import RoomToken
from portal.admission.tokens import people_inside, revoke_token
from portal.audit.models import AuditEvent
from portal.clock import now
from portal.db import session
from portal.identifiers import new_uuid
from portal.people.actor import actor_of
from portal.permissions.members import RoomMember
from portal.providers.base import LiveState, Snapshot
from portal.rooms.models import Role
from tests.conftest import BOTH
from tests.providers.standin.world import World, enter, in_a_transaction, tell

pytestmark = BOTH
LATER = timedelta(minutes=2)


# Who is in


def test_who_comes_again_is_on_the_way_again(world: World) -> None:
    client = enter(world)
    world.service.people_in()
    with time_machine.travel(now() + LATER, tick=True):
        meeting = next(iter(world.service.meetings.values()))
        meeting.people.clear()
        client.send(world.cast.board_path, name="Gus")
        world.ask()
        assert len(world.people()) == 1


def test_who_takes_long_at_the_services_own_door_is_counted_once_he_is_in(world: World) -> None:
    _, answer = world.join(Role.GUEST)
    with time_machine.travel(now() + LATER, tick=True):
        world.ask()
        assert world.people() == []
        world.land(answer)
        world.ask()
        assert len(world.people()) == 1


def test_a_service_that_tells_only_how_many_keeps_no_ghosts(world: World) -> None:
    for name in ("One", "Two", "Three"):
        enter(world, name)
    with time_machine.travel(now() + LATER, tick=True):
        tell(world, Snapshot(state=LiveState.LIVE, checked_at=now(), headline=1))
        assert [person.name for person in world.people()] == ["Three"]


def test_a_device_that_hurries_is_one_person_at_the_service(world: World) -> None:
    client = world.cast.follow(Role.GUEST)
    first = client.send(world.cast.board_path, name="Gus")
    second = client.send(world.cast.board_path, name="Gus")
    world.land(first)
    world.land(second)
    assert len(world.service.people_in()) == 1


def test_nobody_leaves_a_service_by_the_portals_own_player(world: World) -> None:
    client = enter(world)
    base = f"/rooms/{world.cast.board}/-/conference"
    proof = client.token(world.cast.board_path)
    for path in ("presence", "closing", "departure", "signals"):
        answer = client.post(f"{base}/{path}", json={"tab": "x"}, headers={"X-CSRFToken": proof})
        assert answer.status_code in {400, 409}, path
    assert client.get(f"{base}/stream").status_code == 409
    assert len(world.people()) == 1


def test_places_are_counted_by_the_services_word_too(world: World) -> None:
    in_a_transaction(world, lambda: setattr(world.cast.room(), "room_features", {"max_participants": 2}))
    enter(world)
    world.service.come(world.service.meeting_name(), "walk-in", "Walk-in", "member")
    world.ask()
    _, answer = world.join(Role.GUEST, name="Too many")
    assert answer.status_code == 403
    assert "full" in answer.text


# What people are told


def test_revoking_a_link_does_not_claim_to_remove_who_is_at_the_service(world: World) -> None:
    enter(world)

    def revoke() -> None:
        token = world.cast.token(Role.GUEST)
        assert people_inside(token) == []
        assert revoke_token(token, by=actor_of(world.cast.user("alice")), remove_people=True) == 0

    in_a_transaction(world, revoke)
    assert len(world.people()) == 1
    assert world.read(lambda: session.scalars(sa.select(RoomToken).where(RoomToken.revoked_at.is_not(None))).all())


def test_staff_who_moderate_by_a_staff_right_only_do_so_on_the_customers_behalf(world: World) -> None:
    def add() -> None:
        ada = world.cast.user("admin")
        session.add(RoomMember(uuid=new_uuid(), room=world.cast.room(), user=ada, permissions=["room:view"]))

    in_a_transaction(world, add)
    world.land(world.cast.sign_in("admin").send(f"/rooms/{world.cast.board}/-/entry", entrance="1"))
    joined = sa.select(AuditEvent.on_behalf_of_uuid).where(AuditEvent.action == "participant.joined")
    assert world.read(lambda: session.scalars(joined).one()) == world.read(lambda: world.cast.room().customer_uuid)


def test_a_service_is_asked_with_its_own_settings_after_the_plan_was_switched(world: World) -> None:
    enter(world, "One")
    in_a_transaction(world, lambda: setattr(world.cast.room().subscription, "provider", world.built_in()))
    enter(world, "Two")
    assert len(world.service.people_in()) == 2
