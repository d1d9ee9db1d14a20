"""Sharing a room takes one press: links that work are on the room's page, and a new one is shown at once."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.clock import now
from portal.db import session, transaction
from portal.permissions.members import RoomMember
from portal.rooms.models import Role
from tests.cast import Cast


def test_the_rooms_page_has_a_working_link_of_each_role_to_copy(cast: Cast, app: Flask) -> None:
    alice, page = cast.sign_in("alice"), f"/manage/rooms/{cast.board}"
    html = alice.get(page).text
    for role in Role:
        assert f"Copy {role.value} link" in html
        assert f'data-copy="http://127.0.0.1:8000{cast.links[role]}"' in html
    with app.app_context(), transaction():
        cast.token(Role.ATTENDEE).paused_at = now()
        cast.token(Role.GUEST).expires_at = now() - timedelta(seconds=1)
    html = alice.get(page).text
    assert "Copy attendee link" not in html
    assert "Copy guest link" not in html
    assert "Copy moderator link" in html


def test_a_room_without_links_offers_to_make_one(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    made = alice.send("/manage/rooms/new", room_name="Choir")
    page = alice.get(made.location)
    assert "Make an attendee link" in page.text
    new = alice.send(f"{made.location}/links/new", role="attendee", label="Singers")
    assert "Address of the new link" in alice.get(new.location).text
    assert "Copy attendee link" in alice.get(made.location).text


def test_nobody_finds_an_address_that_he_may_not_hand_out(cast: Cast, app: Flask) -> None:
    bob, page = cast.sign_in("bob"), f"/manage/rooms/{cast.board}"
    assert "data-copy" not in bob.get(page).text
    with app.app_context(), transaction():
        session.scalars(sa.select(RoomMember)).one().permissions = ["room:view", "tokens:view"]
    html = bob.get(page).text
    assert "Copy attendee link" in html
    assert "Copy moderator link" not in html
    made = f"{page}/links?made={cast.link_ids[Role.MODERATOR]}"
    assert "Address of the new link" not in bob.get(made).text


@pytest.mark.parametrize("kind", ["links", "codes"])
def test_an_end_that_has_passed_is_refused_beside_the_field(cast: Cast, kind: str) -> None:
    alice, path = cast.sign_in("alice"), f"/manage/rooms/{cast.board}/{kind}/new"
    refused = alice.send(path, role="guest", expires_at="2026-01-31T18:30")
    assert refused.status_code == 422
    assert "This has passed. Choose a later time, or leave it empty." in refused.text
    assert 'value="2026-01-31T18:30"' in refused.text


def test_what_has_ended_can_still_be_described_otherwise(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        cast.token(Role.GUEST).expires_at = now().replace(second=0, microsecond=0) - timedelta(days=1)
    alice = cast.sign_in("alice")
    path = f"/manage/rooms/{cast.board}/links/{cast.link_ids[Role.GUEST]}/edit"
    with app.app_context():
        ended = cast.token(Role.GUEST).expires_at
        assert ended is not None
        there = f"{ended:%Y-%m-%dT%H:%M}"
    assert alice.send(path, role="guest", label="Last year", expires_at=there).status_code == 303


def test_hints_name_the_readers_time_zone(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    alice.send("/me", name="Alice Moreau", timezone="America/New_York")
    assert "In your time zone, America/New York." in alice.get(f"/manage/rooms/{cast.board}/links/new").text


def test_who_is_refused_in_a_room_learns_whom_to_ask(cast: Cast) -> None:
    refused = cast.sign_in("bob").get(f"/manage/rooms/{cast.board}/links")
    assert refused.status_code == 403
    assert "Ask its owner, Alice Moreau." in refused.text
    assert "Alice" not in cast.sign_in("charlie").get(f"/manage/rooms/{cast.board}/links").text


def test_a_membership_has_an_end_that_changing_the_rights_leaves_alone(cast: Cast, app: Flask) -> None:
    alice, people = cast.sign_in("alice"), f"/manage/rooms/{cast.board}/people"
    ends = (now() + timedelta(days=3)).replace(second=17, microsecond=0)
    with app.app_context(), transaction():
        member = session.scalars(sa.select(RoomMember)).one()
        member.until, member_id = ends, member.id
    edit = f"{people}/{member_id}/edit"
    form = alice.get(edit).text
    there = f"{ends:%Y-%m-%dT%H:%M}"
    assert f'value="{there}"' in form
    assert alice.send(edit, permissions=["status:view", "tokens:view"], until=there).status_code == 303
    with app.app_context():
        assert session.scalars(sa.select(RoomMember.until)).one() == ends
    assert "until" in alice.get(people).text
    assert alice.send(edit, permissions=["status:view"], until="2026-01-31T18:30").status_code == 422
    assert alice.send(edit, permissions=["status:view"], until="").status_code == 303
    with app.app_context():
        assert session.scalars(sa.select(RoomMember.until)).one() is None


def test_a_link_that_is_not_for_everybody_is_not_offered_to_everybody(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        cast.token(Role.ATTENDEE).max_uses = 5
        cast.token(Role.GUEST).not_before = now() + timedelta(hours=1)
    html = cast.sign_in("alice").get(f"/manage/rooms/{cast.board}").text
    assert "Copy moderator link" in html
    assert "Copy attendee link" not in html
    assert "Copy guest link" not in html


def test_a_name_of_blanks_is_no_name(cast: Cast) -> None:
    refused = cast.sign_in("alice").send("/manage/rooms/new", room_name="   ")
    assert refused.status_code == 422
    assert "Give the room a name." in refused.text
