"""Endpoints: who may make which, how many there may be, and what goes with them."""

import re
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.db import session, transaction
from portal.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.people.actor import Actor, actor_of
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.webhooks import operations
from portal.webhooks.deliveries import RETENTION, claim, send_again, sweep_deliveries
from portal.webhooks.events import Event
from portal.webhooks.models import DeliveryState, WebhookEndpoint
from portal.webhooks.operations import (
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    pause_endpoint,
)
from portal.webhooks.operations import test_endpoint as send_test
from tests.cast import Cast
from tests.conftest import BOTH
from tests.receiver import Receiver
from tests.webhooks.conftest import (
    SLOWLY,
    Listen,
    Take,
    Work,
    answer,
    endpoint_of,
    happen,
    messages,
    secret_of,
    waiting,
)


def test_a_test_is_sent_once_also_to_a_paused_endpoint_and_counts_for_nothing(
    app: Flask, cast: Cast, hook: Receiver, listen: Listen, work: Work
) -> None:
    endpoint_id = listen(Event.ROOM_CREATED)
    hook.status = 500
    with app.app_context(), transaction():
        alice = actor_of(cast.user("alice"))
        pause_endpoint(endpoint_of(endpoint_id), by=alice)
        send_test(endpoint_of(endpoint_id), by=alice)
    assert work() == 1
    content = hook.messages[0].verified(secret_of(app, endpoint_id))
    assert (content["type"], content["data"]["id"]) == ("webhook.test", endpoint_id)
    assert "secret" not in content["data"]
    with app.app_context():
        [sent] = messages()
        assert sent.state is DeliveryState.FAILED
        assert endpoint_of(endpoint_id).failures == 0


@BOTH
def test_deleting_an_endpoint_takes_its_messages_along(app: Flask, cast: Cast, listen: Listen) -> None:
    endpoint_id = listen()
    happen(app, cast)
    with app.app_context():
        with transaction():
            delete_endpoint(endpoint_of(endpoint_id), by=actor_of(cast.user("alice")))
        assert messages() == []
        assert cast.room().customer.webhooks == 0


@BOTH
def test_an_endpoint_is_not_deleted_while_a_message_is_on_its_way_to_it(
    app: Flask, cast: Cast, listen: Listen, take: Take
) -> None:
    """Else its place would be free though its worker still waits for the receiver."""
    endpoint_id = listen(Event.TOKEN_CREATED)

    def delete() -> None:
        with app.app_context(), transaction():
            delete_endpoint(endpoint_of(endpoint_id), by=actor_of(cast.user("alice")))

    for _ in range(2):
        happen(app, cast)
    letter = take(waiting(app, endpoint_id)[0])
    with pytest.raises(Conflict, match=r"right now\. Pause it, and delete"):
        delete()
    with app.app_context(), transaction():
        pause_endpoint(endpoint_of(endpoint_id), by=actor_of(cast.user("alice")))
    with pytest.raises(Conflict, match=r"right now\. Delete it"):
        delete()
    answer(app, letter, milliseconds=SLOWLY, status=None)
    delete()
    with app.app_context():
        assert messages() == []


@BOTH
def test_whoever_takes_a_message_and_whoever_deletes_its_endpoint_at_once_never_both_succeed(
    app: Flask, cast: Cast, listen: Listen
) -> None:
    ended: list[tuple[int, str]] = []

    def race(number: int, uuid: UUID, endpoint_id: str, start: threading.Barrier, deletes: bool) -> None:
        with app.app_context(), suppress(Conflict, NotFound):
            start.wait(10)
            with transaction():
                if deletes:
                    delete_endpoint(endpoint_of(endpoint_id), by=actor_of(cast.user("alice")))
                elif claim(uuid) is None:
                    return
            ended.append((number, "deleted" if deletes else "taken"))

    for number in range(5):
        endpoint_id = listen(Event.TOKEN_CREATED)
        happen(app, cast)
        [uuid], start = waiting(app, endpoint_id), threading.Barrier(2)
        threads = [
            threading.Thread(target=race, args=[number, uuid, endpoint_id, start, deletes]) for deletes in (0, 1)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        with app.app_context(), transaction():
            session.execute(sa.delete(WebhookEndpoint))
    assert [number for number, _ in sorted(ended)] == list(range(5))


@BOTH
def test_endpoints_made_at_once_are_all_counted(app: Flask, cast: Cast, hook: Receiver) -> None:
    start = threading.Barrier(8)

    def make() -> None:
        with app.app_context():
            start.wait(10)
            with transaction():
                room, alice = cast.room(), actor_of(cast.user("alice"))
                create_endpoint(customer=room.customer, url=hook.url, events=[Event.ROOM_CREATED], by=alice)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with app.app_context():
        assert cast.room().customer.webhooks == 8


REFUSED = [
    ({"url": "http://127.0.0.1:22/"}, "url"),
    ({"url": "nonsense"}, "url"),
    ({"url": ""}, "url"),
    ({"url": "https://user:pass@example.org/"}, "url"),
    ({"url": "https://169.254.169.254/"}, "url"),
    ({"events": []}, "events"),
    ({"description": "x" * 201}, "description"),
    ({"description": "a\u202eb"}, "description"),
]


@pytest.mark.parametrize(("wrong", "field"), REFUSED)
def test_what_makes_no_sense_is_refused_at_its_field(
    app: Flask, cast: Cast, wrong: dict[str, object], field: str
) -> None:
    with app.app_context():
        room, alice = cast.room(), actor_of(cast.user("alice"))
        right = {"url": "https://example.org/hook", "events": [Event.ROOM_CREATED], "description": ""}
        with pytest.raises(Invalid) as refused:
            create_endpoint(customer=room.customer, room=room, by=alice, **{**right, **wrong})  # type: ignore[arg-type]
        assert list(refused.value.fields) == [field]
        session.rollback()


def test_a_member_can_ask_only_for_what_he_may_see(app: Flask, cast: Cast, listen: Listen) -> None:
    """Bob may edit the room and see who is in; not its links, codes or people. Nor can he turn Alice's to himself."""
    endpoint_id = listen(Event.MEMBER_ADDED, Event.ROOM_STARTED)
    with app.app_context(), transaction():
        room, bob = cast.room(), actor_of(cast.user("bob"))
        member = session.scalars(sa.select(RoomMember).where(RoomMember.user_uuid == bob.uuid)).unique().one()
        member.permissions = [Permission.ROOM_VIEW, Permission.ROOM_EDIT, Permission.STATUS_VIEW]
        bob.memberships[room.uuid] = member
        made = create_endpoint(
            customer=room.customer, room=room, url="https://bob.example/", events=[Event.ROOM_STARTED], by=bob
        )
        for event in (Event.TOKEN_USED, Event.CODE_CREATED, Event.MEMBER_ADDED, Event.PARTICIPANT_JOINED):
            with pytest.raises(NotAllowed):
                change_endpoint(made, by=bob, events=[Event.ROOM_STARTED, event])
        with pytest.raises(NotAllowed):
            change_endpoint(endpoint_of(endpoint_id), by=bob, url="https://bob.example/")
        with pytest.raises(NotAllowed):
            change_endpoint(endpoint_of(endpoint_id), by=bob, description="Bob was here")
        with pytest.raises(NotAllowed):
            create_endpoint(customer=room.customer, url="https://b.example/", events=[Event.ROOM_STARTED], by=bob)


def test_there_is_an_end_to_the_number_of_endpoints(
    app: Flask, cast: Cast, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "MOST", 2)
    listen()
    listen()
    with pytest.raises(Conflict):
        listen()


def test_old_messages_are_swept_away(app: Flask, cast: Cast, listen: Listen) -> None:
    listen()
    happen(app, cast)
    with app.app_context(), transaction():
        assert sweep_deliveries() == 0
    with time_machine.travel(datetime.now(UTC) + RETENTION + timedelta(minutes=1), tick=True), app.app_context():
        with transaction():
            assert sweep_deliveries() == 1
        assert messages() == []


def test_whoever_turns_an_endpoint_to_another_address_is_not_sent_what_he_may_not_see(
    app: Flask, cast: Cast, listen: Listen, work: Work
) -> None:
    """Bob, who may not see links, has to take that event out, and what still waits is dropped."""
    endpoint_id = listen(Event.TOKEN_CREATED, Event.ROOM_UPDATED)
    happen(app, cast)
    url = "https://bob.example/"
    with app.app_context(), pytest.raises(NotAllowed, match=re.escape("token.created")), transaction():
        change_endpoint(endpoint_of(endpoint_id), by=editing(cast), url=url)
    with app.app_context(), transaction():
        change_endpoint(endpoint_of(endpoint_id), by=editing(cast), url=url, events=[Event.ROOM_UPDATED])
    assert work() == 1
    with app.app_context():
        assert (messages()[0].state, messages()[0].attempts) == (DeliveryState.DROPPED, 0)
        with pytest.raises(Conflict, match="may not see"), transaction():
            send_again(messages()[0], by=actor_of(cast.user("alice")))


def editing(cast: Cast, *more: Permission) -> Actor:
    """Bob, who may edit the board room, and see of it what is named."""
    room, bob = cast.room(), actor_of(cast.user("bob"))
    member = session.scalars(sa.select(RoomMember).where(RoomMember.user_uuid == bob.uuid)).unique().one()
    member.permissions = [Permission.ROOM_VIEW, Permission.ROOM_EDIT, *more]
    bob.memberships[room.uuid] = member
    return bob


@BOTH
def test_endpoints_made_at_once_do_not_exceed_their_number(
    app: Flask, cast: Cast, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "MOST", 3)
    start, refused = threading.Barrier(8), []

    def make() -> None:
        with app.app_context():
            start.wait(10)
            try:
                with transaction():
                    room, alice = cast.room(), actor_of(cast.user("alice"))
                    create_endpoint(customer=room.customer, url=hook.url, events=[Event.ROOM_CREATED], by=alice)
            except Conflict as conflict:
                refused.append(conflict)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with app.app_context():
        assert session.scalar(sa.select(sa.func.count()).select_from(WebhookEndpoint)) == 3
        assert cast.room().customer.webhooks == 3
    assert len(refused) == 5
