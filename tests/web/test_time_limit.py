"""The time limit of a conversation: said at the door and in it, and named as the reason afterwards, as is every other."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal import channels
from portal.admission.tokens import pause_token, revoke_token
from portal.clock import now
from portal.customers.models import CustomerStatus
from portal.db import session, transaction
from portal.jobs import loop
from portal.people.actor import actor_of
from portal.rooms.models import Role, RoomStatusWord
from portal.status.models import Ending, Participation, RoomSession
from portal.status.operations import leave_session
from portal.status.room_lifecycle import change_room, delete_room
from portal.status.runs import end_session
from portal.subscriptions.models import SubscriptionFeature
from tests.cast import Cast, editable
from tests.web.player import Player


def door(cast: Cast) -> str:
    page = cast.follow(Role.GUEST).get(cast.board_path).text
    found = re.search(r'<p class="door-limit">(.*?)</p>', page, re.S)
    return " ".join(re.sub(r"<.*?>", "", found[1]).split()) if found else ""


def time_up(cast: Cast) -> None:
    with time_machine.travel(now() + timedelta(minutes=60)):
        assert loop.close_overdue(cast.app) == 1


def test_the_door_says_how_long_a_conversation_may_last_and_when_it_ends(cast: Cast, app: Flask) -> None:
    assert door(cast) == "Ends 60 minutes after it has begun."
    cast.join(Role.MODERATOR, name="Mo")
    with app.app_context(), transaction():
        started_at = now().replace(hour=11, minute=50, second=0)
        session.execute(sa.update(RoomSession).values(started_at=started_at))
    assert door(cast) == "Ends today, 12:50 (UTC), after 60 minutes."
    with app.app_context(), transaction():
        cast.room().room_features = {"max_duration": 30}
    assert door(cast) == "Ends today, 12:20 (UTC), after 30 minutes."
    with app.app_context(), transaction():
        session.execute(sa.delete(SubscriptionFeature).where(SubscriptionFeature.code == "max_duration"))
    assert door(cast) == ""


def test_the_player_is_told_when_its_conversation_ends(cast: Cast, app: Flask) -> None:
    player = Player(cast.join(Role.GUEST), cast.board, "tab")
    player.alive()
    with app.app_context():
        started_at = session.scalars(sa.select(RoomSession.started_at)).one()
    assert player.hear()[0][1]["until"] == (started_at + timedelta(minutes=60)).isoformat()
    with app.app_context(), transaction():
        session.execute(sa.delete(SubscriptionFeature).where(SubscriptionFeature.code == "max_duration"))
    assert player.hear()[0][1]["until"] is None


def test_sessions_name_the_time_limit_as_the_reason(cast: Cast, app: Flask) -> None:
    cast.join(Role.GUEST)
    time_up(cast)
    with app.app_context():
        run = session.scalars(sa.select(RoomSession)).one().id
    alice = cast.sign_in("alice")
    path = f"/manage/rooms/{cast.board}/sessions/{run}"
    assert "Time limit reached" in alice.get(path).text
    assert "Time limit reached" in alice.get(f"{path}/attendance.csv").text


def end_for_everyone(cast: Cast) -> None:
    end_session(cast.room())


def lose(cast: Cast) -> None:
    leave_session(session.scalars(sa.select(Participation)).one(), ending=Ending.LOST)


def lose_and_expire(cast: Cast) -> None:
    lose(cast)
    cast.token(Role.GUEST).expires_at = now() - timedelta(minutes=1)


def revoke(cast: Cast) -> None:
    revoke_token(cast.token(Role.GUEST), by=actor_of(cast.user("alice")), remove_people=True)


def pause(cast: Cast) -> None:
    pause_token(cast.token(Role.GUEST), by=actor_of(cast.user("alice")), remove_people=True)


def close_room(cast: Cast) -> None:
    alice = actor_of(cast.user("alice"))
    change_room(editable(cast.room(), alice), by=alice, status=RoomStatusWord.INACTIVE)


def end_customer(cast: Cast) -> None:
    cast.room().customer.status = CustomerStatus.INACTIVE


LINK_ENDED = "The link you came by was ended or paused."


@pytest.mark.parametrize(
    ("end", "title", "next_step", "way"),
    [
        (end_for_everyone, "The conversation was ended for everyone.", "Somebody who runs the room ended it.", True),
        (lose, "The connection to the room was lost.", "Come back as soon as your network works", True),
        (lose_and_expire, "The connection to the room was lost.", "Your link has expired meanwhile.", False),
        (revoke, LINK_ENDED, "Ask whoever sent it for a new one.", False),
        (pause, LINK_ENDED, "Try it again later, or ask whoever sent it", False),
        (close_room, "The room was closed.", "It is not available right now. Ask whoever invited you", False),
        (end_customer, "The room was closed.", "It is not available right now. Ask whoever invited you", False),
    ],
)
def test_the_page_after_says_why_it_ended_and_what_to_do(
    cast: Cast, app: Flask, end: Callable[[Cast], None], title: str, next_step: str, way: bool
) -> None:
    player = Player(cast.join(Role.GUEST), cast.board, "tab")
    player.alive()
    with app.app_context(), transaction():
        end(cast)
    ended = player.alive()
    assert (ended.status_code, ended.json["message"]) == (410, title)
    page = player.client.get(f"/rooms/{cast.board}/-/left").text
    assert f">{title}</h1>" in page
    assert next_step in page
    assert ("Rejoin" in page) is way


def test_the_page_after_the_time_limit_says_how_long_conversations_are(cast: Cast) -> None:
    player = Player(cast.join(Role.GUEST), cast.board, "tab")
    time_up(cast)
    assert player.alive().json["message"] == "The conversation has reached its time limit."
    page = player.client.get(f"/rooms/{cast.board}/-/left").text
    assert "Conversations in this room end after 60 minutes. You may start another one." in page
    assert "Rejoin" in page


def test_a_player_hears_that_its_room_was_deleted(cast: Cast, app: Flask) -> None:
    player = Player(cast.join(Role.GUEST), cast.board, "tab")
    player.alive()
    with app.app_context(), transaction():
        delete_room(cast.room(), by=actor_of(cast.user("alice")))
    [message] = channels.channels().messages(f"participation:{player.id}", "")
    assert message.body["reason"] == "deleted"
    assert player.alive().json["message"] == "The room was deleted."
