"""Locking the room and ending the conversation for everyone: who may, what the others see, what the door says."""

import pytest
import sqlalchemy as sa
from flask import Flask

from portal import channels
from portal.db import session, transaction
from portal.rooms.models import Role
from portal.status.models import Ending, Participation
from portal.status.operations import leave_session
from tests.cast import CODE, Cast
from tests.web.player import Player
from tests.web.test_removals import page_after, roster_of


def do(player: Player, kind: str) -> int:
    player.alive()
    status = player.say("signals", kind=kind).status_code
    assert isinstance(status, int)
    return status


@pytest.mark.parametrize("kind", ["lock", "unlock", "end"])
def test_only_moderators_act_on_the_room(cast: Cast, guest: Player, moderator: Player, kind: str) -> None:
    attendee = Player(cast.join(Role.ATTENDEE, name="Att"), cast.board, "att-tab")
    assert (do(guest, kind), do(attendee, kind)) == (403, 403)
    assert roster_of(moderator)["count"] == 3
    assert roster_of(moderator)["locked"] is False
    assert do(moderator, kind) == 202


def test_everybody_in_the_room_is_told_that_it_is_locked(guest: Player, moderator: Player) -> None:
    assert roster_of(guest)["locked"] is False
    do(moderator, "lock")
    assert (roster_of(guest)["locked"], roster_of(moderator)["locked"]) == (True, True)
    do(moderator, "unlock")
    assert roster_of(guest)["locked"] is False


def test_the_door_of_a_locked_room_says_so_and_opens_by_itself(cast: Cast, guest: Player, moderator: Player) -> None:
    do(moderator, "lock")
    late = cast.follow(Role.GUEST)
    for answer in (late.get(cast.board_path), late.send(cast.board_path, name="Late")):
        assert 'data-waiting="locked"' in answer.text
        assert "A moderator has locked the room, so nobody else can come in. Try again in a moment." in answer.text
        assert "This page tells you when it is open again." in answer.text  # where a script runs
        assert "js/wait.js" in answer.text
    assert guest.client.send(cast.board_path, name="Gus").status_code == 303  # a reload of the page he is in by
    do(moderator, "unlock")
    assert 'data-waiting="locked"' not in late.get(cast.board_path).text
    assert late.send(cast.board_path, name="Late").status_code == 303


def test_a_member_and_who_left_are_told_at_their_doors(cast: Cast, guest: Player, moderator: Player) -> None:
    do(moderator, "lock")
    entrance = cast.sign_in("bob").send(f"/rooms/{cast.board}/-/entry")
    assert entrance.status_code == 409
    assert 'data-waiting="locked"' in entrance.text
    guest.client.post(f"{guest.base}/departure", data={"csrf_token": guest.csrf})
    page = page_after(cast, guest.client)
    assert "A moderator has locked the room. Try again when it may be open again." in page
    assert "Rejoin" in page


def test_who_lost_the_connection_comes_back_into_a_locked_room(
    cast: Cast, app: Flask, guest: Player, moderator: Player
) -> None:
    do(moderator, "lock")
    with app.app_context(), transaction():
        lost = session.scalars(sa.select(Participation).where(Participation.id == guest.id)).one()
        leave_session(lost, ending=Ending.LOST)
    assert guest.alive().json["reason"] == "lost"
    back = guest.say("return", by_itself=True)
    assert back.status_code == 200
    assert back.json["id"] != guest.id


def test_testing_a_link_shows_the_lock(cast: Cast, moderator: Player) -> None:
    do(moderator, "lock")
    alice, links = cast.sign_in("alice"), f"/manage/rooms/{cast.board}/links"
    page = alice.get(f"{links}/{cast.link_ids[Role.ATTENDEE]}/test").text
    assert "Lets nobody in" in page
    assert "A moderator has locked the room" in page
    assert "This page tells you when it is open again." in page
    assert "Locked, but not for this visitor" in alice.get(f"{links}/{cast.link_ids[Role.MODERATOR]}/test").text


def test_ending_for_everyone_sends_everybody_out_with_the_reason(cast: Cast, guest: Player, moderator: Player) -> None:
    do(guest, "unlock")
    assert do(moderator, "end") == 202
    for player in (guest, moderator):
        ended = player.alive()
        assert (ended.status_code, ended.json["reason"]) == (410, "ended")
        assert ended.json["message"] == "The conversation was ended for everyone."
        [told] = channels.channels().messages(f"participation:{player.id}", "")
        assert told.body == {"event": "over", "reason": "ended"}
    assert "The conversation was ended for everyone." in page_after(cast, guest.client)
    assert do(moderator, "end") == 410
    assert cast.join(Role.ATTENDEE, name="Next", code=CODE)
