"""Requests that are malformed, conditional, or sent twice."""

import json
import threading
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.answered import Answered
from portal.db import Base, session
from portal.rooms.models import Room
from tests.api.conftest import NewProgram, Program
from tests.cast import Cast
from tests.conftest import BOTH


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
        (b'{"room_metadata": {"n": 123456789012345678901234567890}, "room_name": "R"}', 400),
        (b'{"room_name": "' + b"x" * 1_100_000 + b'"}', 413),
    ],
)
def test_bodies_that_are_none(app: Flask, program: NewProgram, raw: bytes, status: int) -> None:
    headers = {"Authorization": f"Bearer {program('alice').token}"}
    answer = app.test_client().post("/api/v1/rooms", data=raw, content_type="application/json", headers=headers)
    assert answer.status_code == status, answer.text
    assert set(answer.get_json()) <= {"message", "errors"}


def test_wrong_types_and_verbs(app: Flask, cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    headers = {"Authorization": f"Bearer {alice.token}"}
    form = app.test_client().post("/api/v1/rooms", data={"room_name": "R"}, headers=headers)
    assert form.status_code == 415
    verb = alice.call("PUT", f"/rooms/{cast.board}", {})
    assert verb.status_code == 405
    assert "PATCH" in verb.headers["Allow"]
    assert verb.json["message"]
    for path in ("/rooms/short", "/rooms/" + "1" * 11, "/nothing", f"/rooms/{cast.board}/", "/rooms/%00"):
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
        dump = "\n".join(repr(tuple(row)) for row in session.execute(sa.select(Answered)))
    assert "rt_" not in dump


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
