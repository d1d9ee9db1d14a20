"""Rotating a link on its page, and what those see who open the old one."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.admission.models import RoomToken
from portal.admission.tokens import revoke_token
from portal.clock import now
from portal.db import session, transaction
from portal.people.actor import actor_of
from portal.permissions.members import RoomMember
from portal.rooms.models import Role
from portal.status.operations import present_participations
from tests.cast import Cast, Client


@pytest.fixture
def alice(cast: Cast) -> Client:
    return cast.sign_in("alice")


def rotate(cast: Cast, alice: Client, grace: str) -> str:
    """The address of the new link, below the host."""
    answer = alice.send(f"/manage/rooms/{cast.board}/links/{cast.link_ids[Role.GUEST]}/rotation", grace=grace)
    assert answer.status_code == 303, answer.text
    fresh = answer.location.rsplit("made=", 1)[1]
    with cast.app.app_context():
        token = session.scalars(sa.select(RoomToken).where(RoomToken.id == fresh)).one()
        return f"{cast.board_path}?token={token.token}"


def test_the_menu_offers_it_and_the_page_asks_how_long_the_old_one_works(cast: Cast, alice: Client) -> None:
    path = f"/manage/rooms/{cast.board}/links"
    assert f'href="{path}/{cast.link_ids[Role.GUEST]}/rotation"' in alice.get(path).text
    form = alice.get(f"{path}/{cast.link_ids[Role.GUEST]}/rotation").text
    assert re.findall(r'<option[^>]*value="(\d+)"', form) == ["0", "3600", "86400", "604800"]


def test_the_old_link_shows_the_new_one_while_it_works(cast: Cast, alice: Client) -> None:
    fresh = rotate(cast, alice, "3600")
    assert "The old one shows it to whoever opens it, until" in alice.get(f"/manage/rooms/{cast.board}/links").text
    guest = cast.follow(Role.GUEST)
    page = guest.get(cast.board_path).text
    assert "Save the new link" in page
    assert f'value="http://127.0.0.1:8000{fresh}"' in page
    assert guest.send(cast.board_path, name="Gus").status_code == 303
    other = cast.browser()
    assert other.get(fresh).status_code == 303
    assert "Save the new link" not in other.get(cast.board_path).text


def test_afterwards_it_says_that_it_was_replaced(cast: Cast, app: Flask, alice: Client) -> None:
    fresh = rotate(cast, alice, "3600")
    with app.app_context(), transaction():
        cast.token(Role.GUEST).grace_until = now() - timedelta(seconds=1)
    page = cast.follow(Role.GUEST).get(cast.board_path).text
    assert "This link was replaced" in page
    assert "Board meeting" not in page
    assert fresh.partition("=")[2] not in page
    assert cast.browser().get(fresh).status_code == 303


def test_at_once_means_at_once(cast: Cast, alice: Client) -> None:
    guest = cast.follow(Role.GUEST)
    proof = guest.token(cast.board_path)
    rotate(cast, alice, "0")
    assert "This link was replaced" in guest.get(cast.board_path).text
    answer = guest.post(cast.board_path, data={"csrf_token": proof, "name": "Gus"})
    assert answer.status_code == 403


def test_the_ledger_and_the_test_say_what_became_of_it(cast: Cast, app: Flask, alice: Client) -> None:
    path = f"/manage/rooms/{cast.board}/links"
    rotate(cast, alice, "86400")
    ledger = alice.get(path).text
    assert re.search(r"state-wait\"><svg.*?</svg>Replaced", ledger, re.S)
    assert ledger.count("Copy guest link Press") == 1
    assert ledger.count("/rotation") == 3  # of the new link, and of the two others
    test = f"{path}/{cast.link_ids[Role.GUEST]}/test"
    assert "Was replaced, and works for a while" in alice.get(test).text
    with app.app_context(), transaction():
        cast.token(Role.GUEST).grace_until = now()
    assert re.search(r"state-off\"><svg.*?</svg>Replaced", alice.get(path).text, re.S)
    assert "The link was replaced by a new one" in alice.get(test).text


def test_a_revoked_new_link_is_not_given_out(cast: Cast, app: Flask, alice: Client) -> None:
    rotate(cast, alice, "3600")
    with app.app_context(), transaction():
        fresh = cast.token(Role.GUEST).rotated_to
        assert fresh is not None
        revoke_token(fresh, by=actor_of(cast.user("alice")))
    assert "Save the new link" not in cast.follow(Role.GUEST).get(cast.board_path).text


def says(cast: Cast) -> str:
    """What the old link's page shows to somebody who comes now."""
    return cast.follow(Role.GUEST).get(cast.board_path).text


def test_closing_the_new_link_closes_the_way_in_and_undoing_opens_it(cast: Cast, alice: Client) -> None:
    fresh = rotate(cast, alice, "3600").partition("=")[2]
    link = f"/manage/rooms/{cast.board}/links/{id_of(cast, fresh)}"
    cast.join(Role.GUEST, name="By the old one")
    for act, undo, words in (
        ("pause", "resumption", "pauses with it"),
        ("revocation", "reinstatement", "ends with it"),
    ):
        page = alice.get(f"{link}/{act}").text
        assert words in page
        assert "1 person is in the room by this link" in page
        assert alice.send(f"{link}/{act}", people="stay").status_code == 303
        assert "Join" not in says(cast), act
        assert alice.send(f"{link}/{undo}", page="/me").status_code == 303
        assert "Save the new link" in says(cast), undo
    assert alice.send(f"{link}/revocation", people="remove").status_code == 303
    with cast.app.app_context():
        assert present_participations(cast.room()) == []


def test_closing_the_old_link_leaves_the_new_one(cast: Cast, alice: Client) -> None:
    address = rotate(cast, alice, "3600")
    old = f"/manage/rooms/{cast.board}/links/{cast.link_ids[Role.GUEST]}"
    assert "ends with it" not in alice.get(f"{old}/revocation").text
    assert alice.send(f"{old}/revocation", people="stay").status_code == 303
    guest = cast.browser()
    assert guest.get(address).status_code == 303
    assert guest.send(cast.board_path, name="Gus").status_code == 303


def test_closing_says_how_many_links_go_with_it(cast: Cast, alice: Client) -> None:
    links = f"/manage/rooms/{cast.board}/links"
    newest = cast.link_ids[Role.GUEST]
    for _ in range(2):
        newest = alice.send(f"{links}/{newest}/rotation", grace="3600").location.rsplit("made=", 1)[1]
    assert (
        "The 2 links that it replaced still work; they end with it." in alice.get(f"{links}/{newest}/revocation").text
    )


def test_what_was_paused_by_itself_stays_paused(cast: Cast, alice: Client) -> None:
    fresh = rotate(cast, alice, "3600").partition("=")[2]
    links = f"/manage/rooms/{cast.board}/links"
    for one in (cast.link_ids[Role.GUEST], id_of(cast, fresh)):
        assert "still work" not in alice.get(f"{links}/{one}/pause").text  # at the new one's turn, the old is paused
        assert alice.send(f"{links}/{one}/pause", people="stay").status_code == 303
    assert alice.send(f"{links}/{id_of(cast, fresh)}/resumption", page="/me").status_code == 303
    with cast.app.app_context():
        assert cast.token(Role.GUEST).paused_at is not None
    assert re.search(r"state-off\"><svg.*?</svg>Replaced", alice.get(links).text, re.S)


def test_who_may_not_moderate_opens_no_moderators_old_link_with_a_new_one(
    cast: Cast, app: Flask, alice: Client
) -> None:
    links = f"/manage/rooms/{cast.board}/links"
    fresh = alice.send(f"{links}/{cast.link_ids[Role.MODERATOR]}/rotation", grace="3600").location.rsplit("made=", 1)[1]
    assert alice.send(f"{links}/{fresh}/edit", role="guest").status_code == 303
    assert alice.send(f"{links}/{fresh}/revocation", people="stay").status_code == 303
    with app.app_context(), transaction():
        session.scalars(sa.select(RoomMember)).one().permissions = ["room:view", "tokens:view", "tokens:manage"]
    assert cast.sign_in("bob").send(f"{links}/{fresh}/reinstatement", page="/me").status_code == 303
    with app.app_context():
        assert cast.token(Role.MODERATOR).revoked_at is not None
        assert session.scalars(sa.select(RoomToken).where(RoomToken.id == fresh)).one().revoked_at is None


def id_of(cast: Cast, text: str) -> str:
    with cast.app.app_context():
        return next(one.id for one in session.scalars(sa.select(RoomToken)) if one.token == text)


@pytest.mark.parametrize("role", Role)
def test_a_new_link_that_was_raised_since_is_not_given_out(cast: Cast, app: Flask, alice: Client, role: Role) -> None:
    """The old link is the attendees': it shows one for attendees or guests."""
    path = f"/manage/rooms/{cast.board}/links/{cast.link_ids[Role.ATTENDEE]}/rotation"
    fresh = alice.send(path, grace="3600").location.rsplit("made=", 1)[1]
    changed = alice.send(f"/manage/rooms/{cast.board}/links/{fresh}/edit", role=role.value, label="Raised")
    assert changed.status_code == 303
    page = cast.follow(Role.ATTENDEE).get(cast.board_path).text
    with app.app_context():
        text = session.scalars(sa.select(RoomToken).where(RoomToken.id == fresh)).one().token
    assert (text in page) is ("Save the new link" in page) is (role is not Role.MODERATOR)


def test_rotating_twice_and_nonsense_are_refused_in_words(cast: Cast, alice: Client) -> None:
    path = f"/manage/rooms/{cast.board}/links/{cast.link_ids[Role.GUEST]}/rotation"
    assert alice.send(path, grace="99").status_code == 422
    assert alice.send(path, grace="").status_code == 422
    rotate(cast, alice, "3600")
    again = alice.send(path, grace="3600")
    assert again.status_code == 409
    assert "Rotate the new one" in again.text
