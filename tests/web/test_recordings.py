"""The page of a room's recordings: who finds which, and what is done with them there."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from portal.clock import now
from portal.db import session, transaction
from portal.media.models import Recording, RecordingVisibility
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.providers import registry
from portal.providers.base import RecordingState
from tests.cast import Cast, new_recording
from tests.providers.standin.adapter import StandInAdapter


def make(cast: Cast, **about: Any) -> str:
    with cast.app.app_context(), transaction():
        return new_recording(room=cast.room(), **about).id


def page_of(cast: Cast) -> str:
    return f"/manage/rooms/{cast.board}/recordings"


def stored(cast: Cast) -> Recording:
    with cast.app.app_context():
        return session.scalars(sa.select(Recording)).one()


def grant(cast: Cast, *permissions: Permission) -> None:
    """Bob may see the board room, and do this."""
    with cast.app.app_context(), transaction():
        bob = cast.user("bob").uuid
        member = session.scalars(sa.select(RoomMember).where(RoomMember.user_uuid == bob)).one()
        member.permissions = sorted({Permission.ROOM_VIEW, *permissions})


@contextmanager
def held_by_a_service_that_records(cast: Cast) -> Iterator[None]:
    before = [registry.adapter(key) for key in registry.known()]
    registry.fill([*before, StandInAdapter()])
    with cast.app.app_context(), transaction():
        cast.room().subscription.provider.provider_type = StandInAdapter.key
    try:
        yield
    finally:
        registry.fill(before)


def test_a_room_that_nothing_records_has_no_tab_and_says_so_on_the_page(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    assert f'href="{page_of(cast)}"' not in alice.get(f"/manage/rooms/{cast.board}").text
    assert "does not record" in alice.get(page_of(cast)).text


def test_a_room_that_can_be_recorded_has_the_tab(cast: Cast) -> None:
    with held_by_a_service_that_records(cast):
        alice = cast.sign_in("alice")
        assert f'href="{page_of(cast)}"' in alice.get(f"/manage/rooms/{cast.board}").text
        assert "appears here when its service has prepared it" in alice.get(page_of(cast)).text


def test_a_room_with_recordings_has_the_tab_for_whoever_sees_one_of_them(cast: Cast) -> None:
    make(cast)
    room = f"/manage/rooms/{cast.board}"
    assert f'href="{page_of(cast)}"' in cast.sign_in("alice").get(room).text
    assert f'href="{page_of(cast)}"' not in cast.sign_in("bob").get(room).text
    make(cast, visibility=RecordingVisibility.MEMBERS)
    assert f'href="{page_of(cast)}"' in cast.sign_in("bob").get(room).text


def test_a_member_sees_what_is_shared_with_members_and_can_change_nothing(cast: Cast) -> None:
    hidden = make(cast, name="For owners")
    shared = make(cast, name="For members", visibility=RecordingVisibility.MEMBERS)
    bob = cast.sign_in("bob")
    page = bob.get(page_of(cast)).text
    assert "For members" in page
    assert "For owners" not in page
    assert "/deletion" not in page
    assert bob.get(f"{page_of(cast)}/{shared}/formats/0").location == "https://videos.example/1"
    assert bob.get(f"{page_of(cast)}/{hidden}/formats/0").status_code == 404
    assert bob.get(f"{page_of(cast)}/{shared}/edit").status_code == 403


def test_a_member_with_whom_nothing_is_shared_is_told_so(cast: Cast) -> None:
    make(cast)
    assert "Nothing that was recorded here is shared with the members" in cast.sign_in("bob").get(page_of(cast)).text


def test_whoever_may_see_recordings_sees_all_and_manages_none(cast: Cast) -> None:
    make(cast, name="For owners", published=False)
    grant(cast, Permission.RECORDINGS_VIEW)
    page = cast.sign_in("bob").get(page_of(cast)).text
    assert "For owners" in page
    assert "Not published" in page
    assert "/edit" not in page


def test_watching_leads_to_where_it_is_kept_and_to_nothing_else(cast: Cast) -> None:
    made = make(cast)
    alice = cast.sign_in("alice")
    answer = alice.get(f"{page_of(cast)}/{made}/formats/0")
    assert (answer.status_code, answer.location) == (303, "https://videos.example/1")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert alice.get(f"{page_of(cast)}/{made}/formats/1").status_code == 404
    assert alice.get(f"/manage/rooms/{cast.open_house}/recordings/{made}/formats/0").status_code == 404


def test_it_is_renamed_and_shared(cast: Cast) -> None:
    made = make(cast)
    alice = cast.sign_in("alice")
    answer = alice.send(f"{page_of(cast)}/{made}/edit", name="Annual meeting", published="y", visibility="participants")
    assert answer.location == page_of(cast)
    page = alice.get(page_of(cast)).text
    assert "Saved." in page
    assert "Annual meeting" in page
    assert "Owners, members and participants" in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "Fill this in."),
        ({"name": "x", "published": "y"}, "cannot be watched yet"),
        ({"name": "x", "visibility": "everybody"}, "Choose one that is listed."),
    ],
)
def test_a_wrong_form_is_shown_again_with_its_error(cast: Cast, fields: dict[str, str], words: str) -> None:
    made = make(cast, state=RecordingState.PROCESSING, published=False)
    answer = cast.sign_in("alice").send(f"{page_of(cast)}/{made}/edit", **{"visibility": "owner", **fields})
    assert answer.status_code == 422
    assert words in answer.text
    assert stored(cast).name == "Board meeting"


def test_it_is_published_and_unpublished_by_a_press(cast: Cast) -> None:
    made = make(cast, published=False)
    alice = cast.sign_in("alice")
    assert alice.send(f"{page_of(cast)}/{made}/publication", page_of(cast)).location == page_of(cast)
    assert stored(cast).published
    assert "Board meeting is published." in alice.get(page_of(cast)).text
    assert alice.send(f"{page_of(cast)}/{made}/withdrawal", page_of(cast)).location == page_of(cast)
    assert not stored(cast).published


def test_one_that_is_not_ready_is_not_published(cast: Cast) -> None:
    made = make(cast, state=RecordingState.PROCESSING, published=False, formats=[], duration=None, size=None)
    alice = cast.sign_in("alice")
    page = alice.get(page_of(cast)).text
    assert "Being prepared" in page
    assert "/publication" not in page
    assert alice.send(f"{page_of(cast)}/{made}/publication", page_of(cast)).status_code == 422
    assert not stored(cast).published


def test_it_is_deleted_after_a_page_that_says_what_goes(cast: Cast) -> None:
    made = make(cast)
    alice = cast.sign_in("alice")
    asked = alice.get(f"{page_of(cast)}/{made}/deletion").text
    assert "This cannot be undone." in asked
    assert "Board meeting" in asked
    assert alice.send(f"{page_of(cast)}/{made}/deletion").location == page_of(cast)
    page = alice.get(page_of(cast)).text
    assert "Board meeting was deleted." in page
    assert alice.get(f"{page_of(cast)}/{made}/deletion").status_code == 404


def test_what_its_service_does_not_know_yet_or_has_lost_is_said(cast: Cast) -> None:
    make(cast, name="Changed", tell_at=now())
    make(cast, name="Lost", missed_at=now())
    make(cast, name="Broken", state=RecordingState.FAILED, published=False)
    page = cast.sign_in("alice").get(page_of(cast)).text
    for words in ("is being told", "does not list it at the moment", "could not prepare it"):
        assert page.count(words) == 1, words


def test_when_it_will_be_deleted_is_said(cast: Cast) -> None:
    make(cast, expires_at=now() + timedelta(days=3))
    assert "Will be deleted:" in cast.sign_in("alice").get(page_of(cast)).text


def test_many_are_shown_page_by_page(cast: Cast) -> None:
    for number in range(27):
        make(cast, name=f"Number {number:02}")
    alice = cast.sign_in("alice")
    first = alice.get(page_of(cast)).text
    assert "Number 26" in first
    assert "Number 01" not in first
    following = first.partition(f'href="{page_of(cast)}?after=')[2].partition('"')[0]
    rest = alice.get(f"{page_of(cast)}?after={following}").text
    assert "Number 01" in rest
    assert "Number 26" not in rest


def test_the_audit_of_a_room_tells_what_was_done(cast: Cast) -> None:
    made = make(cast)
    cast.sign_in("alice").send(f"{page_of(cast)}/{made}/edit", name="Annual", published="y", visibility="members")
    page = cast.sign_in("admin").get("/admin/audit").text
    assert "Recording changed" in page
    assert "Annual" in page
