"""A connection that breaks off: the place is kept for a minute, others see it, and the page comes back by itself."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal import channels
from portal.admission.codes import change_code
from portal.admission.models import AccessCode
from portal.admission.secrets import normal_code
from portal.channels import InProcess
from portal.clock import now
from portal.db import session, transaction
from portal.errors import ChannelsAway
from portal.identifiers import new_id
from portal.jobs import loop
from portal.people.actor import actor_of
from portal.providers.base import LiveState
from portal.rooms.models import Role
from portal.status.models import Ending, Participation, RoomStatus
from portal.status.presence import AWAY_TIME
from tests.cast import Cast
from tests.conftest import BOTH
from tests.web.player import Player


@pytest.fixture
def moderator(cast: Cast) -> Player:
    player = Player(cast.join(Role.MODERATOR, name="Mo"), cast.board, "mo-tab")
    player.alive()
    return player


@pytest.fixture
def guest(cast: Cast) -> Player:
    player = Player(cast.join(Role.GUEST, name="Gus"), cast.board, "gus-tab")
    player.alive(camera=True)
    return player


def falls_silent(cast: Cast, player: Player) -> int:
    """The deadline of this player passes, and the sweep notices. Returns how many are out by that."""
    with cast.app.app_context():
        group = str(cast.room().uuid)
    channels.channels().set_present(group, player.id, channels.channels().presence(group).get(player.id, {}), -1)
    return loop.sweep(cast.app)


def away(player: Player) -> dict[str, bool]:
    [(name, roster)] = player.hear()
    assert name == "roster"
    return {person["name"]: person["away"] for person in roster["people"]}


def status(cast: Cast) -> RoomStatus:
    with cast.app.app_context():
        return session.get_one(RoomStatus, cast.room().uuid)


def endings(app: Flask) -> list[Ending | None]:
    with app.app_context():
        return list(session.scalars(sa.select(Participation.ending).order_by(Participation.entered_at)))


@BOTH
def test_a_place_is_kept_and_others_read_connecting_again(cast: Cast, moderator: Player, guest: Player) -> None:
    before = status(cast).version
    assert falls_silent(cast, guest) == 0
    assert away(moderator) == {"Mo": False, "Gus": True}
    card = cast.sign_in("alice").get(f"/manage/rooms/{cast.board}/status").text
    assert card.count("connecting again") == 1
    stored = status(cast)
    assert (stored.count, stored.counts["reconnecting"]) == (2, 1)
    assert stored.version > before  # so that pages look again

    assert guest.alive(camera=True).status_code == 200
    assert away(moderator) == {"Mo": False, "Gus": False}
    assert "reconnecting" not in status(cast).counts
    assert "connecting again" not in cast.sign_in("alice").get(f"/manage/rooms/{cast.board}/status").text


@BOTH
def test_after_a_minute_without_a_heartbeat_somebody_is_out(cast: Cast, guest: Player, app: Flask) -> None:
    assert falls_silent(cast, guest) == 0
    with time_machine.travel(now() + AWAY_TIME - timedelta(seconds=1)):
        assert falls_silent(cast, guest) == 0
    with time_machine.travel(now() + AWAY_TIME):
        assert falls_silent(cast, guest) == 1
    assert endings(app) == [Ending.LOST]
    assert (status(cast).state, status(cast).count) == (LiveState.IDLE, 0)
    ended = guest.alive()
    assert (ended.status_code, ended.json["reason"]) == (410, "lost")


def test_whose_page_was_closed_has_left_and_is_not_waited_for(cast: Cast, guest: Player, app: Flask) -> None:
    guest.closes()
    assert falls_silent(cast, guest) == 1
    assert endings(app) == [Ending.LEFT]


def test_another_tab_may_come_back_instead_of_one_that_crashed(cast: Cast, guest: Player) -> None:
    falls_silent(cast, guest)
    assert guest.alive(tab="after-the-crash").status_code == 200
    assert away(guest) == {"Gus": False}
    assert guest.alive(tab="gus-tab").status_code == 409


def test_a_restart_costs_nobody_the_place(cast: Cast, moderator: Player, guest: Player, app: Flask) -> None:
    falls_silent(cast, guest)
    last = int(channels.channels().last_message_id(f"participation:{guest.id}"))
    channels._channels = InProcess()  # everything in memory is gone
    loop.start(app)
    assert loop.sweep(app) == 0
    for player in (moderator, guest):
        assert player.alive().status_code == 200
    assert away(moderator) == {"Mo": False, "Gus": False}
    moderator.say("signals", to=guest.id, to_tab="gus-tab", kind="offer", data={"sdp": "v=0"})
    heard = guest.hear(after=f"{last:016d}")
    assert heard[0][0] == "signal"  # ids go on growing: what was heard before the restart hides nothing


def test_a_signal_right_after_a_restart_is_not_taken_for_another_tabs(
    cast: Cast, moderator: Player, guest: Player, app: Flask
) -> None:
    channels._channels = InProcess()
    loop.start(app)
    assert moderator.say("signals", to=guest.id, to_tab="gus-tab", kind="offer", data={}).status_code == 202


def lose(cast: Cast, player: Player) -> None:
    """The connection of this player is lost for more than a minute."""
    falls_silent(cast, player)
    with time_machine.travel(now() + AWAY_TIME):
        assert falls_silent(cast, player) == 1


def comes_back(player: Player, **body: bool) -> tuple[int, Any]:
    answer = player.client.post(f"{player.base}/return", json=body, headers={"X-CSRFToken": player.csrf})
    return answer.status_code, answer.json


@BOTH
def test_who_was_away_for_longer_enters_again_without_typing(cast: Cast, moderator: Player, app: Flask) -> None:
    attendee = Player(cast.join(Role.ATTENDEE, name="Att"), cast.board, "att-tab")
    attendee.alive()
    lose(cast, attendee)
    status_code, body = comes_back(attendee)
    assert status_code == 200
    assert body["id"] != attendee.id
    again = Player(attendee.client, cast.board, "new-tab")
    assert again.id == body["id"]
    assert set(away(moderator)) == {"Mo", "Att"}
    assert comes_back(attendee) == (200, {"id": again.id})  # two of its tries arrived
    with app.app_context():
        link, code = cast.token(Role.ATTENDEE), session.scalars(sa.select(AccessCode)).one()
        assert (link.use_count, code.use_count) == (1, 1)


@BOTH
def test_who_typed_a_code_that_was_changed_since_has_to_type_the_new_one(
    cast: Cast, moderator: Player, app: Flask
) -> None:
    attendee = Player(cast.join(Role.ATTENDEE, name="Att"), cast.board, "att-tab")
    attendee.alive()
    lose(cast, attendee)
    with app.app_context(), transaction():
        code = session.scalars(sa.select(AccessCode)).one()
        by = actor_of(cast.user("alice"))
        change_code(code, room=code.room, by=by, role=code.role, code="WXYZ-2345", label="", expires_at=None)
    assert comes_back(attendee)[0] != 200
    assert set(away(moderator)) == {"Mo"}


def test_a_member_comes_back_as_one(cast: Cast, moderator: Player) -> None:
    alice = cast.sign_in("alice")
    alice.send(f"/rooms/{cast.board}/-/entry")
    player = Player(alice, cast.board, "alice-tab")
    player.alive()
    lose(cast, player)
    assert comes_back(player)[0] == 200
    assert 'data-role="moderator"' in alice.get(player.base).text


def test_who_has_to_type_or_to_wait_is_sent_to_the_door(cast: Cast, moderator: Player, app: Flask) -> None:
    attendee = Player(cast.join(Role.ATTENDEE, name="Att"), cast.board, "att-tab")
    attendee.alive()
    lose(cast, attendee)
    door = (403, {"error": "door", "address": f"{cast.board_path}?asked=1"})
    with app.app_context(), transaction():
        typed = session.scalars(sa.select(AccessCode)).one()
        typed.expires_at = now() - timedelta(hours=1)
        other = AccessCode(room=typed.room, code="WXYZ-2345", normal=normal_code("WXYZ-2345"), role=typed.role)
        session.add(other)
    assert comes_back(attendee) == door
    with app.app_context(), transaction():
        session.execute(sa.update(AccessCode).values(expires_at=None))
        cast.room().room_settings = {"wait_for_host": True}
        session.execute(sa.update(Participation).values(role=Role.GUEST).where(Participation.name == "Mo"))
    assert comes_back(attendee) == door


def test_who_may_not_enter_any_more_reads_why(cast: Cast, moderator: Player, guest: Player, app: Flask) -> None:
    lose(cast, guest)
    with app.app_context(), transaction():
        cast.token(Role.GUEST).expires_at = now() - timedelta(minutes=5)
    status_code, body = comes_back(guest)
    assert (status_code, body["error"]) == (403, "refused")
    assert body["message"].startswith("This link has expired. It worked until ")


def test_where_every_code_has_expired_nobody_is_asked_for_one(cast: Cast, moderator: Player, app: Flask) -> None:
    attendee = Player(cast.join(Role.ATTENDEE, name="Att"), cast.board, "att-tab")
    attendee.alive()
    lose(cast, attendee)
    with app.app_context(), transaction():
        session.execute(sa.update(AccessCode).values(expires_at=now() - timedelta(hours=1)))
    status_code, body = comes_back(attendee)
    assert (status_code, body["error"]) == (403, "refused")
    assert body["message"].startswith("No access code is valid right now.")


def test_nobody_comes_back_by_itself_into_a_conversation_that_has_ended(cast: Cast, guest: Player) -> None:
    lose(cast, guest)
    assert comes_back(guest) == (409, {"error": "over", "message": "The connection to the room was lost."})
    assert comes_back(guest, by_itself=False)[0] == 200


def test_who_left_or_was_removed_does_not_come_back_so(cast: Cast, moderator: Player, guest: Player) -> None:
    moderator.say("signals", to=guest.id, kind="remove")
    status_code, body = comes_back(guest, by_itself=False)
    assert (status_code, body["reason"]) == (410, "removed")
    stranger = cast.browser()
    unknown = f"/rooms/{new_id()}/-/conference/return"
    for address in (f"{guest.base}/return", unknown):  # which tell nothing of the room
        answer = stranger.post(address, json={})
        assert (answer.status_code, (answer.json or {})["reason"]) == (410, "absent")


def test_a_page_whose_cookie_was_replaced_in_another_tab_is_answered_in_json(
    cast: Cast, moderator: Player, guest: Player
) -> None:
    lose(cast, guest)
    forget(cast, guest)
    cast.follow(Role.ATTENDEE, guest.client)
    refused = {"error": "refused", "message": "You are no longer in the room."}
    assert comes_back(guest) == (400, refused)
    for address in ("presence", "signals"):
        answer = guest.say(address)
        assert (answer.status_code, answer.json) == (400, refused)


def forget(cast: Cast, player: Player) -> None:
    """The browser's cookies are cleared."""
    player.client.delete_cookie("admission", path=f"/rooms/{cast.board}")


def trash(cast: Cast) -> None:
    with cast.app.app_context(), transaction():
        cast.room().trashed_at = now()


def test_a_room_is_called_deleted_only_if_it_was(cast: Cast, moderator: Player, guest: Player) -> None:
    forget(cast, moderator)
    trash(cast)
    for player, reason in ((moderator, "absent"), (guest, "gone")):
        answer = player.alive()
        assert (answer.status_code, answer.json["reason"]) == (410, reason)
        status_code, body = comes_back(player)
        assert (status_code, body["reason"]) == (410, reason)


def test_whose_cookies_were_cleared_is_no_longer_in(cast: Cast, guest: Player) -> None:
    forget(cast, guest)
    answer = guest.alive()
    assert (answer.status_code, answer.json["message"]) == (410, "You are no longer in the room.")


def test_a_stream_ends_with_its_room(cast: Cast, guest: Player) -> None:
    answer = guest.client.get(f"{guest.base}/stream?tab={guest.tab}")
    events = iter(answer.response)
    assert b"event: roster" in next(events)
    trash(cast)
    channels.channels().nudge(f"participation:{guest.id}")
    assert b'"reason":"gone"' in next(events)
    assert list(events) == []
    answer.close()


@pytest.mark.parametrize("what", ["nudge", "messages", "presence"])
def test_channels_that_do_not_answer_end_the_stream_and_nothing_else(
    guest: Player, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise ChannelsAway

    mark = channels.channels().last_message_id(f"participation:{guest.id}")
    with monkeypatch.context() as patched:
        patched.setattr(InProcess, what, away)
        assert guest.hear(after=mark) == []
    assert [name for name, _ in guest.hear(after=mark)] == ["roster"]
    assert guest.alive().status_code == 200


@pytest.mark.parametrize("body", ["", "[]", "5", "{", "[" * 50_000, '{"a":' * 10_000 + "5" + "}" * 10_000])
def test_what_is_no_object_is_refused(cast: Cast, guest: Player, body: str) -> None:
    lose(cast, guest)
    answer = guest.client.post(
        f"{guest.base}/return", data=body, content_type="application/json", headers={"X-CSRFToken": guest.csrf}
    )
    assert (answer.status_code, answer.json and answer.json["error"]) == (422, "refused")
