"""Who enters a room that a moderator has locked, and who does not."""

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.admission.case import Reason
from portal.admission.entering import Declined
from portal.admission.removals import readmit
from portal.audit.models import AuditEvent
from portal.conference.signals import SignalType
from portal.conference.whole_room import moderate_room
from portal.db import session, transaction
from portal.rooms.models import Role
from portal.status.models import Ending, Participation
from portal.status.operations import leave_session, present_participations
from portal.status.runs import end_session
from tests.admission.test_races import race
from tests.admission.test_removals import come
from tests.cast import Cast
from tests.conftest import BOTH

pytestmark = BOTH
in_app = pytest.mark.usefixtures("in_app")


def host_of(cast: Cast) -> Participation:
    return come(cast, "host", token=cast.token(Role.MODERATOR))


def lock(host: Participation) -> None:
    moderate_room(sender=host, kind=SignalType.LOCK, by=None)


def assert_locked_out(cast: Cast, device: str, **how: object) -> None:
    with pytest.raises(Declined) as refused:
        come(cast, device, **how)  # type: ignore[arg-type]
    assert refused.value.decision.reason is Reason.LOCKED


@in_app
def test_moderators_enter_a_locked_room_and_who_comes_back_to_his_place_and_nobody_else(cast: Cast) -> None:
    host, stays, lost = host_of(cast), come(cast, "stays"), come(cast, "lost")
    left, removed = come(cast, "left"), come(cast, "removed")
    leave_session(left, ending=Ending.LEFT)
    lock(host)
    assert_locked_out(cast, "new")
    assert_locked_out(cast, "new", user="bob")
    assert_locked_out(cast, "left")
    assert come(cast, "another host", token=cast.token(Role.MODERATOR)).role is Role.MODERATOR
    assert come(cast, "stays").id == stays.id

    leave_session(lost, ending=Ending.LOST)
    back = come(cast, "lost")
    assert back.id != lost.id
    leave_session(back, ending=Ending.LEFT)
    assert_locked_out(cast, "lost")  # this time he went by himself

    leave_session(removed, ending=Ending.REMOVED)
    readmit(cast.room(), removed.id, by=None)
    assert come(cast, "removed").id != removed.id  # a moderator gave the place back

    moderate_room(sender=host, kind=SignalType.UNLOCK, by=None)
    assert come(cast, "new")


@in_app
def test_a_lock_ends_with_the_run(cast: Cast) -> None:
    lock(host_of(cast))
    assert_locked_out(cast, "new")
    end_session(cast.room())
    first = come(cast, "new")
    assert first.run.locked_at is None


@in_app
@pytest.mark.parametrize(
    ("on", "off", "actions"),
    [
        (SignalType.LOCK, SignalType.UNLOCK, ("room.locked", "room.unlocked")),
        (SignalType.TURN_LOBBY_ON, SignalType.TURN_LOBBY_OFF, ("room.lobby_turned_on", "room.lobby_turned_off")),
        (SignalType.STOP_CHAT, SignalType.ALLOW_CHAT, ("room.chat_stopped", "room.chat_allowed")),
        (SignalType.STOP_SHARING, SignalType.ALLOW_SHARING, ("room.sharing_stopped", "room.sharing_allowed")),
    ],
)
def test_what_is_done_about_the_room_is_written_once_each_with_the_moderator(
    cast: Cast, on: SignalType, off: SignalType, actions: tuple[str, str]
) -> None:
    host = host_of(cast)
    for kind in (off, on, on, off):
        moderate_room(sender=host, kind=kind, by=None)
    session.commit()
    written = session.scalars(
        sa.select(AuditEvent).where(AuditEvent.action.in_(actions)).order_by(AuditEvent.uuid)
    ).all()
    assert [(line.action, line.thing_uuid, line.details) for line in written] == [
        (action, host.session_uuid, {"moderator": host.id}) for action in actions
    ]


@in_app
def test_ending_for_everyone_ends_the_moderators_own_run_and_no_later_one(cast: Cast) -> None:
    host, gus = host_of(cast), come(cast, "gus")
    moderate_room(sender=host, kind=SignalType.END, by=None)
    session.expire_all()
    assert {one.ending for one in (host, gus)} == {Ending.ENDED}
    assert host.run.ended_at is not None
    come(cast, "gus")
    moderate_room(sender=host, kind=SignalType.END, by=None)  # sent before, and late
    lock(host)
    assert [one.device for one in present_participations(cast.room())] == ["gus"]
    session.commit()
    written = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "room.ended_for_everyone")).all()
    assert [(line.thing_uuid, line.details) for line in written] == [(host.session_uuid, {"moderator": host.id})]
    assert come(cast, "later")


def test_nobody_slips_in_while_the_room_is_being_locked(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        host_uuid = host_of(cast).uuid

    def act(number: int) -> str:
        if number == 0:
            lock(session.get_one(Participation, host_uuid))
            return "locked"
        return come(cast, f"guest {number}").name

    race(app, act)
    with app.app_context():
        locked_at = session.get_one(Participation, host_uuid).run.locked_at
        assert locked_at is not None
        assert all(one.entered_at <= locked_at for one in present_participations(cast.room()))
        assert_locked_out(cast, "late")
