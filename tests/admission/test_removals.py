"""Whom a moderator removed, how he is known again, and how he is let in once more."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.admission.case import Reason
from portal.admission.entering import Declined, enter
from portal.admission.models import RoomToken
from portal.admission.removals import readmit, removed_people, shared_links
from portal.admission.tokens import rotate_token
from portal.admission.visitor import Visitor
from portal.audit.models import AuditEvent
from portal.db import session, transaction
from portal.errors import NotFound
from portal.people.actor import actor_of
from portal.rooms.models import Role
from portal.status.models import Ending, Participation
from portal.status.operations import leave_session, present_participations
from tests.admission.test_races import race
from tests.cast import Cast
from tests.conftest import BOTH

pytestmark = BOTH
in_app = pytest.mark.usefixtures("in_app")


def come(cast: Cast, device: str, *, token: RoomToken | None = None, name: str = "", user: str = "") -> Participation:
    member = actor_of(cast.user(user)) if user else None
    visitor = Visitor(
        device=device,
        token=None if member else token or cast.token(Role.GUEST),
        member=member,
        member_role=Role.ATTENDEE if member else None,
    )
    place = enter(room=cast.room(), visitor=visitor, name=name or device, code="", network="192.0.2.7")
    return session.get_one(Participation, place.uuid)


def remove(*people: Participation) -> None:
    for person in people:
        assert leave_session(person, ending=Ending.REMOVED)


def assert_kept_out(cast: Cast, device: str, **how: object) -> None:
    with pytest.raises(Declined) as refused:
        come(cast, device, **how)  # type: ignore[arg-type]
    assert refused.value.decision.reason is Reason.REMOVED


@in_app
def test_who_was_removed_is_kept_out_by_whichever_link_and_name_until_he_is_let_in_again(cast: Cast) -> None:
    host, gus = come(cast, "host", token=cast.token(Role.MODERATOR)), come(cast, "gus")
    remove(gus)
    assert_kept_out(cast, "gus")
    assert_kept_out(cast, "gus", name="Somebody Else")
    assert_kept_out(cast, "gus", token=cast.token(Role.MODERATOR))
    assert [one.id for one in removed_people(cast.room())] == [gus.id]

    alice = cast.user("alice")
    assert readmit(cast.room(), gus.id, by=actor_of(alice), moderator=host) is gus
    assert removed_people(cast.room()) == []
    session.commit()
    line = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "participant.readmitted")).one()
    assert (line.thing_uuid, line.actor_uuid, line.room_uuid) == (gus.uuid, alice.uuid, gus.room_uuid)
    assert line.details == {"moderator": host.id}
    again = come(cast, "gus")
    assert again.uuid != gus.uuid
    assert gus.ending is Ending.REMOVED  # as it was

    remove(again)
    assert_kept_out(cast, "gus")  # being let in once is no right for good
    assert [one.id for one in removed_people(cast.room())] == [again.id]


@in_app
def test_letting_in_counts_for_every_device_of_the_same_person_and_for_nobody_else(cast: Cast) -> None:
    come(cast, "host", token=cast.token(Role.MODERATOR))
    personal = cast.token(Role.ATTENDEE)
    personal.role, personal.person = Role.GUEST, "Pat Personal"
    session.flush()
    phone, laptop = come(cast, "bob's phone", user="bob"), come(cast, "bob's laptop", user="bob")
    one, other = come(cast, "pat's phone", token=personal), come(cast, "pat's laptop", token=personal)
    stranger = come(cast, "stranger")
    remove(phone, laptop, one, other, stranger)
    assert_kept_out(cast, "bob's third", user="bob")
    assert_kept_out(cast, "pat's third", token=personal)

    readmit(cast.room(), laptop.id, by=None)
    assert come(cast, "bob's phone", user="bob").uuid != phone.uuid
    readmit(cast.room(), one.id, by=None)
    come(cast, "pat's third", token=personal)
    come(cast, "pat's laptop", token=personal)
    assert_kept_out(cast, "stranger")
    assert [person.id for person in removed_people(cast.room())] == [stranger.id]
    with pytest.raises(NotFound):
        readmit(cast.room(), phone.id, by=None)


@in_app
def test_who_came_by_a_personal_link_is_known_again_by_the_one_that_replaced_it_and_by_the_one_before(
    cast: Cast,
) -> None:
    come(cast, "host", token=cast.token(Role.MODERATOR))
    old = cast.token(Role.GUEST)
    old.person = "Pat Personal"
    session.flush()
    new = rotate_token(old, room=cast.room(), by=actor_of(cast.user("alice")), grace=timedelta(hours=1))
    for came_by, comes_by in ((old, new), (new, old)):
        pat = come(cast, f"phone {came_by.id}", token=came_by)
        remove(pat)
        assert_kept_out(cast, f"laptop {came_by.id}", token=comes_by)
        readmit(cast.room(), pat.id, by=None)
        again = come(cast, f"laptop {came_by.id}", token=comes_by)
        remove(again, come(cast, f"tablet {came_by.id}", token=came_by))
        readmit(cast.room(), again.id, by=None)
        assert removed_people(cast.room()) == []


@in_app
def test_a_removal_ends_with_the_run(cast: Cast) -> None:
    host, gus = come(cast, "host", token=cast.token(Role.MODERATOR)), come(cast, "gus")
    remove(gus)
    leave_session(host, ending=Ending.LEFT)
    assert removed_people(cast.room()) == []
    with pytest.raises(NotFound):
        readmit(cast.room(), gus.id, by=None)
    come(cast, "gus")


@in_app
def test_only_somebody_removed_from_this_room_is_let_in(cast: Cast) -> None:
    host, gus = come(cast, "host", token=cast.token(Role.MODERATOR)), come(cast, "gus")
    remove(gus)
    for room, person in ((cast.room(cast.open_house), gus), (cast.room(), host)):
        with pytest.raises(NotFound):
            readmit(room, person.id, by=None)
    assert_kept_out(cast, "gus")


def test_of_twenty_who_let_him_in_at_once_one_does(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        come(cast, "host", token=cast.token(Role.MODERATOR))
        gus = come(cast, "gus")
        remove(gus)
        gus_id = gus.id

    def let_in(_number: int) -> object:
        try:
            return readmit(cast.room(), gus_id, by=None)
        except NotFound:
            return "let in already"

    results = race(app, let_in)
    assert sum(isinstance(one, Participation) for one in results) == 1
    with app.app_context():
        query = sa.select(sa.func.count()).select_from(AuditEvent).where(AuditEvent.action == "participant.readmitted")
        assert session.scalar(query) == 1
        assert [person.device for person in present_participations(cast.room())] == ["host"]


@in_app
def test_an_automatic_link_is_refused_on_whatever_device_and_tells_nobody_from_another_after_the_run(
    cast: Cast,
) -> None:
    """A public room gives each device a link of its own; taking it to a fresh browser lets nobody come back."""
    room = cast.room(cast.open_house)
    fay = enter(room=room, visitor=Visitor(device="fay"), name="Fay", code="", network="192.0.2.7")
    enter(room=room, visitor=Visitor(device="stays"), name="Stays", code="", network="192.0.2.7")
    remove(session.get_one(Participation, fay.uuid))
    link = session.get_one(RoomToken, fay.token_uuid)
    assert link.automatic

    def come_by_it() -> None:
        enter(room=room, visitor=Visitor(device="fresh", token=link), name="Fay", code="", network="192.0.2.7")

    with pytest.raises(Declined) as refused:
        come_by_it()
    assert refused.value.decision.reason is Reason.REMOVED
    readmit(room, fay.id, by=None)
    come_by_it()


@in_app
def test_moderators_are_told_of_links_that_others_have_too(cast: Cast) -> None:
    personal = cast.token(Role.ATTENDEE)
    personal.role, personal.person = Role.GUEST, "Pat Personal"
    session.flush()
    shared, own = come(cast, "gus"), come(cast, "pat", token=personal)
    member = come(cast, "bob", user="bob")
    assert shared_links([shared, own, member]) == {shared.uuid: cast.token(Role.GUEST)}
    assert shared_links([member]) == {}
