"""Replacing a link: the new one has the same description, the old one works for a while and says so."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.admission.models import RoomToken
from portal.admission.tokens import change_token, pause_token, resume_token, revoke_token, rotate_token
from portal.audit.models import AuditEvent
from portal.clock import now
from portal.db import session
from portal.errors import Conflict, Invalid
from portal.people.actor import actor_of
from portal.rooms.models import Role
from tests.admission.test_races import RACERS, race
from tests.cast import Cast
from tests.conftest import BOTH

HOUR = timedelta(hours=1)


@pytest.fixture
def token(cast: Cast, in_app: None) -> RoomToken:
    return cast.token(Role.GUEST)


def test_the_new_link_has_the_same_description(cast: Cast, token: RoomToken) -> None:
    token.person, token.max_uses, token.use_count = "Jun", 5, 2
    token.not_before, token.expires_at = now() - HOUR, now() + 9 * HOUR
    fresh = rotate_token(token, room=cast.room(), by=actor_of(cast.user("alice")), grace=HOUR)
    for name in ("room_uuid", "role", "label", "person", "not_before", "expires_at", "max_uses", "use_count"):
        assert getattr(fresh, name) == getattr(token, name), name
    assert fresh.token != token.token
    assert fresh.last_usage is None
    assert token.rotated_to == fresh
    session.commit()
    assert session.scalar(sa.select(sa.func.count()).where(AuditEvent.action == "token.rotated")) == 1


def test_the_old_one_works_until_its_grace_is_over(cast: Cast, token: RoomToken) -> None:
    rotate_token(token, room=cast.room(), by=actor_of(cast.user("alice")), grace=HOUR)
    assert token.replaced
    assert not token.expired(now())
    assert token.expired(now() + HOUR)


def test_a_grace_longer_than_its_own_end_makes_nothing_longer(cast: Cast, token: RoomToken) -> None:
    token.expires_at = now() + HOUR
    rotate_token(token, room=cast.room(), by=actor_of(cast.user("alice")), grace=timedelta(days=7))
    assert token.ends_at == token.expires_at


def test_without_grace_it_ends_at_once(cast: Cast, token: RoomToken) -> None:
    rotate_token(token, room=cast.room(), by=actor_of(cast.user("alice")), grace=timedelta(0))
    assert token.expired(now())


def test_a_pause_goes_over_to_the_new_link(cast: Cast, token: RoomToken) -> None:
    alice, room = actor_of(cast.user("alice")), cast.room()
    pause_token(token, by=alice)
    fresh = rotate_token(token, room=room, by=alice, grace=HOUR)
    assert fresh.paused_at is not None
    resume_token(fresh, room=room, by=alice)
    assert fresh.paused_at is None
    assert token.paused_at is not None  # somebody closed it for itself, and nobody has opened it


@BOTH
@pytest.mark.usefixtures("in_app")
def test_a_limit_of_uses_is_one_for_all_links_of_a_way(cast: Cast) -> None:
    alice, token = actor_of(cast.user("alice")), cast.token(Role.GUEST)
    token.max_uses = 2
    second = rotate_token(token, room=cast.room(), by=alice, grace=HOUR)
    third = rotate_token(second, room=cast.room(), by=alice, grace=HOUR)
    session.commit()
    addresses = [f"{cast.board_path}?token={link.token}" for link in (token, third, second)]
    for number, address in enumerate(addresses[:2]):
        browser = cast.browser()
        browser.get(address)
        assert browser.send(cast.board_path, name=f"Gus {number}").status_code == 303
    late = cast.browser()
    assert "This link has been used up" in late.get(addresses[2], follow_redirects=True).text
    counts = sa.select(RoomToken.use_count).where(RoomToken.max_uses == 2)
    assert session.scalars(counts).all() == [2, 2, 2]


@pytest.mark.parametrize("grace", [timedelta(seconds=-1), timedelta(days=31)])
def test_a_grace_that_makes_no_sense_is_refused(cast: Cast, token: RoomToken, grace: timedelta) -> None:
    with pytest.raises(Invalid) as refused:
        rotate_token(token, room=cast.room(), by=actor_of(cast.user("alice")), grace=grace)
    assert set(refused.value.fields) == {"grace"}


def test_what_has_ended_cannot_be_rotated_nor_what_was_replaced_be_changed(cast: Cast, token: RoomToken) -> None:
    alice = cast.user("alice")
    rotate_token(token, room=cast.room(), by=actor_of(alice), grace=HOUR)
    with pytest.raises(Conflict):
        rotate_token(token, room=cast.room(), by=actor_of(alice), grace=HOUR)
    with pytest.raises(Conflict):
        change_token(token, room=cast.room(), by=actor_of(alice), role=Role.MODERATOR)
    revoked, expired = cast.token(Role.MODERATOR), cast.token(Role.ATTENDEE)
    revoke_token(revoked, by=actor_of(alice))
    expired.expires_at = now() - HOUR
    session.flush()
    for ended in (revoked, expired):
        with pytest.raises(Conflict):
            rotate_token(ended, room=cast.room(), by=actor_of(alice), grace=HOUR)


@BOTH
def test_of_twenty_who_rotate_at_once_one_makes_a_link(app: Flask, cast: Cast) -> None:
    def rotate(_n: int) -> RoomToken:
        return rotate_token(cast.token(Role.GUEST), room=cast.room(), by=actor_of(cast.user("alice")), grace=HOUR)

    results = race(app, rotate)
    assert sum(isinstance(one, RoomToken) for one in results) == 1
    assert sum(isinstance(one, Conflict) for one in results) == RACERS - 1
    with app.app_context():
        assert session.scalar(sa.select(sa.func.count()).select_from(RoomToken)) == 4
