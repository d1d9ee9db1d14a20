"""Testing a link: owners read there what visitors read at the door, word for word."""

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.admission.codes import create_code
from portal.admission.models import AccessCode
from portal.clock import now
from portal.db import session, transaction
from portal.people.actor import actor_of
from portal.rooms.models import Role
from portal.throttling import ThrottleBucket
from tests.api.conftest import NewProgram, program
from tests.cast import CODE, Cast, csrf_of

__all__ = ["program"]

MINUTE = timedelta(minutes=1)


@pytest.fixture
def path(cast: Cast) -> str:
    return f"/manage/rooms/{cast.board}/links/{cast.link_ids[Role.GUEST]}/test"


@pytest.mark.parametrize(
    ("how", "title"),
    [
        ({}, None),
        ({"paused_at": -MINUTE}, "This link is paused"),
        ({"revoked_at": -MINUTE}, "This link no longer works"),
        ({"expires_at": -MINUTE}, "This link has expired"),
        ({"max_uses": 1, "use_count": 1}, "This link has been used up"),
        ({"not_before": 90 * MINUTE}, None),
    ],
)
def test_who_tests_a_link_reads_what_a_visitor_reads(
    cast: Cast, app: Flask, path: str, how: dict[str, Any], title: str | None
) -> None:
    guest = cast.follow(Role.GUEST)
    with app.app_context(), transaction():
        for name, value in how.items():
            setattr(cast.token(Role.GUEST), name, now() + value if isinstance(value, timedelta) else value)
    test = cast.sign_in("alice").get(path).text
    said = re.findall(r"<p>(.+?)</p>", test.partition("A visitor reads")[2].partition("</blockquote>")[0])
    page = guest.get(cast.board_path).text
    if title is None:
        assert said[-1] in page
    else:
        assert said[0] == f"<b>{title}</b>"
        assert f'class="invite">{said[1]}</p>' in page


def test_where_all_codes_of_the_role_have_expired_test_door_and_program_say_that_nobody_gets_in(
    cast: Cast, app: Flask, program: NewProgram
) -> None:
    with app.app_context(), transaction():
        token = cast.token(Role.ATTENDEE)
        text, test = token.token, f"/manage/rooms/{cast.board}/links/{token.id}/test"
        session.execute(sa.update(AccessCode).values(expires_at=now() - MINUTE))
    tested = cast.sign_in("alice").get(test).text
    assert "Lets nobody in" in tested
    assert "All codes of this role have expired" in tested
    title, words = re.findall(r"<p>(.+?)</p>", tested.partition("A visitor reads")[2].partition("</blockquote>")[0])
    attendee = cast.follow(Role.ATTENDEE)
    page = attendee.get(cast.board_path).text
    assert title == "<b>No access code is valid right now</b>"
    assert title.removeprefix("<b>").removesuffix("</b>") in page
    assert f'class="invite">{words}</p>' in page
    decision = program("alice").get(f"/rooms/{cast.board}/access-check?token={text}").json["data"]
    assert (decision["result"], decision["reason"]) == ("refuse", "no valid code")


def test_a_code_typed_where_none_is_valid_any_more_is_refused_and_no_wrong_guess(cast: Cast, app: Flask) -> None:
    attendee = cast.follow(Role.ATTENDEE)
    form = {"csrf_token": csrf_of(attendee.get(cast.board_path).text), "name": "Ann", "code": CODE}
    with app.app_context(), transaction():
        session.execute(sa.update(AccessCode).values(expires_at=now() - MINUTE))
    answer = attendee.post(cast.board_path, data=form)
    assert answer.status_code == 403
    assert "No access code is valid right now" in answer.text
    with app.app_context(), transaction():
        assert session.scalar(sa.select(sa.func.count()).select_from(ThrottleBucket)) == 0
        session.execute(sa.update(AccessCode).values(expires_at=None))
    assert attendee.post(cast.board_path, data=form).status_code == 303


def test_a_second_code_that_is_valid_lets_people_in(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        session.execute(sa.update(AccessCode).values(expires_at=now() - MINUTE))
        create_code(room=cast.room(), role=Role.ATTENDEE, by=actor_of(cast.user("alice")), code="second")
        test = f"/manage/rooms/{cast.board}/links/{cast.token(Role.ATTENDEE).id}/test"
    assert "With a valid code of this role." in cast.sign_in("alice").get(test).text
    cast.join(Role.ATTENDEE, code="second")


def test_who_tests_a_link_reads_that_visitors_wait_or_that_the_room_is_full(cast: Cast, app: Flask, path: str) -> None:
    alice = cast.sign_in("alice")
    with app.app_context(), transaction():
        cast.room().room_settings = {"wait_for_host": True}
        cast.room().room_features = {"max_participants": 1}
    assert "<p>The host is not here yet. Press Join to wait: you come in by yourself" in alice.get(path).text
    cast.join(Role.MODERATOR, name="Mo")
    assert "<p>The room is full. This page tells you when there is a place again.</p>" in alice.get(path).text
