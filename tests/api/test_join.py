"""Coming in through a program: refusals leave the traces that those at the door leave, and no room is given away."""

from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.audit.models import AuditEvent
from portal.clock import now
from portal.db import session, transaction
from portal.rooms.models import Role
from portal.webhooks.events import Event
from portal.webhooks.models import WebhookDelivery
from tests.api.conftest import NewProgram
from tests.cast import Cast


def token_of(cast: Cast, role: Role) -> str:
    return cast.links[role].partition("=")[2]


def refusals(app: Flask) -> list[dict[str, Any]]:
    """The facts of the audit's lines about refusals, in order."""
    with app.app_context(), transaction():
        query = sa.select(AuditEvent).where(AuditEvent.action == "participant.refused").order_by(AuditEvent.uuid)
        return [dict(line.details) for line in session.scalars(query)]


def test_a_refusal_is_written_down_and_told_as_at_the_door(cast: Cast, app: Flask, program: NewProgram) -> None:
    hook = {"room_id": cast.board, "url": "https://hooks.example/room", "events": [Event.PARTICIPANT_REFUSED.value]}
    assert program("alice").post("/webhooks", hook).status_code == 201
    charlie, join = program("charlie"), f"/rooms/{cast.board}/join"
    attendee = {"token": token_of(cast, Role.ATTENDEE), "name": "Gus"}
    assert charlie.post(join, attendee).json["data"]["reason"] == "code missing"  # a field to fill in, as there
    assert charlie.post(join, {**attendee, "code": "WRONG-CODE"}).json["data"]["reason"] == "code wrong"
    with app.app_context(), transaction():
        cast.token(Role.GUEST).expires_at = now()
    assert charlie.post(join, {"token": token_of(cast, Role.GUEST), "name": "Gus"}).json["data"]["reason"] == "expired"
    assert refusals(app) == [{"role": "attendee", "reason": "code wrong"}, {"role": "guest", "reason": "expired"}]
    with app.app_context():
        assert session.scalar(sa.select(sa.func.count()).select_from(WebhookDelivery)) == 2


def test_who_is_let_in_is_no_refusal(cast: Cast, app: Flask, program: NewProgram) -> None:
    moderator = {"token": token_of(cast, Role.MODERATOR), "name": "Gus"}
    assert program("charlie").post(f"/rooms/{cast.board}/join", moderator).json["data"]["result"] == "enter"
    assert refusals(app) == []


LONG = f"https://portal.example/{'x' * 600}?token={{}}"


@pytest.mark.parametrize(
    "around", ["{}\n", "{} ", "{}.", "“{}”", "https://portal.example/rooms/x?token={}&amp;y", LONG]
)
def test_a_token_is_read_out_of_what_was_pasted(cast: Cast, program: NewProgram, around: str) -> None:
    charlie, token = program("charlie"), around.format(token_of(cast, Role.GUEST))
    answer = charlie.post(f"/rooms/{cast.board}/join", {"token": token, "name": "Gus"})
    assert answer.json["data"]["result"] == "enter"
    ticket = urlsplit(answer.json["data"]["entry_url"]).path
    assert cast.browser().get(f"{ticket}).").status_code == 303
    checked = program("alice").get(f"/rooms/{cast.board}/access-check?{urlencode({'token': token})}")
    assert checked.json["data"]["result"] == "enter"


Request = tuple[bytes, str, dict[str, str]]
JSON = "application/json"


@pytest.mark.parametrize(
    "request_",
    [
        (b"{", JSON, {}),
        (b"[]", JSON, {}),
        (b'{"nmae": "Gus"}', JSON, {}),
        (b'{"token": 5}', JSON, {}),
        (b'{"name": "\\u0000"}', JSON, {}),
        (b"name=Gus", "application/x-www-form-urlencoded", {}),
        (b"", "", {}),
        (b"{}", JSON, {"Idempotency-Key": "x" * 300}),
        (b"{}", JSON, {"Idempotency-Key": "once"}),
        (b'{"token": "rt_unknown", "name": "Gus"}', JSON, {}),
    ],
)  # fmt: skip
def test_a_strangers_room_answers_like_one_that_is_missing(
    cast: Cast, app: Flask, program: NewProgram, request_: Request
) -> None:
    raw, mimetype, more = request_
    headers = {"Authorization": f"Bearer {program('charlie').token}", **more}
    answers = [
        app.test_client().post(f"/api/v1/rooms/{room_id}/join", data=raw, content_type=mimetype, headers=headers)
        for room_id in (cast.board, "1111111111", cast.board)
    ]
    assert {answer.status_code for answer in answers} <= {400, 404, 415, 422}
    assert len({(answer.status_code, answer.text) for answer in answers}) == 1


def test_a_missing_room_and_a_hidden_one_take_no_key(cast: Cast, program: NewProgram) -> None:
    charlie = program("charlie")
    for room_id in (cast.board, "1111111111"):
        for name in ("Gus", "Fay"):
            assert charlie.post(f"/rooms/{room_id}/join", {"name": name}, Idempotency_Key="k").status_code == 404
