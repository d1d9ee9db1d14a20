"""The owner's stream: what it costs, what it repairs, and when it ends."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.channels import InProcess, channels
from portal.clock import now
from portal.db import db, session, transaction
from portal.people import passwords
from portal.people.actor import actor_of
from portal.people.models import SignIn
from portal.people.operations import set_password
from portal.permissions.members import RoomMember
from portal.permissions.operations import remove_member
from portal.web import sse
from portal.web.manage import status
from tests.cast import Cast, Client

HELLO = b"event: hello\ndata: {}\n\n"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "HEARTBEAT_SECONDS", 0.02)


def listen(client: Client) -> Iterator[bytes]:
    heard = iter(client.get("/manage/live", buffered=False).response)
    assert next(heard) == HELLO
    return heard  # type: ignore[return-value]


def test_silence_costs_no_statement_and_is_judged_once_in_a_while(
    cast: Cast, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = listen(cast.sign_in("alice"))
    made: list[str] = []
    with app.app_context():
        sa.event.listen(db.engine, "before_cursor_execute", lambda _c, _k, statement, *_: made.append(statement))
    assert [next(heard) for _ in range(10)] == [b":\n\n"] * 10
    assert made == []
    monkeypatch.setattr(status, "JUDGE_SECONDS", 0)
    next(heard)
    assert 1 <= len(made) <= 3


def test_what_may_have_been_missed_is_looked_at_again(cast: Cast) -> None:
    heard = listen(cast.sign_in("alice"))
    made = channels()
    assert isinstance(made, InProcess)
    made._hub.tell_all()
    assert next(heard) == b'event: room\ndata: "*"\n\n'


def test_lost_rights_end_the_stream_although_events_keep_coming(cast: Cast, app: Flask) -> None:
    heard = listen(cast.sign_in("bob"))
    with app.app_context():
        room = f"room:{cast.room().uuid}"
        channels().nudge(room, word=cast.board)
        assert next(heard) == f'event: room\ndata: "{cast.board}"\n\n'.encode()
        with transaction():
            member = session.scalars(sa.select(RoomMember).where(RoomMember.user_uuid == cast.user("bob").uuid)).one()
            remove_member(member, room=cast.room(), by=actor_of(cast.user("alice")))
    channels().nudge(room, word=cast.board)
    assert list(heard) == []


def test_signing_out_and_a_new_password_end_the_stream(cast: Cast, app: Flask) -> None:
    alice = cast.sign_in("alice")
    heard = listen(alice)
    alice.post("/sign-out", data={"csrf_token": alice.token("/me")})
    assert list(heard) == []
    heard = listen(cast.sign_in("bob"))
    with app.app_context(), transaction():
        set_password(cast.user("bob"), passwords.checked_hash("another-password"))
    assert list(heard) == []


def test_a_membership_that_ends_ends_the_stream_at_its_time(
    cast: Cast, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "HEARTBEAT_SECONDS", 600)
    monkeypatch.setattr(status, "JUDGE_SECONDS", 600)
    bob = cast.sign_in("bob")
    with app.app_context(), transaction():
        session.execute(sa.update(RoomMember).values(until=now() + timedelta(seconds=2)))
    assert list(listen(bob)) == []


def test_no_stream_lives_for_ever(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LONGEST_SECONDS", 0.1)
    heard = listen(cast.sign_in("alice"))
    assert set(heard) == {b":\n\n"}


def test_of_too_many_streams_of_a_sign_in_the_oldest_ends(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MOST_STREAMS", 2)
    alice, other = cast.sign_in("alice"), cast.sign_in("alice")
    streams = [listen(alice) for _ in range(2)]
    apart = listen(other)
    newest = listen(alice)
    assert list(streams[0]) == []
    assert [next(heard) for heard in (streams[1], apart, newest)] == [b":\n\n"] * 3


def test_all_streams_are_judged_together(cast: Cast, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    streams = [listen(cast.sign_in(name)) for name in ("alice", "bob", "charlie", "alice")]
    assert [next(heard) for heard in streams] == [b":\n\n"] * 4
    monkeypatch.setattr(status, "JUDGE_SECONDS", 0)
    made: list[str] = []
    with app.app_context():
        sa.event.listen(db.engine, "before_cursor_execute", lambda _c, _k, statement, *_: made.append(statement))
    assert [next(heard) for heard in streams] == [b":\n\n"] * 4
    assert len(made) == 3


def test_a_sign_in_that_has_ended_without_a_word_is_noticed_and_others_go_on(
    cast: Cast, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending = listen(cast.sign_in("alice"))
    with app.app_context(), transaction():
        session.execute(sa.update(SignIn).values(ended_at=now()))
    going_on = listen(cast.sign_in("alice"))
    monkeypatch.setattr(status, "JUDGE_SECONDS", 0)
    assert list(ending) == []
    assert next(going_on) == b":\n\n"


def test_rights_that_were_missed_with_a_nudge_are_judged_at_once(cast: Cast, app: Flask) -> None:
    heard = listen(cast.sign_in("bob"))
    with app.app_context(), transaction():
        session.execute(sa.delete(RoomMember))
    made = channels()
    assert isinstance(made, InProcess)
    made._hub.tell_all()
    assert list(heard) == []
