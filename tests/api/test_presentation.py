"""The presentation of a room over the API: read, set and removed as on the page."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from portal.clock import now
from portal.credentials.tokens import AccessToken
from portal.db import session, transaction
from portal.permissions.members import RoomMember
from portal.scopes import Scope
from portal.webhooks.events import Event
from tests.api.conftest import NewProgram, Program
from tests.api.test_openapi import document
from tests.cast import Cast
from tests.presentations import PDF, take_presentations


@pytest.fixture
def alice(program: NewProgram, cast: Cast) -> Program:
    take_presentations(cast)
    return program("alice")


def path(cast: Cast) -> str:
    return f"/rooms/{cast.board}/presentation"


def test_a_program_sets_reads_and_removes_it(cast: Cast, alice: Program) -> None:
    assert alice.get(path(cast)).status_code == 404
    before = alice.get(f"/rooms/{cast.board}")
    answer = alice.upload(path(cast), PDF, "../Überblick.PDF")
    assert answer.status_code == 200, answer.text
    made = answer.json["data"]
    expected = {"object": "RoomPresentation", "room_id": cast.board, "name": "Überblick.pdf", "size": len(PDF)}
    assert {name: made[name] for name in (*expected, "type")} == expected | {"type": "application/pdf"}
    read = alice.get(path(cast))
    assert read.json["data"] == made
    assert read.headers["ETag"] == answer.headers["ETag"]
    assert alice.get(path(cast), If_None_Match=read.headers["ETag"]).status_code == 304
    after = alice.get(f"/rooms/{cast.board}")
    assert after.headers["ETag"] != before.headers["ETag"]
    assert after.json["data"]["room_settings"] == before.json["data"]["room_settings"]
    replaced = alice.upload(path(cast), b"\x89PNG\r\n\x1a\n", "cover.png").json["data"]
    assert replaced["id"] != made["id"]
    assert alice.delete(path(cast), If_Match=read.headers["ETag"]).status_code == 412
    assert alice.delete(path(cast)).status_code == 204
    assert alice.delete(path(cast)).status_code == 404


def test_what_is_refused_is_said_by_field(cast: Cast, alice: Program) -> None:
    answer = alice.upload(path(cast), b"<html>")
    assert answer.status_code == 422
    assert answer.json["errors"] == {
        "file": ["The content of this file is not what its name says (pdf). Save it anew."]
    }
    assert alice.call("PUT", path(cast), {"file": "x"}).status_code == 415
    assert alice.upload(f"{path(cast)}?name=x").status_code == 422


@pytest.mark.parametrize("value", ["https://evil.example/a.pdf", "slides.pdf", "", None, 5])
def test_no_setting_names_a_file_or_an_address(cast: Cast, alice: Program, value: Any) -> None:
    answer = alice.patch(f"/rooms/{cast.board}", {"room_settings": {"presentation": value}})
    assert answer.status_code == 422
    assert answer.json["errors"] == {
        "room_settings.presentation": ["This is a file: upload or delete it at its own address."]
    }


def test_a_room_of_the_portals_own_conferences_has_none(cast: Cast, program: NewProgram) -> None:
    alice = program("alice")
    for answer in (alice.get(path(cast)), alice.upload(path(cast)), alice.delete(path(cast))):
        assert answer.status_code == 404
    answer = alice.patch(f"/rooms/{cast.board}", {"room_settings": {"presentation": "x"}})
    assert answer.json["errors"] == {"room_settings.presentation": ["There is no setting presentation."]}


def test_webhooks_hear_of_it_as_of_any_change_of_the_room(cast: Cast, alice: Program) -> None:
    about = {"room_id": cast.board, "url": "https://hooks.example/x", "events": [Event.ROOM_UPDATED]}
    hook = alice.post("/webhooks", about).json["data"]["id"]
    alice.upload(path(cast))
    alice.delete(path(cast))
    sent = alice.get(f"/webhooks/{hook}/deliveries").json["data"]
    assert [one["event"] for one in sent] == ["room.updated"] * 2


def test_a_token_without_the_scope_is_refused(cast: Cast, alice: Program, program: NewProgram) -> None:
    assert program("alice", Scope.ROOMS_READ).upload(path(cast)).status_code == 403
    with cast.app.app_context(), transaction():
        session.execute(sa.update(AccessToken).values(expires_at=now() - timedelta(days=1)))
    assert alice.upload(path(cast)).status_code == 401


def test_members_without_the_right_read_it_only(cast: Cast, alice: Program, program: NewProgram) -> None:
    alice.upload(path(cast))
    with cast.app.app_context():
        assert session.scalars(sa.select(RoomMember)).first() is not None
    bob = program("bob")
    assert bob.get(path(cast)).json["data"]["name"] == "slides.pdf"
    assert bob.upload(path(cast)).status_code == bob.delete(path(cast)).status_code == 403


def test_the_document_says_how_a_file_is_sent(cast: Cast, alice: Program) -> None:
    described = document(cast.app)["paths"]["/api/v1/rooms/{room_id}/presentation"]["put"]
    form = described["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["file"]
    page = alice.app.test_client().get("/api/v1/docs").text
    assert "a file, by PUT /rooms/{room_id}/presentation" in page
    assert "multipart/form-data" in page
