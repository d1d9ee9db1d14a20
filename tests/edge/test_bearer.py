"""The API's one credential: what it opens, what it does not, and how a refusal reads."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask, jsonify
from werkzeug.test import TestResponse

from portal.clock import now
from portal.credentials.models import ClientKind, OAuthClient
from portal.credentials.secrets import ACCESS
from portal.db import db, reading, session, transaction
from portal.edge import actor, bearer
from portal.edge.guard import open_to_all, requires
from portal.people.actor import Actor, actor_of
from portal.people.staff import StaffPermission
from portal.permissions.permission import Permission
from portal.permissions.rules import can
from portal.permissions.visibility import access_scope_of, all_seen, find_room
from portal.rooms.models import Room
from portal.scopes import Scope
from tests.cast import Cast
from tests.conftest import BOTH
from tests.oauth.programs import READS, Program, program


@pytest.fixture
def api(app: Flask) -> Flask:
    """Three small addresses that believe the bearer token only."""

    @open_to_all
    def who() -> Any:
        somebody = bearer.require(Scope.ROOMS_READ)
        return jsonify(name=somebody.user.name, client=bearer.caller())

    @open_to_all
    def write() -> Any:
        return jsonify(name=bearer.require(Scope.ROOMS_READ, Scope.ROOMS_WRITE).user.name)

    @requires(Permission.TOKENS_VIEW)
    def links(room: Room) -> Any:
        return jsonify(name=room.room_name)

    def believe_the_token() -> None:
        from flask import request

        if request.path.startswith("/test"):
            actor.become(bearer.current())

    app.before_request(believe_the_token)
    app.add_url_rule("/test/who", "test_who", who)
    app.add_url_rule("/test/write", "test_write", write)
    app.add_url_rule("/test/rooms/<id:room_id>/links", "test_links", links)
    return app


@pytest.fixture
def machine(api: Flask) -> Program:
    return program(Cast(api), ClientKind.CREDENTIAL)


def call(machine: Program, header: str | None, path: str = "/test/who") -> TestResponse:
    headers = {} if header is None else {"Authorization": header}
    answer = machine.cast.browser().get(path, headers=headers)
    answer.close()
    return answer


def access(machine: Program) -> str:
    return str(machine.pair("client_credentials")["access_token"])


@BOTH
def test_a_token_opens_the_api_in_its_persons_name(machine: Program) -> None:
    text = access(machine)
    for header in (f"Bearer {text}", f"bearer  {text} "):
        answer = call(machine, header)
        assert answer.status_code == 200
        assert answer.get_json() == {"name": "Alice Moreau", "client": machine.client_id}


@pytest.mark.parametrize("header", [None, "", "Basic eDp5", "Token x", "Bearerx"])
def test_without_a_token_the_answer_says_what_to_send(machine: Program, header: str | None) -> None:
    answer = call(machine, header)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="foyer"'


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer x", "Bearer {new}", "Bearer {good},Bearer {good}"])
def test_a_token_that_does_not_count_is_said_to_be_invalid(machine: Program, header: str) -> None:
    answer = call(machine, header.format(new=ACCESS.new(), good=access(machine)))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="foyer", error="invalid_token"'


def test_neither_parameter_nor_cookie_is_a_credential(machine: Program, cast: Cast) -> None:
    text = access(machine)
    assert call(machine, None, f"/test/who?access_token={text}").status_code == 401
    assert call(machine, f"Bearer {text}", f"/test/who?access_token={text}").status_code == 401
    assert cast.sign_in("alice").get("/test/who").status_code == 401


def test_a_token_opens_no_page(machine: Program) -> None:
    header = {"Authorization": f"Bearer {access(machine)}"}
    browser = machine.cast.browser()
    for path in ("/manage/rooms", "/me", "/me/credentials", f"/manage/rooms/{machine.cast.board}"):
        assert browser.get(path, headers=header).status_code == 303


def test_a_missing_scope_is_named(machine: Program) -> None:
    answer = call(machine, f"Bearer {access(machine)}", "/test/write")
    assert answer.status_code == 403
    challenge = 'Bearer realm="foyer", error="insufficient_scope", scope="rooms.write"'
    assert answer.headers["WWW-Authenticate"] == challenge


def test_a_door_tells_a_missing_scope_from_a_missing_right(api: Flask) -> None:
    cast = Cast(api)
    path = f"/test/rooms/{cast.board}/links"
    alices = program(cast, ClientKind.CREDENTIAL)
    answer = call(alices, f"Bearer {access(alices)}", path)
    assert answer.status_code == 403
    assert 'scope="access.read"' in answer.headers["WWW-Authenticate"]
    wide = [*READS, Scope.ACCESS_READ]
    for user, status in (("alice", 200), ("bob", 403), ("charlie", 404), ("admin", 404)):
        machine = program(cast, ClientKind.CREDENTIAL, user=user, scopes=wide)
        answer = call(machine, f"Bearer {access(machine)}", path)
        assert answer.status_code == status, user
        assert "WWW-Authenticate" not in answer.headers
    ada = program(cast, ClientKind.CREDENTIAL, user="admin", scopes=[*wide, Scope.ADMIN])
    assert call(ada, f"Bearer {access(ada)}", path).status_code == 200


@BOTH
def test_reading_notes_the_last_use_once_the_answer_is_out(machine: Program, api: Flask) -> None:
    text = access(machine)
    with time_machine.travel(now() + timedelta(hours=2), tick=False):
        answer = machine.cast.browser().get("/test/who", headers={"Authorization": f"Bearer {text}"})
        assert answer.status_code == 200
        assert _last_use(api) < now()
        answer.close()
        assert _last_use(api) == now()


def test_a_reader_does_not_wait_for_the_writer(machine: Program, api: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody holds SQLite's one write lock: the answer comes all the same, and only the last use goes unnoted."""
    monkeypatch.setattr("portal.engine.WRITER_TIMEOUT", 0.05)
    text = access(machine)
    before = _last_use(api)
    with api.app_context():
        engine = db.engine
    with time_machine.travel(now() + timedelta(hours=2), tick=True), engine.connect() as writer:
        writer.execute(sa.text("UPDATE throttle_buckets SET used = used"))
        assert call(machine, f"Bearer {text}").status_code == 200
    assert _last_use(api) == before


def _last_use(app: Flask) -> Any:
    with app.app_context(), reading(), transaction():
        return session.scalars(sa.select(OAuthClient.last_used_at)).one()


def scoped(cast: Cast, name: str, *scopes: Scope) -> Actor:
    return actor_of(cast.user(name), scopes=frozenset(scopes))


def test_scopes_narrow_what_the_owner_may_and_never_widen_what_a_member_may(app: Flask, cast: Cast) -> None:
    with app.app_context():
        for permission in Permission:
            for scope in Scope:
                alice = scoped(cast, "alice", scope)
                room = find_room(alice, cast.board)
                assert room is not None
                assert can(alice, permission, room) is (scope is permission.scope), (permission, scope)
        bob = scoped(cast, "bob", *Scope)
        room = find_room(bob, cast.board)
        assert room is not None
        assert {p for p in Permission if can(bob, p, room)} == {Permission.ROOM_VIEW, Permission.STATUS_VIEW}


def test_finding_a_room_does_not_depend_on_scopes_but_for_staff(app: Flask, cast: Cast) -> None:
    with app.app_context():
        assert find_room(scoped(cast, "bob"), cast.board) is not None
        assert find_room(scoped(cast, "charlie", *Scope), cast.board) is None
        without, with_it = scoped(cast, "admin", Scope.ROOMS_READ), scoped(cast, "admin", Scope.ADMIN, Scope.ROOMS_READ)
        assert find_room(without, cast.board) is None
        assert session.execute(all_seen(access_scope_of(without), now())).all() == []
        room = find_room(with_it, cast.board)
        assert room is not None
        assert can(with_it, Permission.ROOM_VIEW, room)
        assert not can(with_it, Permission.ROOM_EDIT, room)
        assert len(session.execute(all_seen(access_scope_of(with_it), now())).all()) == 2
        assert actor_of(cast.user("admin")).staff == frozenset(StaffPermission)
