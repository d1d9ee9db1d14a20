"""Sharing a room takes one press: the link of a role, made if there is none, and all that it needs as one text."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal.admission.issuing import issue_token
from portal.admission.models import AccessCode, RoomToken
from portal.clock import now
from portal.db import session, transaction
from portal.people.actor import actor_of
from portal.permissions.members import RoomMember
from portal.rooms.models import Role
from tests.cast import CODE, Cast, Client


def test_the_rooms_page_has_a_working_link_of_each_role_to_copy(cast: Cast, app: Flask) -> None:
    alice, page = cast.sign_in("alice"), f"/manage/rooms/{cast.board}"
    html = alice.get(page).text
    for role in Role:
        assert f"Copy {role.value} link" in html
        code = f"\nAccess code: {CODE}" if role is Role.ATTENDEE else ""
        assert f'data-copy="http://127.0.0.1:8000{cast.links[role]}{code}"' in html
    with app.app_context(), transaction():
        cast.token(Role.ATTENDEE).paused_at = now()
        cast.token(Role.GUEST).expires_at = now() - timedelta(seconds=1)
    html = alice.get(page).text
    assert "Copy attendee link" not in html
    assert "Copy guest link" not in html
    assert "Copy moderator link" in html


def test_a_room_without_links_gets_one_with_the_first_press_and_no_other_with_the_next(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    room = alice.send("/manage/rooms/new", room_name="Choir").location
    assert "Share makes one and copies it" in alice.get(room).text
    for _press in range(2):
        shown = alice.send(f"{room}/share", page=room, role="attendee")
        assert shown.status_code == 303
        assert "Alice Moreau invites you to “Choir”" in alice.get(shown.location).text
    assert alice.get(f"{room}/links").text.count("Copy attendee link") == 1
    assert "Copy attendee link" in alice.get(room).text


def test_a_link_that_was_made_by_the_form_is_shown_with_all_it_needs(cast: Cast) -> None:
    alice, board = cast.sign_in("alice"), f"/manage/rooms/{cast.board}"
    made = alice.send(f"{board}/links/new", role="attendee", label="Singers")
    text = invitation(alice.get(made.location))
    assert f"Access code: {CODE}" in text
    assert f"http://127.0.0.1:8000{cast.board_path}?token=rt_" in text


def test_nobody_finds_an_address_that_he_may_not_hand_out(cast: Cast, app: Flask) -> None:
    bob, page = cast.sign_in("bob"), f"/manage/rooms/{cast.board}"
    assert "data-copy" not in bob.get(page).text
    with app.app_context(), transaction():
        session.scalars(sa.select(RoomMember)).one().permissions = ["room:view", "tokens:view"]
    html = bob.get(page).text
    assert "Copy attendee link" in html
    assert "Copy moderator link" not in html
    made = f"{page}/links?made={cast.link_ids[Role.MODERATOR]}"
    assert "Copy moderator link" not in bob.get(made).text
    assert cast.links[Role.MODERATOR] not in bob.get(f"{page}/share?role=moderator").text
    assert bob.send(f"{page}/share", page=page, role="moderator").status_code == 403


def invitation(answer: TestResponse) -> str:
    """The text that a page offers to copy."""
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", answer.text, re.S)
    assert found, answer.text
    return unescape(found[1])


def share(client: Client, cast: Cast, role: str = "attendee") -> TestResponse:
    """Press Share as a script does, which shows the answer in place."""
    page = f"/manage/rooms/{cast.board}"
    return client.post(
        f"{page}/share", data={"role": role, "csrf_token": client.token(page)}, headers={"HX-Request": "true"}
    )


def test_all_is_one_text_with_the_times_of_the_link_in_a_zone_that_is_named(cast: Cast, app: Flask) -> None:
    alice = cast.sign_in("alice")
    alice.send("/me", name="Alice Moreau", timezone="Europe/Berlin")
    with app.app_context(), transaction():
        link = cast.token(Role.ATTENDEE)
        link.not_before, link.expires_at = (datetime(2090, 1, day, 13, tzinfo=UTC) for day in (30, 31))
    assert invitation(share(alice, cast)).splitlines() == [
        "Alice Moreau invites you to “Board meeting”",
        "",
        f"http://127.0.0.1:8000{cast.links[Role.ATTENDEE]}",
        f"Access code: {CODE}",
        "Opens: 30 January 2090, 14:00 (Europe/Berlin)",
        "Works until: 31 January 2090, 14:00 (Europe/Berlin)",
    ]


def test_of_several_codes_the_one_goes_along_that_is_valid_for_longest_and_says_how_long(
    cast: Cast, app: Flask
) -> None:
    alice = cast.sign_in("alice")
    with app.app_context(), transaction():
        room = cast.room()
        session.scalars(sa.select(AccessCode)).one().expires_at = now() - timedelta(seconds=1)
        for code, year in (("SOONER", 2090), ("LATER", 2091)):
            ends = datetime(year, 1, 1, tzinfo=UTC)
            session.add(AccessCode(room=room, role=Role.ATTENDEE, code=code, normal=code.lower(), expires_at=ends))
    text = invitation(share(alice, cast))
    assert "Access code: LATER\nWorks until: 1 January 2091, 00:00 (UTC)" in text
    with app.app_context(), transaction():
        session.execute(sa.update(AccessCode).values(expires_at=now() - timedelta(seconds=1)))
    shown = share(alice, cast)
    assert "It asks for an access code, which you get separately." in invitation(shown)
    assert "All codes of this role have expired, so the link lets nobody in." in shown.text


def test_who_may_not_see_codes_is_told_whom_to_ask_and_makes_no_link_without_the_right(cast: Cast, app: Flask) -> None:
    bob = cast.sign_in("bob")
    with app.app_context(), transaction():
        session.scalars(sa.select(RoomMember)).one().permissions = ["room:view", "tokens:view"]
    shown = share(bob, cast)
    assert f"http://127.0.0.1:8000{cast.links[Role.ATTENDEE]}" in invitation(shown)
    assert CODE not in shown.text
    assert "This link asks for an access code, which you may not see. Ask Alice Moreau for it." in shown.text
    assert CODE not in bob.get(f"/manage/rooms/{cast.board}").text
    assert CODE not in bob.get(f"/manage/rooms/{cast.board}/links").text
    with app.app_context(), transaction():
        cast.token(Role.ATTENDEE).paused_at = now()
    refused = share(bob, cast)
    assert refused.status_code == 403
    assert "There is no link of this role, and you may not make one. Ask Alice Moreau." in refused.text


def test_the_link_that_works_now_goes_before_one_that_opens_later_and_that_before_a_new_one(
    cast: Cast, app: Flask
) -> None:
    alice = cast.sign_in("alice")
    with app.app_context(), transaction():
        later = issue_token(
            room=cast.room(), role=Role.GUEST, by=actor_of(cast.user("alice")), not_before=now() + timedelta(days=1)
        ).token
    assert cast.links[Role.GUEST] in invitation(share(alice, cast, "guest"))
    with app.app_context(), transaction():
        cast.token(Role.GUEST).revoked_at = now()
    assert later in invitation(share(alice, cast, "guest"))


def test_the_list_of_rooms_shares_with_the_role_that_fits_the_room(cast: Cast) -> None:
    html = cast.sign_in("alice").get("/manage/rooms").text
    assert re.findall(r'id="share-(\w+)"[^>]*>.*?class="share-role">(\w+)<', html, re.S) == [
        (cast.board, "attendee"),
        (cast.open_house, "guest"),
    ]
    assert "token=" not in html
    assert "share-role" not in cast.sign_in("bob").get("/manage/rooms").text


def test_nothing_is_made_by_looking(cast: Cast, app: Flask) -> None:
    alice = cast.sign_in("alice")
    page = f"/manage/rooms/{cast.open_house}/share"
    assert "Guest: no link yet." in alice.get(page).text
    assert "Attendee: no link yet." in alice.get(f"{page}?role=attendee").text
    assert alice.head(page).status_code == 200
    with app.app_context():
        room = cast.room(cast.open_house)
        assert session.scalars(sa.select(RoomToken).where(RoomToken.room_uuid == room.uuid)).all() == []


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
        cast.token(Role.GUEST).person = "Gus"
    html = cast.sign_in("alice").get(f"/manage/rooms/{cast.board}").text
    assert "Copy moderator link" in html
    assert "Copy attendee link" not in html
    assert "Copy guest link" not in html


def test_a_name_of_blanks_is_no_name(cast: Cast) -> None:
    refused = cast.sign_in("alice").send("/manage/rooms/new", room_name="   ")
    assert refused.status_code == 422
    assert "Give the room a name." in refused.text
