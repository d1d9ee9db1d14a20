"""What happens becomes a message in its own transaction, or not at all; and costs nothing where nobody listens."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.accounts.models import Account
from portal.admission.codes import change_code, create_code, delete_code
from portal.admission.issuing import issue_token
from portal.admission.models import AccessCode, RoomToken
from portal.admission.tokens import revoke_token, rotate_token
from portal.audit.models import AuditEvent
from portal.audit.operations import record_event
from portal.db import Base, db, session, transaction
from portal.errors import NotAllowed
from portal.people.actor import actor_of
from portal.permissions.members import RoomMember
from portal.permissions.operations import add_member, change_member, remove_member
from portal.permissions.permission import Permission
from portal.resources.access import serialize_token
from portal.rooms.models import Role
from portal.rooms.operations import take_from_trash
from portal.status.models import Participation
from portal.status.operations import present_participations
from portal.status.room_lifecycle import change_room, delete_room
from portal.status.runs import end_session, start_session
from portal.webhooks.events import Event
from portal.webhooks.models import WebhookDelivery
from tests.cast import CODE, Cast, editable, new_link, new_room
from tests.conftest import BOTH
from tests.receiver import Receiver
from tests.statements import statements
from tests.webhooks.conftest import Listen, Told, endpoint_of, messages


def told_of(app: Flask) -> list[tuple[str, dict[str, object]]]:
    """Type and data of each message, in order."""
    with app.app_context():
        contents = [json.loads(one.payload) for one in messages()]
        session.remove()
    assert all(set(one) == {"type", "timestamp", "data"} for one in contents)
    return [(one["type"], one["data"]) for one in contents]


def test_a_visit_is_told_from_the_first_to_the_last(app: Flask, cast: Cast, listen: Listen) -> None:
    listen()
    attendee = cast.join(Role.ATTENDEE, name="Jun")
    player = f"/rooms/{cast.board}/-/conference"
    attendee.post(f"{player}/departure", data={"csrf_token": attendee.token(player)})
    told = told_of(app)
    assert [kind for kind, _ in told] == [
        "room.started",
        "participant.joined",
        "token.used",
        "code.used",
        "participant.left",
        "room.ended",
    ]
    data = dict(told)
    assert data["room.started"]["object"] == "RoomSession"
    assert data["participant.joined"]["name"] == "Jun"
    assert data["participant.joined"]["room_id"] == cast.board
    assert data["participant.joined"]["token_id"] == cast.link_ids[Role.ATTENDEE]
    assert data["participant.left"]["ending"] == "left"
    assert data["token.used"]["id"] == cast.link_ids[Role.ATTENDEE]
    assert data["token.used"]["use_count"] == 1
    assert data["code.used"]["use_count"] == 1
    assert data["room.ended"]["ended_at"]


def test_what_owners_do_is_told_as_the_api_shows_it_without_secrets(app: Flask, cast: Cast, listen: Listen) -> None:
    listen()
    with app.app_context(), transaction():
        room, alice = cast.room(), cast.user("alice")
        token = new_link(room=room, role=Role.GUEST, by=actor_of(alice), label="Press")
        text, shown = token.token, serialize_token(token, room)
        revoke_token(token, by=actor_of(alice))
        by = actor_of(alice)
        code = create_code(room=room, role=Role.GUEST, by=by, code="secret-code-7")
        change_code(code, room=room, by=by, role=Role.GUEST, code="secret-code-8", label="x", expires_at=None)
        delete_code(code, room=room, by=by)
    told = told_of(app)
    assert [kind for kind, _ in told] == ["token.created", "token.revoked", "code.created", "code.deleted"]
    assert told[0][1] == shown
    assert told[3][1]["label"] == "x"
    everything = json.dumps(told)
    assert text not in everything
    assert "secret-code" not in everything


def test_members_are_told_of(app: Flask, cast: Cast, listen: Listen) -> None:
    listen()
    with app.app_context(), transaction():
        room, alice = cast.room(), actor_of(cast.user("alice"))
        member = add_member(room=room, email="charlie@demo.example", permissions=[Permission.STATUS_VIEW], by=alice)
        change_member(member, room=room, permissions=[Permission.TOKENS_VIEW], by=alice)
        remove_member(member, room=room, by=alice)
    told = told_of(app)
    assert [kind for kind, _ in told] == ["member.added", "member.changed", "member.removed"]
    assert {data["email"] for _, data in told} == {"charlie@demo.example"}
    assert told[1][1]["permissions"] == ["room:view", "tokens:view"]


def test_a_link_that_replaces_another_one_is_told_as_made(app: Flask, cast: Cast, listen: Listen) -> None:
    listen()
    with app.app_context(), transaction():
        alice, hour = actor_of(cast.user("alice")), timedelta(hours=1)
        fresh = rotate_token(cast.token(Role.GUEST), room=cast.room(), by=alice, grace=hour)
        fresh_id = fresh.id
    assert [(kind, data["id"]) for kind, data in told_of(app)] == [("token.created", fresh_id)]


def test_what_happens_to_a_link_that_was_replaced_is_told_of_it_and_not_of_the_new_one(
    app: Flask, cast: Cast, listen: Listen
) -> None:
    listen(Event.TOKEN_CREATED, Event.TOKEN_USED, Event.TOKEN_REVOKED)
    with app.app_context(), transaction():
        alice, hour = actor_of(cast.user("alice")), timedelta(hours=1)
        fresh_id = rotate_token(cast.token(Role.GUEST), room=cast.room(), by=alice, grace=hour).id
    cast.join(Role.GUEST)
    with app.app_context(), transaction():
        revoke_token(cast.token(Role.GUEST), by=actor_of(cast.user("alice")))
    old_id = cast.link_ids[Role.GUEST]
    assert [(kind, data["id"]) for kind, data in told_of(app)] == [
        ("token.created", fresh_id), ("token.used", old_id), ("token.revoked", old_id),
    ]  # fmt: skip


def test_rooms_are_told_of_to_who_listens_everywhere(app: Flask, cast: Cast, listen: Listen) -> None:
    listen(everywhere=True)
    listen()  # the board room's own does not hear of others
    with app.app_context(), transaction():
        alice = cast.user("alice")
        room = new_room(account=cast.room().account, room_name="New", by=actor_of(alice))
        change_room(editable(room, actor_of(alice)), by=actor_of(alice), room_name="Newer")
        start_session(room, by=actor_of(alice))
        delete_room(room, by=actor_of(alice))
        take_from_trash(room, by=actor_of(alice))
        room_id = room.id
    told = told_of(app)
    assert [kind for kind, _ in told] == [
        "room.created", "room.updated", "room.started", "room.ended", "room.deleted", "room.created",
    ]  # fmt: skip
    assert told[1][1]["room_name"] == "Newer"
    assert {data.get("room_id", data["id"]) for _, data in told} == {room_id}


def test_refusals_are_told_with_their_reason(app: Flask, cast: Cast, listen: Listen) -> None:
    listen()
    with app.app_context(), transaction():
        room = cast.room()
        record_event("participant.refused", room, by=None, room=room.uuid, reason="full", role="guest")
    [(kind, data)] = told_of(app)
    assert kind == "participant.refused"
    assert (data["room_id"], data["reason"], data["role"]) == (cast.board, "full", "guest")


def test_only_what_was_asked_for_is_told(app: Flask, cast: Cast, listen: Listen) -> None:
    listen(Event.PARTICIPANT_JOINED)
    cast.join()
    assert [kind for kind, _ in told_of(app)] == ["participant.joined"]


def test_taking_over_ones_own_place_is_no_second_arrival(app: Flask, cast: Cast, listen: Listen) -> None:
    listen(Event.PARTICIPANT_JOINED)
    guest = cast.join(name="Gus")
    assert guest.send(cast.board_path, name="Gus").status_code == 303
    assert [data["name"] for _, data in told_of(app)] == ["Gus"]
    with app.app_context():
        query = sa.select(AuditEvent.action, AuditEvent.details).where(AuditEvent.action.startswith("participant."))
        came = [(action, facts["role"]) for action, facts in session.execute(query.order_by(AuditEvent.uuid))]
    assert came == [
        ("participant.joined", "guest"),
        ("participant.took_over", "guest"),
    ]


@BOTH
def test_who_comes_by_another_right_comes_as_another(app: Flask, cast: Cast, listen: Listen) -> None:
    """One browser, two people: neither is lost from the report, nor is the room closed between them."""
    listen(Event.PARTICIPANT_JOINED, Event.PARTICIPANT_LEFT, Event.ROOM_ENDED)
    guest = cast.join(name="Gus Guest")
    assert cast.follow(Role.MODERATOR, guest).send(cast.board_path, name="Chair Lady").status_code == 303
    assert sorted((kind, data["name"], data["role"]) for kind, data in told_of(app)) == [
        ("participant.joined", "Chair Lady", "moderator"),
        ("participant.joined", "Gus Guest", "guest"),
        ("participant.left", "Gus Guest", "guest"),
    ]
    with app.app_context():
        assert [person.name for person in present_participations(cast.room())] == ["Chair Lady"]
        stays = session.scalars(sa.select(Participation).order_by(Participation.entered_at)).all()
        assert [(stay.name, stay.left_at is None) for stay in stays] == [("Gus Guest", False), ("Chair Lady", True)]
        assert len({stay.session_uuid for stay in stays}) == 1


def test_two_endpoints_get_one_message_with_one_id(app: Flask, cast: Cast, listen: Listen) -> None:
    listen(Event.TOKEN_USED)
    listen(Event.TOKEN_USED, everywhere=True)
    cast.join()
    with app.app_context():
        found = messages()
        assert len(found) == 2
        assert len({one.message_id for one in found}) == 1
        assert found[0].message_id.startswith("msg_")


def test_somebody_elses_rooms_are_not_told_of(app: Flask, cast: Cast, listen: Listen) -> None:
    listen(everywhere=True)
    with app.app_context(), transaction():
        charlie = cast.user("charlie")
        account = session.scalars(sa.select(Account).where(Account.owner_uuid == charlie.uuid)).unique().one()
        new_room(account=account, room_name="Theirs", by=actor_of(charlie))
    assert told_of(app) == []


@BOTH
def test_what_is_rolled_back_was_never_told(app: Flask, cast: Cast, listen: Listen, told: Told) -> None:
    listen()
    told.clear()

    def refused() -> None:
        with transaction():
            issue_token(room=cast.room(), role=Role.GUEST, by=actor_of(cast.user("alice")))
            session.flush()
            assert len(messages()) == 1
            raise NotAllowed

    with app.app_context():
        with pytest.raises(NotAllowed):
            refused()
        assert messages() == []
    assert told == []


@BOTH
def test_workers_are_told_once_it_is_committed(app: Flask, cast: Cast, listen: Listen, told: Told) -> None:
    listen()
    told.clear()
    with app.app_context():
        with transaction():
            issue_token(room=cast.room(), role=Role.GUEST, by=actor_of(cast.user("alice")))
            session.flush()
            assert told == []
        assert told == [(messages()[0].uuid, 0)]


@BOTH
def test_where_nobody_listens_nothing_is_looked_up(app: Flask, cast: Cast, listen: Listen) -> None:
    """The same statements as without any listener, on every hot path; and not one more for a paused endpoint."""
    from portal.audit import operations as audit
    from portal.webhooks.operations import pause_endpoint

    def counted(act: Callable[[], object]) -> list[str]:
        with app.app_context():
            engine = db.engine
        with statements(engine) as seen:
            act()
        return [line for line in seen if "webhook_" in line.partition("WHERE")[0]]

    def act() -> None:
        guest = cast.join(Role.ATTENDEE)
        guest.post(f"/rooms/{cast.board}/-/conference/departure", data={"csrf_token": guest.token()})
        alice = cast.sign_in("alice")
        alice.send(f"/manage/rooms/{cast.board}/links/new", role="guest")
        alice.send("/manage/rooms/new", room_name="Another")

    assert counted(act) == []
    endpoint_id = listen()
    with app.app_context(), transaction():
        pause_endpoint(endpoint_of(endpoint_id), by=actor_of(cast.user("alice")))
    assert counted(act) == []

    def number_of_statements() -> int:
        guest = cast.follow(Role.ATTENDEE)
        token = guest.token(cast.board_path)
        with app.app_context():
            engine = db.engine
        with statements(engine) as seen:
            answer = guest.post(cast.board_path, data={"csrf_token": token, "name": "Jun", "code": CODE})
        assert answer.status_code == 303
        return len(seen)

    number_of_statements()  # the room runs now
    listening = number_of_statements()
    kept, audit._listeners[:] = list(audit._listeners), []
    try:
        assert number_of_statements() == listening
    finally:
        audit._listeners[:] = kept


@BOTH
def test_a_dump_holds_no_secret_no_token_and_no_name(app: Flask, cast: Cast, hook: Receiver, listen: Listen) -> None:
    endpoint_id = listen()
    cast.join(name="Jun Tanaka the Third")
    with app.app_context():
        with transaction():
            token = issue_token(room=cast.room(), role=Role.GUEST, by=actor_of(cast.user("alice"))).token
        assert len(messages()) == 4
        dump = "".join(
            repr(tuple(row))
            for table in (WebhookDelivery.__table__, Base.metadata.tables["webhook_endpoints"])
            for row in session.execute(sa.select(table))
        )
        endpoint = endpoint_of(endpoint_id)
        assert hook.url in dump
        assert endpoint.secret.startswith("whsec_")
        for secret in (endpoint.secret, endpoint.secret.removeprefix("whsec_"), token, "Jun Tanaka"):
            assert secret not in dump
        assert all(
            one.token not in one_message.payload
            for one in session.scalars(sa.select(RoomToken))
            for one_message in messages()
        )
        assert all(
            code.code not in one.payload for code in session.scalars(sa.select(AccessCode)) for one in messages()
        )
        assert session.scalar(sa.select(sa.func.count()).select_from(RoomMember)) == 1
        assert len(present_participations(cast.room())) == 1


@BOTH
def test_closing_a_room_that_somebody_listens_to_takes_as_many_statements_for_few_as_for_many(
    app: Flask, cast: Cast, listen: Listen
) -> None:
    listen()
    listen(everywhere=True)

    def closed(guests: int, *members: str) -> int:
        for number in range(guests):
            cast.join(name=f"Guest {number}")
        for name in members:
            assert cast.sign_in(name).send(f"/rooms/{cast.board}/-/entry").status_code == 303
        with app.app_context():
            engine = db.engine
        with statements(engine) as seen, app.app_context(), transaction():
            assert end_session(cast.room()) == guests + len(members)
        return len(seen)

    assert closed(1) == closed(10)
    assert closed(1, "bob") == closed(10, "bob")
    left = [str(data["name"]) for kind, data in told_of(app) if kind == "participant.left"]
    assert sorted(set(left)) == ["Bob Fischer", *(f"Guest {number}" for number in range(10))]
    assert len(left) == 2 * (1 + 10 + 2 + 11)
