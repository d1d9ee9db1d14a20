"""Nobody goes on being told what he may no longer see: an endpoint stops with the rights of its owner, who saved it last."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.clock import now
from portal.db import session, transaction
from portal.errors import Conflict, NotAllowed
from portal.people.actor import Actor, actor_of
from portal.permissions.members import RoomMember
from portal.permissions.operations import change_member, remove_member
from portal.permissions.permission import Permission
from portal.webhooks.deliveries import send_again
from portal.webhooks.events import Event
from portal.webhooks.models import DeliveryState, PauseReason, WebhookEndpoint
from portal.webhooks.operations import change_endpoint, pause_endpoint, resume_endpoint
from portal.webhooks.operations import test_endpoint as send_test
from tests.cast import Cast
from tests.conftest import BOTH
from tests.receiver import Receiver
from tests.webhooks.conftest import (
    Make,
    Work,
    bobs_membership,
    editing,
    endpoint_of,
    happen,
    listening,
    messages,
    secret_of,
)


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
    session.execute(sa.update(WebhookEndpoint).values(owner_uuid=None))


ENDS = [removed, ended, edits_no_longer, sees_no_longer, deactivated, gone]


@BOTH
@pytest.mark.parametrize("end", ENDS)
def test_it_is_told_nothing_once_the_rights_of_its_owner_have_ended(
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
    assert "Nothing is sent: its owner has lost the right to see one of these events." in page
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


def test_who_saves_what_has_lost_its_owner_answers_for_it_from_then_on(
    app: Flask, cast: Cast, hook: Receiver, work: Work, make: Make
) -> None:
    """To resume it is not enough, and saving it is refused to who may not see all that it tells."""
    endpoint_id = make()
    with app.app_context(), transaction():
        sees_no_longer(cast)
    happen(app, cast, "missed")
    with app.app_context():
        assert endpoint_of(endpoint_id).paused_why is PauseReason.RIGHTS
        with pytest.raises(Conflict, match="save this webhook again"), transaction():
            resume_endpoint(endpoint_of(endpoint_id), by=actor_of(cast.user("alice")))
        with pytest.raises(NotAllowed, match=r"token\.created"), transaction():
            change_endpoint(endpoint_of(endpoint_id), by=editing(cast), description="Mine")
        assert endpoint_of(endpoint_id).owner == cast.user("bob")
    alice, page = cast.sign_in("alice"), f"/manage/rooms/{cast.board}/webhooks/{endpoint_id}"
    saved = alice.send(f"{page}/edit", url=hook.url, events=["token.created"])
    assert "Listens" in alice.get(saved.location).text
    happen(app, cast, "after")
    assert work() == 1
    with app.app_context():
        assert endpoint_of(endpoint_id).owner == cast.user("alice")
        assert listening(cast.room()) == 1
    assert [one.verified(secret_of(app, endpoint_id))["data"]["label"] for one in hook.messages] == ["after"]


def test_an_owner_who_has_his_rights_again_resumes_it(app: Flask, cast: Cast, make: Make) -> None:
    endpoint_id = make()
    with app.app_context(), transaction():
        ended(cast)
    happen(app, cast)
    with app.app_context(), transaction():
        assert endpoint_of(endpoint_id).paused_why is PauseReason.RIGHTS
        bobs_membership().until = None
        resume_endpoint(endpoint_of(endpoint_id), by=actor_of(cast.user("alice")))
        assert endpoint_of(endpoint_id).active
        assert endpoint_of(endpoint_id).owner == cast.user("bob")


def test_pausing_and_resuming_is_not_saving(app: Flask, cast: Cast, make: Make) -> None:
    endpoint_id = make()
    with app.app_context(), transaction():
        alice = actor_of(cast.user("alice"))
        pause_endpoint(endpoint_of(endpoint_id), by=alice)
        resume_endpoint(endpoint_of(endpoint_id), by=alice)
        assert endpoint_of(endpoint_id).owner == cast.user("bob")


def test_saving_ends_a_pause_for_want_of_an_owner_and_no_other(app: Flask, cast: Cast, make: Make) -> None:
    endpoint_id = make("alice")
    with app.app_context(), transaction():
        alice, endpoint = actor_of(cast.user("alice")), endpoint_of(endpoint_id)
        pause_endpoint(endpoint, by=alice)
        change_endpoint(endpoint, by=alice, description="Links")
        assert endpoint.paused_why is PauseReason.ASKED


SAVED: list[dict[str, Any]] = [
    {"url": "https://hooks.example/new"},
    {"events": [Event.TOKEN_CREATED, Event.TOKEN_USED]},
    {"description": "Links"},
    {},
]


@pytest.mark.parametrize("change", SAVED, ids=["url", "events", "description", "nothing"])
def test_whoever_saves_it_last_is_its_owner_whatever_he_changed(
    app: Flask, cast: Cast, make: Make, change: dict[str, Any]
) -> None:
    endpoint_id = make("alice")
    with app.app_context(), transaction():
        change_endpoint(endpoint_of(endpoint_id), by=editing(cast), **change)
        assert endpoint_of(endpoint_id).owner == cast.user("bob")
    with app.app_context(), transaction():
        removed(cast)
    happen(app, cast)
    with app.app_context():
        assert endpoint_of(endpoint_id).paused_why is PauseReason.RIGHTS


@pytest.mark.parametrize("change", SAVED, ids=["url", "events", "description", "nothing"])
def test_nobody_saves_what_tells_more_than_he_may_see_himself(
    app: Flask, cast: Cast, make: Make, change: dict[str, Any]
) -> None:
    """Charlie may see members, and not links: he can take those out, and answers for what is left."""
    endpoint_id = make()
    with app.app_context(), pytest.raises(NotAllowed, match=r"“token\.created”"), transaction():
        change_endpoint(endpoint_of(endpoint_id), by=charlie_edits(cast), **change)
    with app.app_context(), transaction():
        endpoint = endpoint_of(endpoint_id)
        assert (endpoint.owner, endpoint.events, endpoint.description) == (cast.user("bob"), ["token.created"], "")
        change_endpoint(endpoint, by=charlie_edits(cast), events=[Event.MEMBER_ADDED])
        assert endpoint.owner == cast.user("charlie")


def test_what_waits_is_not_sent_to_the_address_of_an_owner_who_may_not_see_it(
    app: Flask, cast: Cast, hook: Receiver, work: Work, make: Make
) -> None:
    endpoint_id = make()
    happen(app, cast)
    with app.app_context(), transaction():
        charlie = charlie_edits(cast)
        change_endpoint(endpoint_of(endpoint_id), by=charlie, url=f"{hook.url}/charlie", events=[Event.MEMBER_ADDED])
    assert work() == 1
    assert hook.messages == []
    with app.app_context():
        assert messages()[0].state is DeliveryState.DROPPED
        assert endpoint_of(endpoint_id).active


@BOTH
def test_what_waited_when_the_rights_ended_is_sent_once_somebody_who_may_see_it_answers_for_it(
    app: Flask, cast: Cast, hook: Receiver, work: Work, make: Make
) -> None:
    endpoint_id = make()
    happen(app, cast, "before")
    with app.app_context(), transaction():
        removed(cast)
    work()
    with app.app_context(), transaction():
        assert endpoint_of(endpoint_id).paused_why is PauseReason.RIGHTS
        send_test(endpoint_of(endpoint_id), by=actor_of(cast.user("alice")))
    assert work() == 1
    with app.app_context(), transaction():
        change_endpoint(endpoint_of(endpoint_id), by=actor_of(cast.user("alice")))
    assert work() == 1
    secret = secret_of(app, endpoint_id)
    assert [one.verified(secret)["type"] for one in hook.messages] == ["webhook.test", "token.created"]


def test_a_message_of_before_that_its_owner_may_not_see_is_dropped(
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
        assert messages()[0].state is DeliveryState.DROPPED
        with pytest.raises(Conflict, match="may not see"), transaction():
            send_again(messages()[0], by=actor_of(cast.user("alice")))


def charlie_edits(cast: Cast) -> Actor:
    """Charlie, who may edit the board room as well, and see its members."""
    room, charlie = cast.room(), actor_of(cast.user("charlie"))
    member = RoomMember(room=room, user=cast.user("charlie"))
    member.permissions = [Permission.ROOM_VIEW, Permission.ROOM_EDIT, Permission.MEMBERS_VIEW]
    session.add(member)
    charlie.memberships[room.uuid] = member
    return charlie


@pytest.mark.parametrize("end", [ended, deactivated, gone])
def test_nothing_can_be_sent_again_without_an_owner_and_the_refusal_names_nobody(
    app: Flask, cast: Cast, hook: Receiver, work: Work, make: Make, end: Callable[[Cast], None]
) -> None:
    make()
    happen(app, cast)
    assert work() == 1
    with app.app_context(), transaction():
        end(cast)
    words = "Nothing is sent: its owner has lost the right to see one of these events."
    with app.app_context(), pytest.raises(Conflict, match=f"^{words}"), transaction():
        send_again(messages()[0], by=actor_of(cast.user("alice")))
