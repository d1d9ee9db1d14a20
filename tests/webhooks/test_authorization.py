"""Nobody goes on being told what he may no longer see: an endpoint stops with the rights of its keeper."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.audit.models import AuditEvent
from portal.clock import now
from portal.db import session, transaction
from portal.errors import Conflict, NotAllowed
from portal.people.actor import Actor, actor_of
from portal.permissions.members import RoomMember
from portal.permissions.operations import change_member, remove_member
from portal.permissions.permission import Permission
from portal.webhooks.deliveries import send_again
from portal.webhooks.events import Event
from portal.webhooks.models import PauseReason, WebhookEndpoint
from portal.webhooks.operations import change_endpoint, pause_endpoint, resume_endpoint
from portal.webhooks.operations import test_endpoint as send_test
from tests.cast import Cast
from tests.conftest import BOTH
from tests.receiver import Receiver
from tests.webhooks.conftest import (
    Make,
    bobs_membership,
    editing,
    endpoint_of,
    happen,
    listening,
    messages,
    secret_of,
)

Work = Callable[[], int]


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
def test_it_is_told_nothing_once_the_rights_of_its_keeper_have_ended(
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
        assert endpoint_of(endpoint_id).paused_why is PauseReason.RIGHTS
        assert listening(cast.room()) == 0
    assert work() == 0
    assert len(hook.messages) == 1
    page = cast.sign_in("alice").get(f"/manage/rooms/{cast.board}/webhooks/{endpoint_id}").text
    assert "It ran in the name of somebody who could no longer keep it here" in page
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
        assert endpoint_of(endpoint_id).paused_why is PauseReason.RIGHTS


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
        assert {endpoint_of(one).paused_why for one in made} == {PauseReason.RIGHTS}


def test_whoever_resumes_what_nobody_keeps_is_its_keeper_from_then_on(
    app: Flask, cast: Cast, hook: Receiver, work: Work, make: Make
) -> None:
    endpoint_id = make()
    with app.app_context(), transaction():
        sees_no_longer(cast)
        bob = editing(cast)
    with app.app_context(), transaction():
        assert endpoint_of(endpoint_id).paused_why is PauseReason.RIGHTS
        bob = editing(cast)
        with pytest.raises(NotAllowed):
            resume_endpoint(endpoint_of(endpoint_id), by=bob)
    alice = cast.sign_in("alice")
    page = f"/manage/rooms/{cast.board}/webhooks/{endpoint_id}"
    answer = alice.post(f"{page}/resumption", data={"csrf_token": alice.token(page)}, follow_redirects=True)
    assert "The webhook listens again, and runs in your name." in answer.text
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


def test_a_pause_for_another_reason_leaves_it_with_its_keeper(app: Flask, cast: Cast, make: Make) -> None:
    endpoint_id = make()
    with app.app_context(), transaction():
        alice = actor_of(cast.user("alice"))
        pause_endpoint(endpoint_of(endpoint_id), by=alice)
        resume_endpoint(endpoint_of(endpoint_id), by=alice)
        assert endpoint_of(endpoint_id).created_by == cast.user("bob")


def test_who_turns_it_to_another_address_is_its_keeper(app: Flask, cast: Cast, hook: Receiver, make: Make) -> None:
    endpoint_id = make("alice")
    with app.app_context(), transaction():
        change_endpoint(endpoint_of(endpoint_id), by=editing(cast), url=f"{hook.url}/bob")
    with app.app_context(), transaction():
        removed(cast)
        assert endpoint_of(endpoint_id).paused_why is PauseReason.RIGHTS


def test_a_message_of_before_that_its_keeper_may_not_see_is_given_up(
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
            send_again(messages()[0], by=actor_of(cast.user("alice")))


def test_who_asks_for_what_the_keeper_may_not_hear_becomes_the_keeper(
    app: Flask, cast: Cast, hook: Receiver, work: Work, make: Make
) -> None:
    """Or the next event would switch it off: Bob may see links, and not members."""
    endpoint_id = make()
    happen(app, cast, "before")
    with app.app_context(), transaction():
        alice = actor_of(cast.user("alice"))
        change_endpoint(endpoint_of(endpoint_id), by=alice, events=[Event.TOKEN_CREATED, Event.MEMBER_ADDED])
        assert endpoint_of(endpoint_id).created_by == cast.user("alice")
        [line] = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "webhook.taken_over"))
        assert line.actor_uuid == cast.user("alice").uuid
    happen(app, cast, "after")
    assert work() == 2
    assert len(hook.messages) == 2
    with app.app_context():
        assert endpoint_of(endpoint_id).active


def test_who_changes_what_the_keeper_may_hear_leaves_him_the_keeper(app: Flask, cast: Cast, make: Make) -> None:
    endpoint_id = make()
    with app.app_context(), transaction():
        alice, endpoint = actor_of(cast.user("alice")), endpoint_of(endpoint_id)
        change_endpoint(endpoint, by=alice, events=[Event.TOKEN_CREATED, Event.TOKEN_USED], description="Links")
        assert endpoint.created_by == cast.user("bob")


def test_nobody_takes_over_what_tells_or_has_yet_to_tell_more_than_he_may_see_himself(
    app: Flask, cast: Cast, hook: Receiver, work: Work, make: Make
) -> None:
    """Charlie may see members, which Bob may not; and not links. What was told of them is nobody's hindrance."""
    endpoint_id = make()
    for events in ([Event.TOKEN_CREATED, Event.MEMBER_ADDED], [Event.MEMBER_ADDED]):
        with app.app_context(), pytest.raises(NotAllowed, match=r"in your name.*token\.created"), transaction():
            change_endpoint(endpoint_of(endpoint_id), by=charlie_edits(cast), events=events)
    with app.app_context(), transaction():
        assert endpoint_of(endpoint_id).created_by == cast.user("bob")
        assert endpoint_of(endpoint_id).events == [Event.TOKEN_CREATED]
    happen(app, cast)
    with app.app_context(), transaction():
        change_endpoint(endpoint_of(endpoint_id), by=editing(cast), events=[Event.ROOM_UPDATED])
    with app.app_context(), pytest.raises(NotAllowed, match=r"in your name.*token\.created"), transaction():
        change_endpoint(endpoint_of(endpoint_id), by=charlie_edits(cast), events=[Event.MEMBER_ADDED])
    assert work() == 1
    with app.app_context(), transaction():
        change_endpoint(endpoint_of(endpoint_id), by=charlie_edits(cast), events=[Event.MEMBER_ADDED])
        assert endpoint_of(endpoint_id).created_by == cast.user("charlie")


def test_who_gives_other_events_to_what_nobody_keeps_is_its_keeper_though_the_last_one_may_hear_those(
    app: Flask, cast: Cast, make: Make
) -> None:
    """Charlie takes away what neither he nor Bob may see, though Bob could."""
    endpoint_id = make()
    happen(app, cast)
    with app.app_context(), transaction():
        bobs_membership().permissions = [Permission.ROOM_VIEW, Permission.ROOM_EDIT]
    with app.app_context(), transaction():
        change_endpoint(endpoint_of(endpoint_id), by=charlie_edits(cast), events=[Event.ROOM_UPDATED])
        assert endpoint_of(endpoint_id).created_by == cast.user("charlie")
        assert messages()[0].gave_up_at is not None


def charlie_edits(cast: Cast) -> Actor:
    """Charlie, who may edit the board room as well, and see its members."""
    room, charlie = cast.room(), actor_of(cast.user("charlie"))
    member = RoomMember(room=room, user=charlie.user)
    member.permissions = [Permission.ROOM_VIEW, Permission.ROOM_EDIT, Permission.MEMBERS_VIEW]
    session.add(member)
    charlie.memberships[room.uuid] = member
    return charlie


def test_a_new_description_is_nobodys_taking_over(app: Flask, cast: Cast, make: Make) -> None:
    endpoint_id = make()
    with app.app_context(), transaction():
        deactivated(cast)
        change_endpoint(
            endpoint_of(endpoint_id), by=actor_of(cast.user("alice")), events=[Event.TOKEN_CREATED], description="Links"
        )
        assert endpoint_of(endpoint_id).created_by == cast.user("bob")


def resumed(endpoint: WebhookEndpoint, by: Actor, _hook: Receiver) -> None:
    resume_endpoint(endpoint, by=by)


def told_more(endpoint: WebhookEndpoint, by: Actor, _hook: Receiver) -> None:
    change_endpoint(endpoint, by=by, events=[Event.TOKEN_CREATED, Event.MEMBER_ADDED])
    resume_endpoint(endpoint, by=by)


def turned(endpoint: WebhookEndpoint, by: Actor, hook: Receiver) -> None:
    change_endpoint(endpoint, by=by, url=f"{hook.url}/alice")
    resume_endpoint(endpoint, by=by)


TAKES_OVER = [resumed, told_more, turned]


@BOTH
@pytest.mark.parametrize("take_over", TAKES_OVER)
def test_what_waited_when_nobody_kept_it_is_not_sent_in_the_name_of_who_takes_it_over(
    app: Flask,
    cast: Cast,
    hook: Receiver,
    work: Work,
    make: Make,
    take_over: Callable[[WebhookEndpoint, Actor, Receiver], None],
) -> None:
    """Tests are sent, which tell nothing. Who then wants the rest to be sent says so, message by message."""
    endpoint_id = make()
    happen(app, cast, "before")
    with app.app_context(), transaction():
        removed(cast)
    work()
    with app.app_context(), transaction():
        assert endpoint_of(endpoint_id).paused_why is PauseReason.RIGHTS
        alice = actor_of(cast.user("alice"))
        send_test(endpoint_of(endpoint_id), by=alice)
        take_over(endpoint_of(endpoint_id), alice, hook)
    with app.app_context():
        [waited, test] = messages()
        assert endpoint_of(endpoint_id).active
        assert (waited.next_attempt_at, waited.gave_up_at is not None, waited.attempts) == (None, True, 0)
        assert test.gave_up_at is None
    assert work() == 1
    secret = secret_of(app, endpoint_id)
    assert [message.verified(secret)["type"] for message in hook.messages] == ["webhook.test"]
    with app.app_context(), transaction():
        send_again(messages()[0], by=actor_of(cast.user("alice")))
    assert work() == 1
    assert hook.messages[1].verified(secret)["data"]["label"] == "before"


@pytest.mark.parametrize("end", [ended, deactivated, gone])
def test_nothing_can_be_sent_again_when_nobody_keeps_it_and_the_refusal_says_so_without_a_name(
    app: Flask, cast: Cast, hook: Receiver, work: Work, make: Make, end: Callable[[Cast], None]
) -> None:
    make()
    happen(app, cast)
    assert work() == 1
    with app.app_context(), transaction():
        end(cast)
    words = "It runs in the name of somebody who may no longer keep it here, or no longer see all that it tells."
    with app.app_context(), pytest.raises(Conflict, match=f"^{words}$"), transaction():
        send_again(messages()[0], by=actor_of(cast.user("alice")))
