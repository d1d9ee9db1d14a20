"""Removing somebody from a conversation and letting him in again: who may, who is told, and what he sees meanwhile."""

import json
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.db import session, transaction
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.rooms.models import Role
from tests.cast import Cast, Client
from tests.web.player import Player

WAITS = 'data-waiting="removed"'


@pytest.fixture
def other(cast: Cast) -> Player:
    return Player(cast.join(Role.GUEST, name="Fay"), cast.board, "fay-tab")


def roster_of(player: Player) -> dict[str, Any]:
    player.alive()
    [(name, roster)] = player.hear()
    assert name == "roster"
    assert isinstance(roster, dict)
    return roster


def page_after(cast: Cast, client: Client) -> str:
    return client.get(f"/rooms/{cast.board}/-/left").text


def test_moderators_alone_are_told_who_was_removed_and_alone_let_in_again(
    cast: Cast, moderator: Player, guest: Player, other: Player
) -> None:
    for one in (moderator, guest, other):
        one.alive()
    assert roster_of(moderator)["removed"] == []
    assert moderator.say("signals", to=guest.id, kind="remove").status_code == 202
    link = cast.link_ids[Role.GUEST]
    assert roster_of(moderator)["removed"] == [{"id": guest.id, "name": "Gus", "role": "guest", "link": link}]
    told = roster_of(other)
    assert "removed" not in told
    assert guest.id not in json.dumps(told)
    assert other.say("signals", to=guest.id, kind="readmit").status_code == 403
    assert guest.say("signals", to=guest.id, kind="readmit").status_code == 410
    assert moderator.say("signals", to=other.id, kind="readmit").status_code == 404  # he is in
    assert moderator.say("signals", to=guest.id, kind="readmit").status_code == 202
    assert roster_of(moderator)["removed"] == []
    assert moderator.say("signals", to=guest.id, kind="readmit").status_code == 404


def test_moderators_alone_are_told_that_whoever_was_removed_can_come_back_into_a_public_room(
    cast: Cast, app: Flask, moderator: Player, guest: Player, other: Player
) -> None:
    for one in (moderator, guest, other):
        one.alive()
    moderator.say("signals", to=guest.id, kind="remove")
    assert roster_of(moderator)["public_room"] is False
    with app.app_context(), transaction():
        cast.room().is_public = True
    assert roster_of(moderator)["public_room"] is True
    assert "public_room" not in roster_of(other)
    stranger = cast.browser()
    stranger.get(cast.board_path)
    assert stranger.send(cast.board_path, name="Gus").status_code == 303


def test_the_pages_of_who_was_removed_wait_and_then_lead_in(cast: Cast, moderator: Player, guest: Player) -> None:
    moderator.alive()
    guest.alive()
    moderator.say("signals", to=guest.id, kind="remove")
    client = guest.client
    for page in (page_after(cast, client), client.get(cast.board_path).text):
        assert WAITS in page
        assert "ask whoever invited you to let you back in" in page
        assert "this page notices it by itself" in page  # where a script runs
        assert "js/wait.js" in page
    assert "Rejoin" not in page_after(cast, client)

    moderator.say("signals", to=guest.id, kind="readmit")
    page = page_after(cast, client)
    assert WAITS not in page
    assert "A moderator let you back in." in page
    assert "Rejoin" in page
    assert "Join" in client.get(cast.board_path).text
    assert client.send(cast.board_path, name="Gus").status_code == 303
    assert Player(client, cast.board, "new-tab").alive().status_code == 200


def test_a_member_who_was_removed_waits_at_his_entrance(cast: Cast, moderator: Player) -> None:
    bob = cast.sign_in("bob")
    entrance = f"/rooms/{cast.board}/-/entry"
    bob.send(entrance)
    player = Player(bob, cast.board, "bob-tab")
    moderator.alive()
    player.alive()
    moderator.say("signals", to=player.id, kind="remove")
    page = bob.get(entrance).text
    assert WAITS in page
    assert "A moderator removed you from the conversation that is going on." in page
    assert bob.send(entrance).status_code == 409
    moderator.say("signals", to=player.id, kind="readmit")
    assert WAITS not in bob.get(entrance).text
    assert "Enter again" in page_after(cast, bob)
    assert bob.send(entrance).status_code == 303


def test_after_the_run_the_page_of_who_was_removed_leads_in(cast: Cast, moderator: Player, guest: Player) -> None:
    moderator.alive()
    guest.alive()
    moderator.say("signals", to=guest.id, kind="remove")
    moderator.client.post(f"{moderator.base}/departure", data={"csrf_token": moderator.csrf})
    page = page_after(cast, guest.client)
    assert "A moderator removed you from the room." in page
    assert WAITS not in page
    assert "Rejoin" in page


def test_whoever_may_moderate_lets_back_in_on_the_rooms_page_and_nobody_else(
    cast: Cast, moderator: Player, guest: Player
) -> None:
    moderator.alive()
    guest.alive()
    page, path = f"/manage/rooms/{cast.board}", f"/manage/rooms/{cast.board}/participations/{guest.id}/readmission"
    alice, charlie = cast.sign_in("alice"), cast.sign_in("charlie")
    assert "Let back in" not in alice.get(page).text
    moderator.say("signals", to=guest.id, kind="remove")
    assert "Let back in: Gus" in alice.get(page).text
    assert "Let back in: Gus" in alice.get(f"{page}/status").text
    with cast.app.app_context(), transaction():
        member = session.scalars(sa.select(RoomMember).where(RoomMember.user_uuid == cast.user("bob").uuid)).one()
        member.permissions = [one for one in member.permissions if one != Permission.ROOM_MODERATE]
    bob = cast.sign_in("bob")
    assert "Let back in" not in bob.get(page).text
    assert bob.send(path, page).status_code == 403
    assert charlie.send(path, "/manage/rooms").status_code == 404
    assert alice.send(path, page).status_code == 303
    after = alice.get(page).text
    assert "Gus can come in again." in after
    assert "Let back in" not in after
    assert alice.send(path, page).status_code == 404
    assert guest.client.send(cast.board_path, name="Gus").status_code == 303
