"""Testing a link: owners read there what visitors read at the door, word for word."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from portal.clock import now
from portal.db import transaction
from portal.rooms.models import Role
from tests.cast import Cast

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


def test_who_tests_a_link_reads_that_visitors_wait_or_that_the_room_is_full(cast: Cast, app: Flask, path: str) -> None:
    alice = cast.sign_in("alice")
    with app.app_context(), transaction():
        cast.room().room_settings = {"wait_for_host": True}
        cast.room().room_features = {"max_participants": 1}
    assert "<p>The host is not here yet. Press Join to wait: you come in by yourself" in alice.get(path).text
    cast.join(Role.MODERATOR, name="Mo")
    assert "<p>The room is full. This page tells you when there is a place again.</p>" in alice.get(path).text
