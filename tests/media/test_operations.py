"""Changing and deleting recordings, and who sees which."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.audit.models import AuditEvent
from portal.clock import now
from portal.db import session, transaction
from portal.errors import Invalid, NotFound
from portal.media.models import Recording, RecordingVisibility
from portal.media.operations import change_recording, delete_recording, delete_with_rooms, lock_recording
from portal.media.queries import can_record, recordings_of, sees_recordings, shared_recordings
from portal.people.actor import actor_of
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.providers.base import RecordingState
from portal.rooms.models import Room
from tests.cast import Cast
from tests.conftest import BOTH
from tests.media.conftest import NewRecording


def change(cast: Cast, **decided: Any) -> Recording:
    """Alice changes the one recording."""
    with cast.app.app_context(), transaction():
        recording = session.scalars(sa.select(Recording)).one()
        known = {name: getattr(recording, name) for name in ("name", "published", "visibility")}
        lock_recording(recording)
        change_recording(recording, by=actor_of(cast.user("alice")), **{**known, **decided})
        return recording


def seen(cast: Cast, name: str, rights: list[Permission] | None = None) -> int:
    """How many recordings somebody sees, whom Alice granted these rights."""
    with cast.app.app_context(), transaction():
        room, somebody = cast.room(), actor_of(cast.user(name))
        somebody.memberships[room.uuid] = RoomMember(permissions=rights) if rights else None
        found = len(recordings_of(room, somebody))
        assert sees_recordings(room, somebody) is bool(found)
        return found


@BOTH
def test_it_is_renamed_unpublished_and_shared_and_the_audit_tells_what_changed(
    cast: Cast, new_recording: NewRecording
) -> None:
    new_recording()
    changed = change(cast, name=" Annual  meeting ", published=False, visibility=RecordingVisibility.MEMBERS)
    assert (changed.name, changed.published, changed.untold) == ("Annual meeting", False, False)
    with cast.app.app_context(), transaction():
        [line] = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "recording.changed"))
        assert line.details["changes"] == {
            "name": ["Board meeting", "Annual meeting"],
            "published": [True, False],
            "visibility": ["owner", "members"],
        }
        assert line.room_uuid == cast.room().uuid


def test_what_changes_nothing_is_not_noted(cast: Cast, new_recording: NewRecording) -> None:
    new_recording()
    change(cast)
    with cast.app.app_context():
        assert session.scalar(sa.select(sa.func.count()).where(AuditEvent.thing == "recordings")) == 0


@pytest.mark.parametrize("name", ["", "x" * 201, "a\u202eb"])
def test_a_name_that_cannot_be_is_refused_on_its_field(cast: Cast, new_recording: NewRecording, name: str) -> None:
    new_recording()
    with pytest.raises(Invalid) as refused:
        change(cast, name=name)
    assert set(refused.value.fields) == {"name"}


@pytest.mark.parametrize("state", [RecordingState.RECORDING, RecordingState.PROCESSING, RecordingState.FAILED])
def test_one_that_cannot_be_watched_is_not_published_but_renamed(
    cast: Cast, new_recording: NewRecording, state: RecordingState
) -> None:
    new_recording(state=state, published=False)
    with pytest.raises(Invalid) as refused:
        change(cast, published=True)
    assert set(refused.value.fields) == {"published"}
    assert change(cast, name="Later").name == "Later"


@BOTH
def test_a_deleted_one_is_found_no_more_and_nobody_changes_it(cast: Cast, new_recording: NewRecording) -> None:
    new_recording(deleted_at=now())
    assert seen(cast, "alice") == 0
    with pytest.raises(NotFound):
        change(cast, name="Again")


def test_one_that_no_service_keeps_is_deleted_whole(cast: Cast, new_recording: NewRecording) -> None:
    new_recording()
    with cast.app.app_context(), transaction():
        delete_recording(session.scalars(sa.select(Recording)).one(), by=actor_of(cast.user("alice")))
    with cast.app.app_context():
        assert session.scalars(sa.select(Recording)).all() == []
        assert session.scalars(sa.select(AuditEvent.action).where(AuditEvent.thing == "recordings")).all() == [
            "recording.deleted"
        ]


@BOTH
@pytest.mark.parametrize(
    ("about", "members", "participants"),
    [
        ({"visibility": RecordingVisibility.OWNER}, 0, 0),
        ({"visibility": RecordingVisibility.MEMBERS}, 1, 0),
        ({"visibility": RecordingVisibility.PARTICIPANTS}, 1, 1),
        ({"visibility": RecordingVisibility.PARTICIPANTS, "published": False}, 0, 0),
        ({"visibility": RecordingVisibility.PARTICIPANTS, "state": RecordingState.PROCESSING}, 0, 0),
    ],
)
def test_who_sees_it(
    cast: Cast, new_recording: NewRecording, about: dict[str, Any], members: int, participants: int
) -> None:
    new_recording(**about)
    new_recording(cast.open_house, visibility=RecordingVisibility.PARTICIPANTS)
    assert seen(cast, "alice") == 1
    assert seen(cast, "bob", [Permission.ROOM_VIEW, Permission.RECORDINGS_VIEW]) == 1
    assert seen(cast, "bob", [Permission.ROOM_VIEW]) == members
    with cast.app.app_context():
        assert len(shared_recordings(cast.room())) == participants


def test_the_newest_come_first_page_by_page(cast: Cast, new_recording: NewRecording) -> None:
    made = [new_recording() for _ in range(3)]
    with cast.app.app_context():
        room, alice = cast.room(), actor_of(cast.user("alice"))
        first = recordings_of(room, alice, limit=2)
        rest = recordings_of(room, alice, after=(first[-1].started_at, first[-1].uuid), limit=2)
        assert [one.id for one in [*first, *rest]] == made[::-1]


def test_a_room_of_the_portals_own_pages_is_not_recorded_yet(cast: Cast) -> None:
    with cast.app.app_context():
        assert not can_record(cast.room())


@BOTH
def test_what_no_service_keeps_goes_with_its_room(cast: Cast, app: Flask, new_recording: NewRecording) -> None:
    new_recording()
    kept = new_recording(cast.open_house)
    with app.app_context(), transaction():
        session.execute(sa.delete(Room).where(Room.id == cast.board))
        delete_with_rooms()
    with app.app_context():
        assert session.scalars(sa.select(Recording.id)).all() == [kept]
