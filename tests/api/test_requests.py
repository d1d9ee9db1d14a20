"""Requests that are malformed, conditional, or sent twice."""

import json
import threading
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.credentials.models import ClientKind
from portal.db import Base, session, transaction
from portal.idempotency.api_requests import IdempotentRequest
from portal.rooms.models import Role, Room
from portal.scopes import Scope
from tests.api.conftest import NewProgram, Program
from tests.cast import Cast
from tests.conftest import BOTH
from tests.oauth.programs import program as oauth_program


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"room_name": "A", "room_name": "B"}', 400),
        (b'{"room_name": NaN}', 400),
        (b'{"room_name": "\xff"}', 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400),
        (b"[]", 422),
        (b"null", 422),
        (b'"text"', 422),
        (b'{"room_name": "\\u0000"}', 422),
        (b'{"room_metadata": {"n": 1e999}, "room_name": "R"}', 422),
        (b'{"room_metadata": {"n": 123456789012345678901234567890}, "room_name": "R"}', 422),
        (b'{"room_name": "' + b"x" * 1_100_000 + b'"}', 413),
    ],
)
def test_bodies_that_are_none(app: Flask, program: NewProgram, raw: bytes, status: int) -> None:
    headers = {"Authorization": f"Bearer {program('alice').token}"}
    answer = app.test_client().post("/api/v1/rooms", data=raw, content_type="application/json", headers=headers)
    assert answer.status_code == status, answer.text
    assert set(answer.get_json()) <= {"message", "errors"}


def test_what_is_too_deep_or_too_large_is_told_in_our_words(program: NewProgram) -> None:
    alice = program("alice")
    headers = {"Authorization": f"Bearer {alice.token}"}
    for raw, words in (
        (b"[" * 100_000, "nested too deeply"),
        (b'"' + b"x" * 1_100_000 + b'"', "larger than 1 MB"),
    ):
        answer = alice.app.test_client().post(
            "/api/v1/rooms", data=raw, content_type="application/json", headers=headers
        )
        assert words in answer.get_json()["message"]
    assert "Allow" in alice.call("PUT", "/rooms", {}).json["message"]


def test_wrong_types_and_verbs(app: Flask, cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    headers = {"Authorization": f"Bearer {alice.token}"}
    form = app.test_client().post("/api/v1/rooms", data={"room_name": "R"}, headers=headers)
    assert form.status_code == 415
    verb = alice.call("PUT", f"/rooms/{cast.board}", {})
    assert verb.status_code == 405
    assert "PATCH" in verb.headers["Allow"]
    assert verb.json["message"]
    for path in ("/rooms/short", "/rooms/" + "1" * 11, "/nothing", "/rooms/%00"):
        answer = alice.get(path)
        assert answer.status_code == 404, path
        assert answer.is_json


def test_if_match_keeps_two_writers_apart(cast: Cast, program: NewProgram) -> None:
    alice, path = program("alice"), f"/rooms/{cast.board}"
    tag = alice.get(path).headers["ETag"]
    first = alice.patch(path, {"room_name": "First"}, If_Match=tag)
    assert first.status_code == 200
    assert alice.patch(path, {"room_name": "Second"}, If_Match=tag).status_code == 412
    assert alice.delete(path, If_Match=tag).status_code == 412
    assert alice.get(path).json["data"]["room_name"] == "First"
    assert alice.patch(path, {"room_name": "Third"}, If_Match=first.headers["ETag"]).status_code == 200
    assert alice.patch(path, {"room_name": "Fourth"}, If_Match="*").status_code == 200


@pytest.mark.parametrize("tag", ['"unclosed', "", ",", " , ,", '"', 'W/"', '"unclosed, *', '""', "\xff", "*, *"])
def test_an_if_match_that_cannot_be_read_lets_nothing_be_written(cast: Cast, program: NewProgram, tag: str) -> None:
    alice, path = program("alice"), f"/rooms/{cast.board}"
    assert alice.patch(path, {"room_name": "Overwritten"}, If_Match=tag).status_code == 412
    assert alice.delete(path, If_Match=tag).status_code == 412
    assert alice.get(path).json["data"]["room_name"] == "Board meeting"


@pytest.mark.parametrize("tag", ['"unclosed', "", ",", 'W/"'])
def test_an_if_none_match_that_cannot_be_read_costs_nothing_but_the_answer(
    cast: Cast, program: NewProgram, tag: str
) -> None:
    alice, path = program("alice"), f"/rooms/{cast.board}"
    read = alice.get(path, If_None_Match=tag)
    assert (read.status_code, read.json["data"]["room_name"]) == (200, "Board meeting")


def test_if_none_match_saves_the_answer(cast: Cast, program: NewProgram) -> None:
    alice, path = program("alice"), f"/rooms/{cast.board}"
    tag = alice.get(path).headers["ETag"]
    assert alice.get(path, If_None_Match=tag).status_code == 304
    assert alice.get(f"{path}?filter=url", If_None_Match=tag).status_code == 200
    alice.patch(path, {"room_name": "Other"})
    assert alice.get(path, If_None_Match=tag).status_code == 200


def rooms(app: Flask) -> int:
    with app.app_context():
        return session.scalar(sa.select(sa.func.count()).select_from(Room)) or 0


def test_a_post_that_is_sent_again_gets_the_first_answer(app: Flask, cast: Cast, program: NewProgram) -> None:
    alice, before = program("alice"), rooms(app)
    first = alice.post("/rooms", {"room_name": "Once"}, Idempotency_Key="k1")
    again = alice.post("/rooms", {"room_name": "Once"}, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert again.headers["Location"] == first.headers["Location"]
    assert rooms(app) == before + 1
    other = alice.post("/rooms", {"room_name": "Another"}, Idempotency_Key="k1")
    assert other.status_code == 422
    assert list(other.json["errors"]) == ["Idempotency-Key"]
    assert program("charlie").post("/rooms", {"room_name": "Once"}, Idempotency_Key="k1").json != first.json
    assert alice.post(f"/rooms/{cast.board}/tokens", {"role": "guest"}, Idempotency_Key="k2").status_code == 201
    with app.app_context():
        dump = "\n".join(repr(tuple(row)) for row in session.execute(sa.select(IdempotentRequest)))
    assert "rt_" not in dump


def test_an_answer_belongs_to_the_person_though_one_client_acts_for_many(app: Flask, cast: Cast) -> None:
    shared = oauth_program(cast, ClientKind.FIRST_PARTY, scopes=[Scope.ROOMS_READ, Scope.ROOMS_WRITE])
    asked = {"room_name": "Once"}
    answers = [
        Program(app, shared.pair(username=f"{name}@demo.example")["access_token"]).post(
            "/rooms", asked, Idempotency_Key="k1"
        )
        for name in ("alice", "charlie")
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert "Idempotent-Replayed" not in answers[1].headers
    assert answers[0].json["data"]["customer_id"] != answers[1].json["data"]["customer_id"]


def test_a_key_whose_answer_was_cut_off_is_a_conflict(app: Flask, cast: Cast, program: NewProgram) -> None:
    alice, path = program("alice"), f"/rooms/{cast.board}/join"
    token = cast.links[Role.ATTENDEE].partition("token=")[2]
    body = {"token": token, "name": "Jun", "code": "WRONG-CODE"}
    assert alice.post(path, body, Idempotency_Key="k1").json["data"]["reason"] == "code wrong"
    assert alice.post(path, body, Idempotency_Key="k1").headers["Idempotent-Replayed"] == "true"
    with app.app_context(), transaction():
        session.scalars(sa.select(IdempotentRequest)).one().answer = ""
    assert alice.post(path, body, Idempotency_Key="k1").status_code == 409


def test_a_refused_post_leaves_its_key_free(program: NewProgram) -> None:
    alice = program("alice")
    assert alice.post("/rooms", {"room_name": ""}, Idempotency_Key="k1").status_code == 422
    assert alice.post("/rooms", {"room_name": "Now right"}, Idempotency_Key="k1").status_code == 201


@BOTH
def test_two_posts_at_once_with_one_key_make_one_room(app: Flask, program: NewProgram) -> None:
    alice, before = program("alice"), rooms(app)
    answers: list[Any] = []

    def send(program: Program) -> None:
        answers.append(program.post("/rooms", {"room_name": "Raced"}, Idempotency_Key="race"))

    threads = [threading.Thread(target=send, args=(alice,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json["data"]["id"] for answer in answers}) == 1
    assert rooms(app) == before + 1


def test_one_token_is_counted_together_however_its_header_is_spelt(app: Flask, program: NewProgram) -> None:
    text = program("alice").token
    left = [
        int(app.test_client().get("/api/v1/rooms", headers={"Authorization": spelt}).headers["X-RateLimit-Remaining"])
        for spelt in (f"Bearer {text}", f"bEARER {text}", f"Bearer  {text} ")
    ]
    assert left == [left[0], left[0] - 1, left[0] - 2]
    nobody = [
        int(app.test_client().get("/api/v1/rooms", headers={"Authorization": odd}).headers["X-RateLimit-Remaining"])
        for odd in ("Bearer nonsense", "Basic abc", "Bearer other")
    ]
    assert nobody == [nobody[0], nobody[0] - 1, nobody[0] - 2]


def test_rate_limits_are_said_in_headers(app: Flask, program: NewProgram) -> None:
    alice = program("alice")
    headers = alice.get("/rooms").headers
    assert headers["X-RateLimit-Limit"] == "60"
    assert int(headers["X-RateLimit-Remaining"]) < 60
    for _ in range(60):
        answer = alice.get("/features")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json["message"]
    assert program("bob").get("/rooms").status_code == 200


def test_no_table_holds_a_token_that_the_api_showed(app: Flask, cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    shown = [
        alice.post(f"/rooms/{cast.board}/tokens", {"role": "guest"}, Idempotency_Key="one").json["data"]["token"],
        alice.token,
    ]
    with app.app_context():
        dump = "\n".join(
            json.dumps(list(map(str, row)))
            for table in Base.metadata.sorted_tables
            for row in session.execute(sa.select(table))
        )
    for secret in shown:
        assert secret not in dump
