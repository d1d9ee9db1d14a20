"""Opening a join ticket in a browser: a cookie, one button, and in; once."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.admission.join_tickets import issue_join_ticket
from portal.admission.models import JoinTicket
from portal.admission.tokens import revoke_token
from portal.admission.visitor import Visitor
from portal.clock import now
from portal.db import session, transaction
from portal.people.actor import actor_of
from portal.permissions.members import RoomMember
from portal.rooms.models import Role
from portal.status.models import Participation
from tests.cast import CODE, Cast, csrf_of

Secret = Callable[..., str]


@pytest.fixture
def secret(cast: Cast, app: Flask) -> Secret:
    """Makes join tickets, as the API does: for a link, for a member, or for nobody in a public room."""

    def make(*, role: Role | None = None, member: str = "", room_id: str = "", name: str = "Gus") -> str:
        with app.app_context(), transaction():
            user = cast.user(member) if member else None
            visitor = Visitor(
                token=cast.token(role) if role else None,
                member=actor_of(user) if user else None,
                member_role=Role.ATTENDEE if user else None,
            )
            room = cast.room(room_id or None)
            _, made = issue_join_ticket(room=room, visitor=visitor, name=name, code=CODE, network="192.0.2.1")
            assert made is not None
            return made

    return make


@pytest.fixture
def at(cast: Cast) -> str:
    return f"/rooms/{cast.board}/-/join-tickets"


def people(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        rows = session.execute(sa.select(Participation.name, Participation.role)).all()
        return [(name, role.value) for name, role in rows]


def test_opening_sets_the_cookie_and_the_button_enters(cast: Cast, app: Flask, secret: Secret, at: str) -> None:
    guest = cast.browser()
    opened = guest.get(f"{at}/{secret(role=Role.ATTENDEE)}")
    assert (opened.status_code, opened.location) == (303, at)
    assert f"Path=/rooms/{cast.board}" in opened.headers["Set-Cookie"]
    page = guest.get(at)
    assert "Continue to Board meeting" in page.text
    assert "data-autosubmit" in page.text
    assert "Check camera and microphone" not in page.text
    assert "ccess code" not in page.text
    assert people(app) == []
    entered = guest.post(at, data={"csrf_token": csrf_of(page.text)})
    assert entered.location == f"/rooms/{cast.board}/-/conference"
    assert 'data-name="Gus"' in guest.get(entered.location).text
    assert people(app) == [("Gus", "attendee")]
    with app.app_context():
        token = cast.token(Role.ATTENDEE)
        assert (token.use_count, token.last_usage is not None) == (1, True)


def test_get_and_head_change_nothing_however_often(cast: Cast, app: Flask, secret: Secret, at: str) -> None:
    made = secret(role=Role.GUEST)
    for _ in range(2):
        preview = cast.browser()
        assert preview.head(f"{at}/{made}").status_code == 303
        assert preview.get(f"{at}/{made}").status_code == 303
        assert preview.get(at).status_code == 200
    with app.app_context():
        assert session.scalars(sa.select(JoinTicket)).one().used_at is None
        assert cast.token(Role.GUEST).last_usage is None


def test_it_works_once(cast: Cast, app: Flask, secret: Secret, at: str) -> None:
    made = secret(role=Role.GUEST)
    first, second = cast.browser(), cast.browser()
    for browser in (first, second):
        browser.get(f"{at}/{made}")
    proof = second.token(at)
    assert first.send(at).status_code == 303
    late = second.post(at, data={"csrf_token": proof})
    assert late.status_code == 410
    assert "It works once" in late.text
    for again in (second.get(at), cast.browser().get(f"{at}/{made}")):
        assert again.status_code == 410
        assert "Board meeting" not in again.text
    assert len(people(app)) == 1


def test_it_can_be_opened_for_a_minute_and_pressed_a_while_after(
    cast: Cast, app: Flask, secret: Secret, at: str
) -> None:
    made = secret(role=Role.GUEST)
    opened = cast.browser()
    opened.get(f"{at}/{made}")
    _move(app, timedelta(seconds=61))
    assert cast.browser().get(f"{at}/{made}").status_code == 410
    _move(app, timedelta(minutes=9))
    proof = opened.token(at)
    _move(app, timedelta(minutes=1))
    assert opened.get(at).status_code == 410
    assert opened.post(at, data={"csrf_token": proof}).status_code == 410
    assert people(app) == []


def test_without_an_entry_there_is_nothing_to_find(cast: Cast, secret: Secret, at: str) -> None:
    stranger = cast.browser()
    missing = stranger.get("/rooms/1111111111/-/join-tickets/en_nonsense")
    for path in (
        at,
        f"{at}/en_nonsense",
        f"{at}/{'x' * 500}",
        f"/rooms/{cast.open_house}/-/join-tickets/{secret(role=Role.GUEST)}",
    ):
        answer = stranger.get(path)
        assert (answer.status_code, answer.text) == (404, missing.text)
    assert stranger.post(at, data={"csrf_token": stranger.token()}).status_code == 404


def test_what_happened_in_between_counts(cast: Cast, app: Flask, secret: Secret, at: str) -> None:
    guest = cast.browser()
    guest.get(f"{at}/{secret(role=Role.GUEST)}")
    with app.app_context(), transaction():
        revoke_token(cast.token(Role.GUEST), by=actor_of(cast.user("alice")))
    refused = guest.send(at)
    assert refused.status_code == 403
    assert "no longer works" in refused.text
    assert people(app) == []


def test_who_has_to_wait_tries_again_with_the_same_entry(cast: Cast, app: Flask, secret: Secret, at: str) -> None:
    guest = cast.browser()
    guest.get(f"{at}/{secret(role=Role.GUEST)}")
    with app.app_context(), transaction():
        cast.room().room_settings = {"wait_for_host": True}
    waiting = guest.send(at)
    assert waiting.status_code == 403
    assert "The host is not here yet" in waiting.text
    assert "data-autosubmit" not in waiting.text
    assert "Check camera and microphone" in waiting.text
    assert "js/devices/check.js" not in "".join(re.findall("<script[^>]*>", waiting.text)), "loaded when it is opened"
    cast.join(Role.MODERATOR, name="Mo")
    assert guest.send(at).status_code == 303


def test_a_member_enters_with_the_rights_that_he_has_now(cast: Cast, app: Flask, secret: Secret, at: str) -> None:
    browser = cast.browser()
    browser.get(f"{at}/{secret(member='bob')}")
    with app.app_context(), transaction():
        session.scalars(sa.select(RoomMember)).one().permissions = ["room:view", "room:moderate"]
    assert browser.send(at).status_code == 303
    assert people(app) == [("Bob Fischer", "moderator")]
    assert browser.get(f"/rooms/{cast.board}/-/conference").status_code == 200
    assert browser.get("/manage/rooms").status_code == 303  # it signs nobody in


@pytest.mark.parametrize("spoil", ["membership", "user"])
def test_who_stops_being_a_member_is_out_and_learns_so(
    cast: Cast, app: Flask, secret: Secret, at: str, spoil: str
) -> None:
    browser, late = cast.browser(), cast.browser()
    browser.get(f"{at}/{secret(member='bob')}")
    late.get(f"{at}/{secret(member='bob')}")
    browser.send(at)
    with app.app_context(), transaction():
        if spoil == "membership":
            session.execute(sa.delete(RoomMember))
        else:
            cast.user("bob").deactivated_at = now()
    left = browser.get(f"/rooms/{cast.board}/-/conference")
    words = "no longer a member of this room" if spoil == "membership" else "no longer in the room"
    page = browser.get(left.location).text
    assert words in page
    assert "Rejoin" not in page
    assert browser.get(cast.board_path).status_code == 404
    refused = late.send(at)
    assert refused.status_code == 403
    assert "Board meeting" not in refused.text


def test_an_entry_replaces_nothing_until_it_is_used(cast: Cast, app: Flask, secret: Secret, at: str) -> None:
    guest = cast.follow(Role.GUEST)
    guest.get(f"{at}/{secret(role=Role.ATTENDEE, name='Fay')}")
    assert "Access code" not in guest.get(cast.board_path).text  # still the guest link's door
    guest.send(at)
    assert people(app) == [("Fay", "attendee")]
    assert "Access code" in guest.get(cast.board_path).text


def test_a_public_room_gives_its_guest_a_link_then(cast: Cast, app: Flask, secret: Secret) -> None:
    at = f"/rooms/{cast.open_house}/-/join-tickets"
    guest = cast.browser()
    guest.get(f"{at}/{secret(room_id=cast.open_house, name='Pat')}")
    assert guest.send(at).status_code == 303
    assert people(app) == [("Pat", "guest")]


def _move(app: Flask, by: timedelta) -> None:
    """Time goes by: the entry's does."""
    with app.app_context(), transaction():
        entry: Any = session.scalars(sa.select(JoinTicket)).one()
        entry.expires_at -= by
