"""The guest's door: links, cookies, codes, and what GET never does."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.admission.automatic_tokens import sweep_automatic
from portal.admission.models import AccessCode, RoomToken
from portal.admission.tokens import pause_token, revoke_token
from portal.clock import now
from portal.db import session, transaction
from portal.people.actor import actor_of
from portal.rooms.models import Role, RoomStatusWord
from portal.rooms.operations import trash_room
from portal.status.models import Participation
from portal.status.runs import end_session
from portal.subscriptions.models import SubscriptionFeature, SubscriptionStatus
from tests.cast import CODE, Cast, csrf_of


def test_a_link_becomes_a_cookie_of_the_room_and_a_clean_address(cast: Cast) -> None:
    guest = cast.browser()
    answer = guest.get(cast.links[Role.GUEST])
    assert answer.status_code == 303
    assert answer.location == cast.board_path
    cookie = answer.headers["Set-Cookie"]
    assert f"Path=/rooms/{cast.board}" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert urlsplit(cast.links[Role.GUEST]).query.removeprefix("token=") not in cookie
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    page = guest.get(answer.location)
    assert "Alice Moreau invites you to" in page.text
    assert "Your name" in page.text
    assert "Access code" not in page.text


def test_a_wrong_slug_is_corrected_in_the_same_redirect(cast: Cast) -> None:
    guest = cast.browser()
    token = urlsplit(cast.links[Role.GUEST]).query
    assert guest.get(f"/rooms/{cast.board}/what-ever?{token}").location == cast.board_path
    assert cast.browser().get(f"/rooms/{cast.board}?{token}").location == cast.board_path
    assert cast.browser().get(f"/rooms/{cast.open_house}").location == cast.open_path


def test_strangers_cannot_tell_a_private_room_from_none(cast: Cast) -> None:
    answers = [
        cast.browser().get(path)
        for path in (
            cast.board_path,
            f"/rooms/{cast.board}",
            f"/rooms/{cast.board}/other",
            "/rooms/1111111111/board-meeting",
            f"{cast.board_path}?token=rt_nonsense",
            f"{cast.board_path}?token={'rt_' + 'A' * 38}",
        )
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1


def test_a_bad_link_to_a_public_room_says_so_and_offers_to_join(cast: Cast) -> None:
    answer = cast.browser().get(f"{cast.open_path}?token=rt_nonsense")
    assert answer.status_code == 404
    assert "The link you followed is not right" in answer.text
    assert ">Join<" in answer.text


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t[:-1],
        lambda t: t.replace("rt_", "rt%00"),
        lambda t: t.swapcase(),
        lambda t: t[:10] + t[11:],
        lambda t: t[:10] + ("A" if t[10] != "A" else "B") + t[11:],
    ],
)
def test_a_token_altered_or_cut_opens_nothing(cast: Cast, spoil: Callable[[str], str]) -> None:
    path, _, token = cast.links[Role.GUEST].partition("?token=")
    assert cast.browser().get(f"{path}?token={spoil(token)}").status_code == 404


def test_a_token_opens_one_room_only(cast: Cast) -> None:
    token = urlsplit(cast.links[Role.MODERATOR]).query
    assert cast.browser().get(f"{cast.open_path}?{token}").status_code == 404


def test_a_second_link_replaces_the_first_and_says_so(cast: Cast) -> None:
    guest = cast.follow(Role.GUEST)
    again = guest.get(cast.links[Role.ATTENDEE])
    assert again.location == f"{cast.board_path}?replaced=1"
    page = guest.get(again.location)
    assert "replaces the one you used" in page.text
    assert "Access code" in page.text


def test_get_and_head_change_nothing(cast: Cast, app: Flask) -> None:
    guest = cast.follow(Role.GUEST)
    guest.get(cast.board_path)
    guest.head(cast.board_path)
    guest.head(cast.links[Role.GUEST])
    with app.app_context():
        token = cast.token(Role.GUEST)
        assert (token.last_usage, token.use_count) == (None, 0)
        assert session.scalar(sa.select(sa.func.count()).select_from(Participation)) == 0


def test_join_sets_last_usage_counts_and_leads_to_the_player(cast: Cast, app: Flask) -> None:
    guest = cast.join(Role.ATTENDEE, name="Zoë", code="demo2026")
    player = guest.get(f"/rooms/{cast.board}/-/conference")
    assert player.status_code == 200
    assert 'data-name="Zoë"' in player.text
    assert 'data-role="attendee"' in player.text
    with app.app_context():
        token, code = cast.token(Role.ATTENDEE), session.scalars(sa.select(AccessCode)).one()
        assert token.last_usage is not None
        assert (token.use_count, code.use_count) == (1, 1)
        assert code.last_usage is not None
        stay = session.scalars(sa.select(Participation)).one()
        assert (stay.name, stay.role, stay.token_uuid) == ("Zoë", Role.ATTENDEE, token.uuid)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("", "needs an access code"),
        ("WRONG-CODE", "does not fit this link"),
        ("x" * 5000, "does not fit this link"),
        ("\x00\x00", "Remove the invisible characters"),
    ],
)
def test_a_wrong_code_is_said_beside_the_field_and_nothing_is_lost(cast: Cast, code: str, words: str) -> None:
    guest = cast.follow(Role.ATTENDEE)
    answer = guest.send(cast.board_path, name="Gus", code=code)
    assert answer.status_code == 422
    assert words in answer.text
    assert 'id="error-code"' in answer.text
    assert 'value="Gus"' in answer.text


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\x00b", "safe\u202egpj"])
def test_a_name_that_cannot_be_one_is_said_beside_the_field(cast: Cast, name: str) -> None:
    answer = cast.follow(Role.GUEST).send(cast.board_path, name=name)
    assert answer.status_code == 422
    assert 'id="error-name"' in answer.text


def test_a_code_of_another_role_does_not_help(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        session.scalars(sa.select(AccessCode)).one().role = Role.MODERATOR
    assert cast.follow(Role.ATTENDEE).send(cast.board_path, name="Gus").status_code == 303
    assert cast.follow(Role.MODERATOR).send(cast.board_path, name="Mo", code="nope").status_code == 422


def test_when_all_codes_of_a_role_have_expired_nobody_of_it_enters(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        session.scalars(sa.select(AccessCode)).one().expires_at = now() - timedelta(days=1)
    assert cast.follow(Role.ATTENDEE).send(cast.board_path, name="Gus", code=CODE).status_code == 422
    assert "attendee links let nobody in" in cast.sign_in("alice").get(f"/manage/rooms/{cast.board}").text


def test_a_lecture_hall_behind_one_address_enters_a_public_room(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        subscription_uuid = cast.room(cast.open_house).subscription_uuid
        session.get_one(SubscriptionFeature, (subscription_uuid, "max_participants")).number = 64
    answers = [cast.browser().send(cast.open_path, name=f"Student {number}") for number in range(65)]
    assert [answer.status_code for answer in answers] == [303] * 64 + [403]
    assert "full" in answers[-1].text


def test_a_flood_of_wrong_codes_does_not_keep_a_known_moderator_out(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        session.scalars(sa.select(AccessCode)).one().role = Role.MODERATOR
    known = cast.join(Role.MODERATOR, name="Mo", code=CODE)
    for number in range(40):
        other = cast.follow(Role.MODERATOR)
        other.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
        answer = other.send(cast.board_path, name="Eve", code=f"guess {number}")
    assert "Too many tries" in answer.text
    assert known.send(cast.board_path, name="Mo", code=CODE).status_code == 303


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda token, by: setattr(token, "expires_at", now() - timedelta(days=1)), "This link has expired"),
        (lambda token, by: revoke_token(token, by=by), "This link no longer works"),
        (lambda token, by: pause_token(token, by=by), "This link is paused"),
        (lambda token, by: _use_up(token), "used up"),
    ],
)
def test_a_link_that_ended_says_so_and_what_to_do_without_the_rooms_name(
    cast: Cast, app: Flask, spoil: Callable[[Any, Any], object], words: str
) -> None:
    guest = cast.follow(Role.GUEST)
    form = csrf_of(guest.get(cast.board_path).text)
    with app.app_context(), transaction():
        spoil(cast.token(Role.GUEST), actor_of(cast.user("alice")))
    page = guest.get(cast.board_path)
    assert words in page.text
    assert "sk whoever sent it" in page.text or "ask whoever sent it" in page.text
    assert "Board meeting" not in page.text
    assert guest.post(cast.board_path, data={"csrf_token": form, "name": "Gus"}).status_code in {403, 422}
    with app.app_context():
        assert session.scalar(sa.select(sa.func.count()).select_from(Participation)) == 0


def test_what_is_wrong_with_the_plan_is_told_to_owners_only(cast: Cast, app: Flask) -> None:
    guest = cast.follow(Role.GUEST)
    with app.app_context(), transaction():
        cast.room().subscription.status = SubscriptionStatus.SUSPENDED
    page = guest.get(cast.board_path).text
    assert "not available right now" in page
    assert "ubscription" not in page
    test = cast.sign_in("alice").get(f"/manage/rooms/{cast.board}/links/{cast.link_ids[Role.GUEST]}/test").text
    assert "The subscription is not active, or its time is over" in test


def test_a_link_that_opens_later_makes_people_wait(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        cast.token(Role.GUEST).not_before = now() + timedelta(minutes=12)
    page = cast.follow(Role.GUEST).get(cast.board_path)
    assert "Keep this page open" in page.text
    assert '<noscript><meta http-equiv="refresh"' in page.text  # with scripts the page looks again by itself
    assert ">Join<" not in page.text


def test_a_full_room_says_so_and_keeps_the_name(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        cast.room().room_features = {"max_participants": 1}
    first = cast.join(Role.GUEST, name="First")
    second = cast.follow(Role.GUEST)
    answer = second.send(cast.board_path, name="Second")
    assert answer.status_code == 403
    assert "full" in answer.text
    assert first.send(cast.board_path, name="First").status_code == 303  # the same device takes over its place


def test_a_personal_link_fixes_the_name_on_the_server(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        cast.token(Role.GUEST).person = "Maximiliane"
    guest = cast.join(Role.GUEST, name="Somebody else")
    assert 'data-name="Maximiliane"' in guest.get(f"/rooms/{cast.board}/-/conference").text


def test_a_public_room_gives_each_device_one_guest_link_on_join(cast: Cast, app: Flask) -> None:
    guest = cast.browser()
    guest.get(cast.open_path)
    assert _automatic(app) == []
    for _ in range(2):
        assert guest.send(cast.open_path, name="Pat").status_code == 303
    first = _automatic(app)
    assert len(first) == 1
    assert now() + timedelta(hours=23) < (first[0].expires_at or now()) < now() + timedelta(hours=25)
    assert cast.browser().send(cast.open_path, name="Sam").status_code == 303
    assert len(_automatic(app)) == 2
    with app.app_context(), transaction():
        session.execute(sa.update(RoomToken).where(RoomToken.automatic).values(expires_at=now() - timedelta(hours=1)))
        assert sweep_automatic() == 0  # both are in by them
        end_session(cast.room(cast.open_house))
        assert sweep_automatic() == 2


def test_a_guest_whose_automatic_link_was_revoked_stays_out(cast: Cast, app: Flask) -> None:
    guest = cast.browser()
    guest.send(cast.open_path, name="Pat")
    with app.app_context(), transaction():
        token = session.scalars(sa.select(RoomToken).where(RoomToken.automatic)).one()
        revoke_token(token, by=actor_of(cast.user("alice")))
    assert "no longer works" in guest.get(cast.open_path).text


def test_when_a_public_room_becomes_private_its_guests_are_strangers(cast: Cast, app: Flask) -> None:
    guest = cast.browser()
    guest.send(cast.open_path, name="Pat")
    with app.app_context(), transaction():
        cast.room(cast.open_house).is_public = False
    assert guest.get(cast.open_path).status_code == 404


def test_a_browser_without_cookies_is_told_so(cast: Cast, app: Flask) -> None:
    guest = cast.browser()
    form = csrf_of(guest.get(cast.open_path).text)
    guest.delete_cookie("admission", path=f"/rooms/{cast.open_house}")
    answer = guest.post(cast.open_path, data={"csrf_token": form, "name": "Pat"})
    assert answer.status_code == 400
    assert "kept no cookie" in answer.text


def test_a_join_form_whose_session_was_lost_comes_back_filled(cast: Cast) -> None:
    guest = cast.follow(Role.GUEST)
    answer = guest.post(cast.board_path, data={"name": "Gus", "csrf_token": "stale"})
    assert answer.status_code == 422
    assert 'value="Gus"' in answer.text


def test_an_inactive_room_or_one_in_the_trash_lets_nobody_in(cast: Cast, app: Flask) -> None:
    guest = cast.follow(Role.GUEST)
    with app.app_context(), transaction():
        cast.room().status = RoomStatusWord.INACTIVE
    assert "not available right now" in guest.get(cast.board_path).text
    with app.app_context(), transaction():
        trash_room(cast.room(), by=actor_of(cast.user("alice")))
    assert guest.get(cast.board_path).status_code == 404


def test_members_enter_without_a_link_and_without_a_code(cast: Cast) -> None:
    for who, role in (("alice", "moderator"), ("bob", "attendee"), ("admin", "moderator")):
        client = cast.sign_in(who)
        assert client.get(cast.board_path).location.endswith("/-/entry")
        assert client.send(f"/rooms/{cast.board}/-/entry").status_code == 303
        assert f'data-role="{role}"' in client.get(f"/rooms/{cast.board}/-/conference").text
    charlie = cast.sign_in("charlie")
    assert charlie.get(cast.board_path).status_code == 404
    assert charlie.send(f"/rooms/{cast.board}/-/entry", page="/me").status_code == 404


def test_a_session_cookie_alone_opens_no_player(cast: Cast) -> None:
    assert cast.sign_in("alice").get(f"/rooms/{cast.board}/-/conference").status_code == 404


def test_an_admission_of_one_room_is_none_for_another(cast: Cast) -> None:
    guest = cast.join(Role.GUEST)
    cookie = guest.get_cookie("admission", path=f"/rooms/{cast.board}")
    assert cookie is not None
    guest.set_cookie("admission", cookie.value, path=f"/rooms/{cast.open_house}")
    assert guest.get(f"/rooms/{cast.open_house}/-/conference").status_code == 404


def test_attendees_wait_for_a_moderator_where_the_room_says_so(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    path = f"/manage/rooms/{cast.board}/settings"
    assert (
        alice.send(path, room_name="Board meeting", slug="board-meeting", active="y", wait_for_host="y").status_code
        == 303
    )
    guest = cast.follow(Role.GUEST)
    assert "The host is not here yet" in guest.get(cast.board_path).text
    assert guest.send(cast.board_path, name="Gus").status_code == 403
    alice.send(f"/rooms/{cast.board}/-/entry")
    assert guest.send(cast.board_path, name="Gus").status_code == 303


def _automatic(app: Flask) -> list[RoomToken]:
    with app.app_context():
        return list(session.scalars(sa.select(RoomToken).where(RoomToken.automatic)))


def _use_up(token: RoomToken) -> None:
    token.max_uses = token.use_count = 1
