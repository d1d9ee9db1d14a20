"""Nobody goes on being told what he may no longer see: an endpoint stops with the rights of who answers for it."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.clock import now
from portal.db import session, transaction
from portal.errors import Conflict, NotAllowed
from portal.permissions.actor import Actor, actor_of
from portal.permissions.members import RoomMember
from portal.permissions.operations import change_member, remove_member
from portal.permissions.permission import Permission
from portal.webhooks.deliveries import send_again
from portal.webhooks.events import Event
from portal.webhooks.models import WebhookEndpoint, Why
from portal.webhooks.operations import change_endpoint, create_endpoint, pause_endpoint, resume_endpoint
from tests.cast import Cast
from tests.conftest import BOTH
from tests.receiver import Receiver
from tests.webhooks.conftest import endpoint_of, happen, listening, messages

Work = Callable[[], int]
Make = Callable[..., str]
RIGHTS = (Permission.ROOM_VIEW, Permission.ROOM_EDIT, Permission.TOKENS_VIEW)


def bobs_membership() -> RoomMember:
    return session.scalars(sa.select(RoomMember)).unique().one()


def editing(cast: Cast) -> Actor:
    bob = actor_of(cast.user("bob"))
    bob.memberships[cast.room().uuid] = bobs_membership()
    return bob


@pytest.fixture
def make(app: Flask, cast: Cast, hook: Receiver, told: list[tuple[UUID, float]]) -> Make:
    """Makes an endpoint in somebody's name that hears of new links; Bob may edit the board room and see its links."""

    def made(name: str = "bob", *, everywhere: bool = False) -> str:
        with app.app_context(), transaction():
            bobs_membership().permissions = list(RIGHTS)
            by, room = editing(cast) if name == "bob" else actor_of(cast.user(name)), cast.room()
            place = None if everywhere else room
            events = [Event.TOKEN_CREATED]
            return create_endpoint(customer=room.customer, room=place, url=hook.url, events=events, by=by).id

    return made


def removed(cast: Cast) -> None:
    remove_member(bobs_membership(), room=cast.room(), by=actor_of(cast.user("alice")))


def ended(_cast: Cast) -> None:
    bobs_membership().until = now() - timedelta(seconds=1)


def edits_no_longer(cast: Cast) -> None:
    alice = actor_of(cast.user("alice"))
    change_member(bobs_membership(), room=cast.room(), permissions=[Permission.TOKENS_VIEW], by=alice)


def sees_no_longer(cast: Cast) -> None:
    alice = actor_of(cast.user("alice"))
    change_member(bobs_membership(), room=cast.room(), permissions=[Permission.ROOM_EDIT], by=alice)


def deactivated(cast: Cast) -> None:
    cast.user("bob").deactivated_at = now()


def gone(_cast: Cast) -> None:
    session.execute(sa.update(WebhookEndpoint).values(created_by_uuid=None))


ENDS = [removed, ended, edits_no_longer, sees_no_longer, deactivated, gone]


@BOTH
@pytest.mark.parametrize("end", ENDS)
def test_it_is_told_nothing_once_the_rights_of_its_maker_have_ended(
    app: Flask, cast: Cast, hook: Receiver, work: Work, make: Make, end: Callable[[Cast], None]
) -> None:
    endpoint_id = make()
    happen(app, cast, "before")
    assert work() == 1
    with app.app_context(), transaction():
        end(cast)
    happen(app, cast, "after")
    with app.app_context():
        assert len(messages()) == 1
        assert endpoint_of(endpoint_id).paused_why is Why.RIGHTS
        assert listening(cast.room()) == 0
    assert work() == 0
    assert len(hook.messages) == 1
    page = cast.sign_in("alice").get(f"/manage/rooms/{cast.board}/webhooks/{endpoint_id}").text
    assert "in the name of somebody who may no longer keep it here" in page
    assert "Paused" in page


@pytest.mark.parametrize("end", ENDS)
def test_what_waited_when_the_rights_ended_is_not_sent(
    app: Flask, cast: Cast, hook: Receiver, work: Work, make: Make, end: Callable[[Cast], None]
) -> None:
    endpoint_id = make()
    happen(app, cast)
    with app.app_context(), transaction():
        end(cast)
    work()
    assert hook.messages == []
    with app.app_context():
        assert endpoint_of(endpoint_id).paused_why is Why.RIGHTS


@pytest.mark.parametrize(("name", "everywhere"), [("alice", False), ("alice", True), ("admin", False), ("admin", True)])
def test_owners_and_staff_are_never_cut(
    app: Flask, cast: Cast, hook: Receiver, work: Work, make: Make, name: str, everywhere: bool
) -> None:
    make(name, everywhere=everywhere)
    with app.app_context(), transaction():
        removed(cast)
    happen(app, cast)
    assert work() == 1
    assert len(hook.messages) == 1


@pytest.mark.parametrize("everywhere", [False, True])
def test_who_is_no_longer_staff_or_owner_is_cut(app: Flask, cast: Cast, make: Make, everywhere: bool) -> None:
    made = make("alice", everywhere=everywhere), make("admin", everywhere=everywhere)
    with app.app_context(), transaction():
        room, bob = cast.room(), cast.user("bob")
        cast.user("admin").platform_roles = []
        room.owner = room.account.owner = room.customer.owner = bob
    happen(app, cast)
    with app.app_context():
        assert messages() == []
        assert {endpoint_of(one).paused_why for one in made} == {Why.RIGHTS}


def test_whoever_resumes_what_nobody_answers_for_does_so_from_then_on(
    app: Flask, cast: Cast, hook: Receiver, work: Work, make: Make
) -> None:
    endpoint_id = make()
    with app.app_context(), transaction():
        sees_no_longer(cast)
        bob = editing(cast)
    with app.app_context(), transaction():
        assert endpoint_of(endpoint_id).paused_why is Why.RIGHTS
        bob = editing(cast)
        with pytest.raises(NotAllowed):
            resume_endpoint(endpoint_of(endpoint_id), by=bob)
    alice = cast.sign_in("alice")
    page = f"/manage/rooms/{cast.board}/webhooks/{endpoint_id}"
    answer = alice.post(f"{page}/resumption", data={"csrf_token": alice.token(page)}, follow_redirects=True)
    assert "The webhook listens again." in answer.text
    happen(app, cast)
    assert work() == 1
    with app.app_context():
        assert endpoint_of(endpoint_id).created_by == cast.user("alice")
    assert len(hook.messages) == 1


def test_an_editor_who_may_not_see_it_all_is_told_why_he_cannot_resume_it(app: Flask, cast: Cast, make: Make) -> None:
    endpoint_id = make()
    with app.app_context(), transaction():
        sees_no_longer(cast)
    bob, page = cast.sign_in("bob"), f"/manage/rooms/{cast.board}/webhooks/{endpoint_id}"
    answer = bob.post(f"{page}/resumption", data={"csrf_token": bob.token(page)}, follow_redirects=True)
    assert "you may not see that yourself" in answer.text
    with app.app_context():
        assert not endpoint_of(endpoint_id).active


def test_a_pause_for_another_reason_leaves_it_with_its_maker(app: Flask, cast: Cast, make: Make) -> None:
    endpoint_id = make()
    with app.app_context(), transaction():
        alice = actor_of(cast.user("alice"))
        pause_endpoint(endpoint_of(endpoint_id), by=alice)
        resume_endpoint(endpoint_of(endpoint_id), by=alice)
        assert endpoint_of(endpoint_id).created_by == cast.user("bob")


def test_who_turns_it_to_another_address_answers_for_it(app: Flask, cast: Cast, hook: Receiver, make: Make) -> None:
    endpoint_id = make("alice")
    with app.app_context(), transaction():
        change_endpoint(endpoint_of(endpoint_id), by=editing(cast), url=f"{hook.url}/bob")
    with app.app_context(), transaction():
        removed(cast)
        assert endpoint_of(endpoint_id).paused_why is Why.RIGHTS


def test_a_message_of_before_that_who_answers_now_may_not_see_is_given_up(
    app: Flask, cast: Cast, hook: Receiver, work: Work, make: Make
) -> None:
    endpoint_id = make()
    happen(app, cast)
    with app.app_context(), transaction():
        change_endpoint(endpoint_of(endpoint_id), by=editing(cast), events=[Event.ROOM_UPDATED])
        sees_no_longer(cast)
    assert work() == 1
    assert hook.messages == []
    with app.app_context():
        assert endpoint_of(endpoint_id).active
        assert messages()[0].gave_up_at is not None
        with pytest.raises(Conflict, match="may not see"), transaction():
            send_again(messages()[0], by=cast.user("alice"))
