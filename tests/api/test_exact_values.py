"""What an answer confirms is what the next read gives: of JSON, the type of each value, its sign and its order."""

import json
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import StatementError
from werkzeug.test import TestResponse

from portal.column_types import ExactJSON
from portal.db import db, session, transaction
from portal.rooms.models import Room
from tests.api.conftest import NewProgram
from tests.cast import Cast
from tests.conftest import BOTH

TWINS = [(True, 1), (1, True), (1, 1.0), (1.0, 1), (False, 0), (0, False), (0.0, -0.0), (-0.0, 0), (2**53, 2.0**53)]
"""Values that Python takes for equal and JSON does not."""


def kept(data: dict[str, Any], field: str) -> str:
    """A field as text, which tells apart what `==` does not."""
    return json.dumps(data[field])


@BOTH
@pytest.mark.parametrize(("before", "after"), TWINS)
@pytest.mark.parametrize("field", ["room_metadata", "room_settings"])
def test_a_value_is_replaced_by_its_twin(
    cast: Cast, program: NewProgram, field: str, before: object, after: object
) -> None:
    alice, room = program("alice"), f"/rooms/{cast.board}"
    for value in (before, after):
        sent = {"x_twin": value}
        answer = alice.patch(room, {field: sent})
        assert answer.status_code == 200, answer.text
        assert kept(answer.json["data"], field) == kept(alice.get(room).json["data"], field) == json.dumps(sent)


@BOTH
@pytest.mark.parametrize(("before", "after"), [(True, 1), (1, True), (False, 0), (0, False)])
def test_a_feature_is_replaced_by_its_twin(cast: Cast, program: NewProgram, before: object, after: object) -> None:
    alice, room = program("alice"), f"/rooms/{cast.board}"
    for value in (before, after):
        sent = {"max_participants": value}
        answer = alice.patch(room, {"room_features": sent})
        assert answer.status_code == 200, answer.text
        assert kept(answer.json["data"], "room_features") == json.dumps(sent)
        assert kept(alice.get(room).json["data"], "room_features") == json.dumps(sent)


@BOTH
def test_a_change_of_a_twin_or_of_the_order_is_a_new_version(app: Flask, cast: Cast, program: NewProgram) -> None:
    alice, path = program("alice"), f"/api/v1/rooms/{cast.board}"
    headers = {"Authorization": f"Bearer {alice.token}", "Content-Type": "application/json"}

    def patch(metadata: object, tag: str) -> TestResponse:
        text = json.dumps({"room_metadata": metadata})  # as it stands here: the client's own JSON is sorted
        return app.test_client().patch(path, data=text, headers={**headers, "If-Match": tag})

    before = patch({"a": 1, "b": [True]}, "*").headers["ETag"]
    for metadata in ({"a": 1.0, "b": [True]}, {"a": 1.0, "b": [1]}, {"b": [1], "a": 1.0}):
        changed = patch(metadata, before)
        assert changed.status_code == 200, changed.text
        assert patch({}, before).status_code == 412
        read = alice.get(path)
        assert kept(read.json["data"], "room_metadata") == json.dumps(metadata)
        before = read.headers["ETag"]


@BOTH
def test_a_repeated_request_answers_what_is_kept(program: NewProgram) -> None:
    alice = program("alice")
    body = {"room_name": "Twins", "room_metadata": {"a": 1.0, "b": -0.0, "c": True, "d": 1}}
    made = alice.post("/rooms", body, Idempotency_Key="twins")
    again = alice.post("/rooms", body, Idempotency_Key="twins")
    assert again.headers["Idempotent-Replayed"] == "true"
    read = alice.get(f"/rooms/{made.json['data']['id']}")
    assert kept(made.json["data"], "room_metadata") == json.dumps(body["room_metadata"])
    assert kept(again.json["data"], "room_metadata") == kept(read.json["data"], "room_metadata")
    assert kept(read.json["data"], "room_metadata") == json.dumps(body["room_metadata"])
    twin = alice.post("/rooms", {**body, "room_metadata": {"a": 1, "b": 0, "c": 1, "d": 1}}, Idempotency_Key="twins")
    assert twin.status_code == 422, "another request, whose values are only equal"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", str(2**53 + 1), "1" * 400])
def test_a_number_that_cannot_be_kept_is_refused(app: Flask, cast: Cast, program: NewProgram, number: str) -> None:
    alice, room = program("alice"), f"/rooms/{cast.board}"
    credential = {"Authorization": f"Bearer {alice.token}"}
    for field in ("room_metadata", "room_settings", "room_features"):
        text = f'{{"{field}": {{"x_number": {number}}}}}'
        answer = app.test_client().patch(
            f"/api/v1{room}", data=text, headers=credential, content_type="application/json"
        )
        assert answer.status_code in {400, 422}, answer.text
    assert alice.get(room).json["data"]["room_metadata"] == {}


@BOTH
def test_no_column_keeps_what_json_does_not_know(app: Flask, cast: Cast, in_app: None) -> None:
    room = cast.room()
    room.room_metadata = {"a": float("nan")}
    with pytest.raises((StatementError, ValueError)):
        session.flush()


def test_every_json_column_is_exact(app: Flask) -> None:
    columns = [column for table in db.metadata.tables.values() for column in table.columns]
    ours = [column for column in columns if isinstance(column.type, sa.JSON)]
    assert Room.__table__.c.room_metadata in ours
    assert [str(column) for column in ours if not isinstance(column.type, ExactJSON)] == []


def test_a_value_is_written_where_none_was_loaded_before(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        room = session.scalars(sa.select(Room).where(Room.id == cast.board)).one()
        session.expire(room, ["room_metadata"])
        room.room_metadata = {"new": 1}
    with app.app_context(), transaction():
        assert session.scalar(sa.select(Room.room_metadata).where(Room.id == cast.board)) == {"new": 1}
