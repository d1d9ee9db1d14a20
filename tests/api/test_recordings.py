"""What programs read and change of recordings; who may, is in the tables of `authorization`."""

from typing import Any

import pytest
import sqlalchemy as sa

from portal.db import session, transaction
from portal.media.models import Recording, RecordingVisibility
from portal.permissions.permission import Permission
from portal.providers.base import RecordingState
from tests.api.conftest import NewProgram
from tests.cast import Cast, new_recording
from tests.conftest import BOTH


def make(cast: Cast, **about: Any) -> str:
    with cast.app.app_context(), transaction():
        return new_recording(room=cast.room(), **about).id


@BOTH
def test_a_recording_is_listed_and_read_with_everything_that_is_known(cast: Cast, program: NewProgram) -> None:
    made = make(cast)
    alice, path = program("alice"), f"/rooms/{cast.board}/recordings"
    [listed] = alice.get(path).json["data"]
    assert listed == alice.get(f"{path}/{made}").json["data"]
    assert listed["object"] == "RoomRecording"
    assert (listed["room_id"], listed["source"], listed["state"]) == (cast.board, "conference", "ready")
    assert (listed["published"], listed["visibility"]) == (True, "owner")
    assert (listed["duration"], listed["size"], listed["expires_at"], listed["error"]) == (60, 12_300_000, None, None)
    assert listed["formats"] == [{"type": "video", "url": "https://videos.example/1", "length": 60}]
    for spelling in (listed["uuid"], listed["ulid"]):
        assert alice.get(f"{path}/{spelling}").json["data"] == listed


def test_it_is_renamed_unpublished_and_shared_by_what_is_given_only(cast: Cast, program: NewProgram) -> None:
    own = f"/rooms/{cast.board}/recordings/{make(cast)}"
    alice = program("alice")
    named = alice.patch(own, {"name": "Annual meeting"}).json["data"]
    assert (named["name"], named["published"], named["visibility"]) == ("Annual meeting", True, "owner")
    shared = alice.patch(own, {"published": False, "visibility": "participants"}).json["data"]
    assert (shared["name"], shared["published"], shared["visibility"]) == ("Annual meeting", False, "participants")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"published": True}, "published"),
        ({"published": "yes"}, "published"),
        ({"visibility": "everybody"}, "visibility"),
        ({"state": "ready"}, "state"),
        ({"expires_at": None}, "expires_at"),
    ],
)
def test_what_cannot_be_is_refused_on_its_field(
    cast: Cast, program: NewProgram, body: dict[str, Any], field: str
) -> None:
    own = f"/rooms/{cast.board}/recordings/{make(cast, state=RecordingState.PROCESSING, published=False)}"
    refused = program("alice").patch(own, body)
    assert refused.status_code == 422
    assert list(refused.json["errors"]) == [field]


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(cast: Cast, program: NewProgram) -> None:
    own, alice = f"/rooms/{cast.board}/recordings/{make(cast)}", program("alice")
    tag = alice.get(own).headers["ETag"]
    assert alice.patch(own, {"name": "First"}, If_Match=tag).status_code == 200
    assert alice.patch(own, {"name": "Second"}, If_Match=tag).status_code == 412
    assert alice.delete(own, If_Match=tag).status_code == 412


def test_it_is_deleted_once(cast: Cast, program: NewProgram) -> None:
    own, alice = f"/rooms/{cast.board}/recordings/{make(cast)}", program("alice")
    assert alice.delete(own).status_code == 204
    assert alice.delete(own).status_code == 404
    assert alice.get(f"/rooms/{cast.board}/recordings").json["data"] == []


@BOTH
def test_a_member_reads_what_is_shared_with_members_and_no_total_tells_of_the_rest(
    cast: Cast, program: NewProgram
) -> None:
    make(cast)
    shared = make(cast, visibility=RecordingVisibility.MEMBERS)
    make(cast, visibility=RecordingVisibility.MEMBERS, published=False)
    bob, path = program("bob"), f"/rooms/{cast.board}/recordings"
    listed = bob.get(path).json
    assert [one["id"] for one in listed["data"]] == [shared]
    assert listed["meta"]["pagination"]["total"] == 1
    assert bob.get(f"{path}?search=visibility:owner").json["data"] == []
    assert program("alice").get(path).json["meta"]["pagination"]["total"] == 3


def test_the_list_is_searched_sorted_and_filtered(cast: Cast, program: NewProgram) -> None:
    first = make(cast, name="Annual meeting", duration=10)
    second = make(cast, name="Board meeting", duration=20, state=RecordingState.FAILED, published=False, formats=[])
    alice, path = program("alice"), f"/rooms/{cast.board}/recordings"

    def ids(query: str) -> list[str]:
        return [one["id"] for one in alice.get(f"{path}?{query}").json["data"]]

    assert ids("") == [second, first], "the newest first"
    assert ids("orderBy=duration") == [first, second]
    assert ids("search=annual") == [first]
    assert ids("search=state:failed") == [second]
    assert ids("search=published:true") == [first]
    assert set(alice.get(f"{path}?filter=name,formats").json["data"][0]) == {"object", "id", "name", "formats"}


def test_who_may_manage_recordings_is_told_so_with_the_room(cast: Cast, program: NewProgram) -> None:
    actions = program("alice").get(f"/rooms/{cast.board}").json["data"]["actions"]
    assert {str(Permission.RECORDINGS_VIEW), str(Permission.RECORDINGS_MANAGE)} <= set(actions)


def test_one_that_a_service_keeps_is_told_to_it(cast: Cast, program: NewProgram) -> None:
    with cast.app.app_context(), transaction():
        room = cast.room()
        own = new_recording(room=room, provider_uuid=room.subscription.provider.uuid, external="r-1").id
    answer = program("alice").patch(f"/rooms/{cast.board}/recordings/{own}", {"published": False})
    assert answer.status_code == 200
    with cast.app.app_context():
        assert session.scalars(sa.select(Recording)).one().untold
