"""The lobby: who waits in it, moderators' answers, and for whom and how long they count."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.admission import waiting
from portal.admission.case import Reason, Refuse, Wait
from portal.admission.entering import Declined, preview
from portal.admission.lobby import admit_all, answer, sweep_answers, turned_away, waiting_guests
from portal.admission.models import LobbyAnswer, RoomToken
from portal.admission.visitor import Visitor
from portal.admission.waiting import keep_waiting, start_waiting
from portal.audit.models import AuditEvent
from portal.conference.signals import SignalType
from portal.conference.whole_room import moderate_room
from portal.db import session, transaction
from portal.errors import Conflict, NotFound
from portal.people.actor import actor_of
from portal.rooms.models import Role
from portal.rooms.settings import GUEST_POLICY
from portal.status.models import Ending, Participation
from portal.status.operations import leave_session
from portal.status.runs import end_session
from tests.admission.test_races import race
from tests.admission.test_removals import come
from tests.cast import Cast
from tests.conftest import BOTH

pytestmark = BOTH
in_app = pytest.mark.usefixtures("in_app")


@pytest.fixture(autouse=True)
def _lobby(app: Flask, cast: Cast) -> None:
    """The board room lets guests in one by one."""
    with app.app_context(), transaction():
        cast.room().room_settings = {GUEST_POLICY: "ask"}


def host_of(cast: Cast) -> Participation:
    return come(cast, "host", token=cast.token(Role.MODERATOR))


def wait(cast: Cast, device: str, *, token: RoomToken | None = None, network: str = "192.0.2.7") -> bool:
    """Press Join: whether there is a place to wait."""
    room, visitor = cast.room(), Visitor(device=device, token=token or cast.token(Role.GUEST))
    decision = preview(room, visitor)
    assert decision.result == Wait("approval")
    return start_waiting(room, visitor, decision, name=device, network=network)


def ids(cast: Cast) -> dict[str, str]:
    return {waiter.name: waiter.id for waiter in waiting_guests(cast.room())}


def assert_still_waits(cast: Cast, device: str, **how: Any) -> None:
    with pytest.raises(Declined) as declined:
        come(cast, device, **how)
    assert declined.value.decision.result == Wait("approval")


def assert_turned_away(cast: Cast, device: str, **how: Any) -> None:
    with pytest.raises(Declined) as declined:
        come(cast, device, **how)
    assert declined.value.decision.reason is Reason.TURNED_AWAY


@in_app
def test_only_guests_wait_and_an_answer_counts_for_the_one_who_waited(cast: Cast) -> None:
    host = host_of(cast)
    assert come(cast, "bob", user="bob")
    for device in ("gus", "fay", "zoe"):
        assert wait(cast, device)
        assert_still_waits(cast, device)
    waiting_now = ids(cast)
    assert list(waiting_now) == ["gus", "fay", "zoe"]  # in the order of coming

    answer(cast.room(), waiting_now["gus"], admit=True, by=None, moderator=host)
    answer(cast.room(), waiting_now["fay"], admit=False, by=None, moderator=host)
    assert list(ids(cast)) == ["zoe"]
    assert [one.name for one in turned_away(cast.room())] == ["fay"]
    gus = come(cast, "gus")
    assert_turned_away(cast, "fay")
    assert_still_waits(cast, "zoe")
    leave_session(gus, ending=Ending.LEFT)
    assert come(cast, "gus")  # admitted for as long as the run lasts

    answer(cast.room(), waiting_now["fay"], admit=True, by=None, moderator=host)  # after all
    assert turned_away(cast.room()) == []
    assert come(cast, "fay")


@in_app
def test_answers_are_written_to_the_audit_once_with_who_gave_them(cast: Cast) -> None:
    host, alice = host_of(cast), actor_of(cast.user("alice"))
    wait(cast, "gus")
    gus = ids(cast)["gus"]
    for admit in (False, False, True, True):
        answer(cast.room(), gus, admit=admit, by=alice if admit else None, moderator=None if admit else host)
    session.commit()
    written = session.scalars(
        sa.select(AuditEvent).where(AuditEvent.action.startswith("visitor.")).order_by(AuditEvent.uuid)
    ).all()
    assert [(line.action, line.actor_uuid, line.details) for line in written] == [
        ("visitor.turned_away", None, {"name": "gus", "moderator": host.id}),
        ("visitor.admitted", alice.uuid, {"name": "gus", "moderator": None}),
    ]


@in_app
def test_admitting_all_passes_over_who_was_turned_away(cast: Cast) -> None:
    host = host_of(cast)
    for device in ("gus", "fay", "zoe"):
        wait(cast, device)
    answer(cast.room(), ids(cast)["fay"], admit=False, by=None, moderator=host)
    assert admit_all(cast.room(), by=None, moderator=host) == 2
    assert admit_all(cast.room(), by=None, moderator=host) == 0
    assert_turned_away(cast, "fay")
    assert come(cast, "gus")
    assert come(cast, "zoe")


@in_app
def test_answers_end_with_the_run_and_are_swept(cast: Cast) -> None:
    host_of(cast)
    wait(cast, "gus")
    wait(cast, "fay")
    waiters = ids(cast)
    answer(cast.room(), waiters["gus"], admit=True, by=None)
    answer(cast.room(), waiters["fay"], admit=False, by=None)
    end_session(cast.room())
    with pytest.raises(Conflict):  # there is no run to admit anybody to
        answer(cast.room(), waiters["gus"], admit=True, by=None)
    host_of(cast)
    assert_still_waits(cast, "gus")
    assert_still_waits(cast, "fay")
    assert turned_away(cast.room()) == []
    sweep_answers()
    assert session.scalars(sa.select(LobbyAnswer)).all() == []


@in_app
def test_who_has_a_personal_link_is_known_again_on_another_device(cast: Cast) -> None:
    host_of(cast)
    personal = cast.token(Role.GUEST)
    personal.person = "Pat Personal"
    session.flush()
    wait(cast, "phone")
    answer(cast.room(), ids(cast)["Pat Personal"], admit=True, by=None)
    assert come(cast, "laptop").name == "Pat Personal"


@in_app
def test_whoever_does_not_wait_any_more_cannot_be_admitted(cast: Cast) -> None:
    host_of(cast)
    for unknown in ("nobody", ""):
        with pytest.raises(NotFound):
            answer(cast.room(), unknown, admit=True, by=None)


@in_app
def test_how_many_may_wait_is_bounded_for_the_room_and_for_each_network(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOST_IN_ROOM", 3)
    monkeypatch.setattr(waiting, "MOST_OF_NETWORK", 2)
    host_of(cast)
    assert [wait(cast, device) for device in ("a", "b", "c", "a")] == [True, True, False, True]
    assert [wait(cast, device, network="198.51.100.9") for device in ("c", "d")] == [True, False]
    assert list(ids(cast)) == ["a", "b", "c"]


@in_app
def test_a_place_is_kept_by_a_page_that_asks_and_never_made_by_it(cast: Cast) -> None:
    host_of(cast)
    room = cast.room()
    visitors = {device: Visitor(device=device, token=cast.token(Role.GUEST)) for device in ("gus", "looks")}
    wait(cast, "gus")
    before = ids(cast)
    for visitor in visitors.values():
        keep_waiting(room, visitor, preview(room, visitor))
    wait(cast, "gus")  # a reload of the page
    assert ids(cast) == before


@in_app
def test_a_moderator_turns_the_lobby_on_for_the_run_and_no_room_that_refuses_guests_opens_by_it(cast: Cast) -> None:
    host, policies = host_of(cast), {"accept": Wait("approval"), "refuse": Refuse(Reason.NO_GUESTS)}
    visitor = Visitor(device="gus", token=cast.token(Role.GUEST))
    moderate_room(sender=host, kind=SignalType.TURN_LOBBY_ON, by=None)
    for policy, result in policies.items():
        cast.room().room_settings = {GUEST_POLICY: policy}
        session.flush()
        assert preview(cast.room(), visitor).result == result
    cast.room().room_settings = {}
    session.flush()
    wait(cast, "gus")
    answer(cast.room(), ids(cast)["gus"], admit=True, by=None, moderator=host)
    assert come(cast, "gus")
    assert_still_waits(cast, "fay")
    moderate_room(sender=host, kind=SignalType.TURN_LOBBY_OFF, by=None)
    assert come(cast, "fay")
    moderate_room(sender=host, kind=SignalType.TURN_LOBBY_ON, by=None)
    end_session(cast.room())
    assert come(cast, "next")


def test_two_moderators_who_answer_at_once_leave_one_answer(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        host_of(cast)
        wait(cast, "gus")
        gus = ids(cast)["gus"]

    race(app, lambda number: answer(cast.room(), gus, admit=bool(number % 2), by=None).admitted in {True, False})
    with app.app_context():
        assert len(session.scalars(sa.select(LobbyAnswer)).all()) == 1
