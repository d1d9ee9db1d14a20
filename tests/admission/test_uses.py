"""A link or code with limited uses: for one device and one run it is one use, however the device left."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal import channels
from portal.admission.entering import Declined
from portal.admission.join_tickets import issue_join_ticket
from portal.admission.models import AccessCode, RoomToken
from portal.admission.occupancy import RETURN_TIME
from portal.admission.tokens import rotate_token
from portal.admission.visitor import Visitor
from portal.channels import InProcess
from portal.clock import now
from portal.db import session, transaction
from portal.jobs import loop
from portal.people.actor import actor_of
from portal.rooms.models import Role
from portal.status.arrivals import Place
from portal.status.models import Ending, Participation
from portal.status.operations import leave_session
from portal.status.runs import end_session
from tests.admission.test_races import RACERS, knock, race
from tests.cast import CODE, Cast, Client
from tests.conftest import BOTH


@pytest.fixture
def guest(cast: Cast, app: Flask) -> Client:
    """Somebody alone in the board room, who came by a link with one use."""
    with app.app_context(), transaction():
        cast.token(Role.GUEST).max_uses = 1
    return cast.join(Role.GUEST)


def go_out(cast: Cast, ending: Ending) -> None:
    with cast.app.app_context(), transaction():
        inside = session.scalars(sa.select(Participation).where(Participation.left_at.is_(None))).one()
        leave_session(inside, ending=ending)


def comes_in(cast: Cast, client: Client) -> bool:
    answer = client.get(cast.board_path, follow_redirects=True)
    if "used up" in answer.text:
        return False
    assert client.send(cast.board_path, name="Gus", code=CODE).status_code == 303
    return True


def uses(cast: Cast) -> list[int]:
    with cast.app.app_context():
        limited = sa.select(RoomToken.use_count).where(RoomToken.max_uses.is_not(None))
        return list(session.scalars(limited))


def leave_by_the_button(cast: Cast, guest: Client) -> None:
    path = f"/rooms/{cast.board}/-/conference"
    guest.post(f"{path}/departure", data={"csrf_token": guest.token(path)})


def lose_the_connection(cast: Cast, guest: Client) -> None:
    go_out(cast, Ending.LOST)


def close_the_tab(cast: Cast, guest: Client) -> None:
    path = f"/rooms/{cast.board}/-/conference"
    token = guest.token(path)
    guest.post(f"{path}/presence", json={"tab": "t", "first": True}, headers={"X-CSRFToken": token})
    guest.post(f"{path}/closing", data={"csrf_token": token, "tab": "t"})


def restart_the_server(cast: Cast, guest: Client) -> None:
    channels._channels = InProcess()
    loop.start(cast.app)


def do_nothing(cast: Cast, guest: Client) -> None:
    """The room is opened in another tab."""


@BOTH
@pytest.mark.parametrize(
    "leave", [leave_by_the_button, lose_the_connection, close_the_tab, restart_the_server, do_nothing]
)
def test_who_comes_back_uses_no_link_up_however_he_left(
    cast: Cast, guest: Client, leave: Callable[[Cast, Client], None]
) -> None:
    for _ in range(2):
        leave(cast, guest)
        assert comes_in(cast, guest)
    assert uses(cast) == [1]
    assert not comes_in(cast, cast.follow(Role.GUEST))


@pytest.mark.parametrize("ending", [Ending.LEFT, Ending.LOST])
def test_who_comes_to_a_later_run_uses_the_link_once_more(cast: Cast, guest: Client, ending: Ending) -> None:
    go_out(cast, ending)
    with time_machine.travel(now() + RETURN_TIME + timedelta(seconds=1)):
        assert not comes_in(cast, guest)


def test_a_run_that_was_ended_for_everyone_is_over(cast: Cast, guest: Client) -> None:
    with cast.app.app_context(), transaction():
        end_session(cast.room())
    assert not comes_in(cast, guest)


def test_in_one_run_a_device_may_come_back_at_any_time(cast: Cast, guest: Client) -> None:
    cast.join(Role.MODERATOR, name="Mo")
    leave_by_the_button(cast, guest)
    with time_machine.travel(now() + timedelta(hours=3)):
        assert comes_in(cast, guest)


@BOTH
def test_a_link_that_was_rotated_meanwhile_is_the_same_link(cast: Cast, guest: Client) -> None:
    leave_by_the_button(cast, guest)
    with cast.app.app_context(), transaction():
        alice, room, link = actor_of(cast.user("alice")), cast.room(), cast.token(Role.GUEST)
        for _ in range(2):
            link = rotate_token(link, room=room, by=alice, grace=timedelta(hours=1))
        address = f"{cast.board_path}?token={link.token}"
    guest.get(address)
    assert comes_in(cast, guest)
    assert uses(cast) == [1, 1, 1]
    other = cast.browser()
    other.get(address)
    assert not comes_in(cast, other)


def test_a_code_counts_as_a_link_does(cast: Cast) -> None:
    guest = cast.join(Role.ATTENDEE)
    leave_by_the_button(cast, guest)
    assert comes_in(cast, guest)
    cast.join(Role.ATTENDEE)
    with cast.app.app_context():
        assert session.scalars(sa.select(AccessCode.use_count)).one() == 2


def test_a_join_ticket_lets_a_known_device_back_in_without_another_use(cast: Cast) -> None:
    with cast.app.app_context(), transaction():
        cast.token(Role.GUEST).max_uses = 2
    guest = cast.join(Role.GUEST)
    leave_by_the_button(cast, guest)
    for browser in (guest, cast.browser()):
        with cast.app.app_context(), transaction():
            visitor = Visitor(token=cast.token(Role.GUEST))
            _, secret = issue_join_ticket(room=cast.room(), visitor=visitor, name="Gus", network="192.0.2.1")
        path = f"/rooms/{cast.board}/-/join-tickets"
        browser.get(f"{path}/{secret}")
        assert browser.send(path).status_code == 303
    assert uses(cast) == [2]


@BOTH
def test_of_two_devices_that_press_many_times_at_once_one_gets_in(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        cast.token(Role.GUEST).max_uses = 1
    results = race(app, lambda n: knock(cast.board, cast.link_ids[Role.GUEST], n % 2))
    assert sum(isinstance(one, Declined) for one in results) == RACERS / 2
    assert len({one.id for one in results if isinstance(one, Place)}) == 1
    assert uses(cast) == [1]
