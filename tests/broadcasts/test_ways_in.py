"""Each way into a live room: by a link, as a member, by a join ticket; and who is asked to wait."""

import sqlalchemy as sa

from portal.admission.join_tickets import issue_join_ticket
from portal.admission.models import RoomToken
from portal.admission.visitor import Visitor
from portal.db import session, transaction
from portal.rooms.models import Role
from portal.status.models import Driver
from tests.live_room import Stage, Studio


def ticket(stage: Stage, role: Role) -> str:
    """The path of a join ticket for the link of this role."""
    with stage.app.app_context(), transaction():
        room = stage.room()
        link = session.scalars(
            sa.select(RoomToken).where(RoomToken.room_uuid == room.uuid, RoomToken.role == role)
        ).one()
        _, secret = issue_join_ticket(room=room, visitor=Visitor(token=link), name="Gus", code="", network="192.0.2.1")
        return f"/rooms/{stage.room_id}/-/join-tickets/{secret}"


def test_a_member_who_may_moderate_opens_the_studio_and_the_run(stage: Stage) -> None:
    alice = stage.cast.sign_in("alice")
    answer = alice.send(f"/rooms/{stage.room_id}/-/entry")
    assert (answer.status_code, answer.location) == (303, stage.page)
    assert Studio(stage, alice).go_live().status_code == 201
    with stage.app.app_context(), transaction():
        assert stage.run().driver is Driver.PROVIDER
        assert stage.broadcast().latest_number == 1


def test_a_join_ticket_lets_in_once_the_room_is_open(stage: Stage) -> None:
    Studio(stage, stage.come(Role.MODERATOR))
    guest = stage.cast.browser()
    opened = guest.get(ticket(stage, Role.GUEST))
    assert opened.status_code == 303
    entered = guest.send(opened.location)
    assert (entered.status_code, entered.location) == (303, stage.page)
    assert guest.get(stage.page).status_code == 200
    assert guest.get(f"/rooms/{stage.room_id}/-/conference").status_code != 200
    assert guest.get(f"/rooms/{stage.room_id}/-/watch").status_code == 404


def test_a_device_that_comes_again_takes_over_its_own_place(stage: Stage) -> None:
    moderator = stage.come(Role.MODERATOR)
    assert moderator.send(stage.path, name="Moderator").status_code == 303
    with stage.app.app_context(), transaction():
        assert len(stage.people()) == 1
