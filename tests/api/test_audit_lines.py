"""What a line of the audit says: from where somebody acted, and what was changed."""

import sqlalchemy as sa
from flask import Flask

from portal.audit.changes import changes_since, differences, values_of
from portal.audit.models import AuditEvent
from portal.audit.operations import record_event
from portal.db import session, transaction
from portal.rooms.models import Role
from portal.webhooks.payloads import payload_data
from tests.api.conftest import NewProgram
from tests.cast import Cast


def networks(app: Flask, action: str) -> list[str | None]:
    with app.app_context(), transaction():
        return list(session.scalars(sa.select(AuditEvent.network).where(AuditEvent.action == action)))


def test_it_is_kept_from_where_a_person_acted(app: Flask, cast: Cast) -> None:
    alice = cast.sign_in("alice")
    made = alice.send("/manage/rooms/new", room_name="Another")
    assert made.status_code == 303, made.text
    assert networks(app, "room.created")[-1] == "127.0.0.1"


def test_it_is_kept_from_where_a_program_acted(app: Flask, cast: Cast, program: NewProgram) -> None:
    answer = program("alice").call("POST", f"/rooms/{cast.board}/tokens", {"role": "guest"})
    assert answer.status_code == 201, answer.text
    assert networks(app, "token.created")[-1] == "127.0.0.1"


def test_nothing_is_known_of_where_a_guest_is(app: Flask, cast: Cast) -> None:
    cast.join(Role.GUEST)
    assert set(networks(app, "participant.joined")) == {None}


def test_fields_are_told_before_and_after(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        room = cast.room()
        before = values_of(room, ["room_name", "status"])
        room.room_name = "Other"
        changes = changes_since(before, room)
        assert changes == {"room_name": ["Board meeting", "Other"]}
        record_event("room.updated", room, by=None, room=room.uuid, changes=changes)
    with app.app_context(), transaction():
        line = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "room.updated")).one()
        assert line.details == {"changes": changes}
        payload = payload_data("room.updated", cast.room(), cast.room(), line.details)
        assert "changes" not in payload, "webhooks are not told"
        assert payload["room_name"] == "Other"


def test_a_value_that_is_there_on_one_side_only_is_a_difference() -> None:
    assert differences({"a": 1, "b": 2}, {"b": 2, "c": True}) == {"a": [1, None], "c": [None, True]}
