"""The recordings that participants see: whoever would be let in, and with a code only who had the right one."""

from datetime import timedelta
from typing import Any

import pytest

from portal.admission.codes import create_code, delete_code
from portal.admission.queries import codes_of
from portal.admission.tokens import revoke_token
from portal.clock import now
from portal.db import session, transaction
from portal.media.models import RecordingVisibility
from portal.people.actor import actor_of
from portal.providers.base import RecordingState
from portal.rooms.models import Role, RoomStatusWord
from portal.status.models import Ending
from portal.status.operations import close_participations
from portal.subscriptions.granting import set_feature
from tests.cast import CODE, Cast, Client, new_recording
from tests.web.test_recordings import held_by_a_service_that_records

SHARED = "For everybody with a link"


def make(cast: Cast, room_id: str | None = None, **about: Any) -> str:
    fields = {"name": SHARED, "visibility": RecordingVisibility.PARTICIPANTS, **about}
    with cast.app.app_context(), transaction():
        return new_recording(room=cast.room(room_id), **fields).id


def page_of(cast: Cast, room_id: str | None = None) -> str:
    return f"/rooms/{room_id or cast.board}/-/recordings"


def sees(client: Client, cast: Cast, made: str, room_id: str | None = None) -> bool:
    """Whether this browser is shown the recording, and led to it."""
    page = client.get(page_of(cast, room_id))
    watched = client.get(f"{page_of(cast, room_id)}/{made}/formats/0")
    shown = page.status_code == 200 and SHARED in page.text
    assert shown is (watched.location == "https://videos.example/1"), (page.status_code, watched.status_code)
    return shown


def test_whoever_follows_a_link_sees_what_is_shared(cast: Cast) -> None:
    made = make(cast)
    assert sees(cast.follow(Role.GUEST), cast, made)
    assert sees(cast.follow(Role.MODERATOR), cast, made)


@pytest.mark.parametrize(
    "about",
    [
        {"visibility": RecordingVisibility.MEMBERS},
        {"visibility": RecordingVisibility.OWNER},
        {"published": False},
        {"state": RecordingState.PROCESSING},
        {"deleted_at": now()},
    ],
)
def test_nobody_sees_what_is_not_shared_with_participants(cast: Cast, about: dict[str, Any]) -> None:
    made = make(cast, **about)
    guest = cast.follow(Role.GUEST)
    assert not sees(guest, cast, made)
    assert "Nothing is shared here" in guest.get(page_of(cast)).text


def test_a_stranger_finds_no_such_page(cast: Cast) -> None:
    made = make(cast)
    assert not sees(cast.browser(), cast, made)
    assert cast.browser().get(page_of(cast)).status_code == 404
    assert not sees(cast.sign_in("charlie"), cast, made)


def test_whoever_has_a_link_of_one_room_sees_nothing_of_another(cast: Cast) -> None:
    elsewhere = make(cast, cast.open_house)
    assert cast.follow(Role.GUEST).get(f"{page_of(cast)}/{elsewhere}/formats/0").status_code == 404


def test_everybody_sees_what_a_public_room_shares(cast: Cast) -> None:
    made = make(cast, cast.open_house)
    assert sees(cast.browser(), cast, made, cast.open_house)


def test_where_a_code_is_needed_only_who_was_in_with_it_sees_anything(cast: Cast) -> None:
    made = make(cast)
    assert not sees(cast.follow(Role.ATTENDEE), cast, made), "the link alone lets nobody in"
    inside = cast.join(Role.ATTENDEE)
    assert sees(inside, cast, made)
    player = f"/rooms/{cast.board}/-/conference"
    inside.post(f"{player}/departure", data={"csrf_token": inside.token(player)})
    assert sees(inside, cast, made)


@pytest.mark.parametrize("change", ["expired", "of another role", "deleted"])
def test_a_code_that_would_let_nobody_in_any_more_shows_nothing(cast: Cast, change: str) -> None:
    made = make(cast)
    inside = cast.join(Role.ATTENDEE)
    assert sees(inside, cast, made)
    with cast.app.app_context(), transaction():
        room, alice = cast.room(), actor_of(cast.user("alice"))
        create_code(room=room, role=Role.ATTENDEE, by=alice, code="another-one")
        [typed] = [code for code in codes_of(room, Role.ATTENDEE) if code.code == CODE]
        if change == "expired":
            typed.expires_at = now() - timedelta(minutes=1)
        elif change == "of another role":
            typed.role = Role.MODERATOR
        else:
            delete_code(typed, room=room, by=alice)
    assert not sees(inside, cast, made)


def test_a_revoked_link_shows_nothing_any_more(cast: Cast) -> None:
    made = make(cast)
    guest = cast.follow(Role.GUEST)
    with cast.app.app_context(), transaction():
        revoke_token(cast.token(Role.GUEST), by=actor_of(cast.user("alice")))
    assert not sees(guest, cast, made)


def test_whoever_was_removed_sees_nothing_while_he_is_kept_out(cast: Cast) -> None:
    made = make(cast)
    guest, others = cast.join(Role.GUEST), cast.join(Role.MODERATOR)
    assert sees(guest, cast, made)
    with cast.app.app_context(), transaction():
        alice = actor_of(cast.user("alice"))
        close_participations(cast.room().uuid, lambda one: one.role is Role.GUEST, ending=Ending.REMOVED, by=alice)
    assert not sees(guest, cast, made)
    assert sees(others, cast, made)


def test_a_room_in_the_trash_shares_nothing(cast: Cast) -> None:
    made = make(cast)
    guest = cast.join(Role.GUEST)
    with cast.app.app_context(), transaction():
        cast.room().trashed_at = now()
    assert not sees(guest, cast, made)


@pytest.mark.parametrize("shut", ["inactive", "opens later", "expired", "waits for approval"])
def test_who_would_not_be_let_in_is_led_to_the_door(cast: Cast, shut: str) -> None:
    made = make(cast)
    guest = cast.follow(Role.GUEST)
    with cast.app.app_context(), transaction():
        room, token = cast.room(), cast.token(Role.GUEST)
        if shut == "inactive":
            room.status = RoomStatusWord.INACTIVE
        elif shut == "waits for approval":
            room.room_settings = {**room.room_settings, "guest_policy": "ask"}
        else:
            token.not_before = now() + timedelta(hours=1) if shut == "opens later" else None
            token.expires_at = now() - timedelta(hours=1) if shut == "expired" else None
        session.flush()
    assert not sees(guest, cast, made)
    assert guest.get(page_of(cast)).status_code == 303


def test_who_waits_for_the_host_or_finds_the_room_full_sees_what_was_recorded(cast: Cast) -> None:
    made = make(cast)
    guest = cast.follow(Role.GUEST)
    with cast.app.app_context(), transaction():
        cast.room().room_settings = {**cast.room().room_settings, "wait_for_host": True}
    assert sees(guest, cast, made)
    with cast.app.app_context(), transaction():
        cast.room().room_settings = {}
        cast.room().room_features = {"max_participants": 0}
    assert sees(guest, cast, made)


def test_the_page_after_leaving_leads_there_where_the_room_is_recorded(cast: Cast) -> None:
    guest = cast.join(Role.GUEST)
    player = f"/rooms/{cast.board}/-/conference"
    guest.post(f"{player}/departure", data={"csrf_token": guest.token(player)})
    left = f"/rooms/{cast.board}/-/left"
    assert page_of(cast) not in guest.get(left).text, "what holds the room does not record"
    with held_by_a_service_that_records(cast):
        assert page_of(cast) not in guest.get(left).text, "the plan does not grant it"
        with cast.app.app_context(), transaction():
            set_feature(cast.room().subscription, code="recording", value=True)
        assert page_of(cast) in guest.get(left).text
