"""The pages about what happened in a room, the file of who was in, and ending it for everyone."""

import csv
import io
from datetime import timedelta

import pytest
from flask import Flask

from portal.clock import now
from portal.db import session, transaction
from portal.rooms.models import Role
from portal.status.models import RoomSession
from portal.status.queries import sessions_of
from portal.status.runs import start_session
from tests.cast import Cast


@pytest.fixture
def board(cast: Cast) -> str:
    return f"/manage/rooms/{cast.board}"


def run_id(cast: Cast) -> str:
    with cast.app.app_context():
        return sessions_of(cast.room())[0].id


def test_a_room_without_sessions_says_what_one_is(cast: Cast, board: str) -> None:
    assert "No sessions yet" in cast.sign_in("alice").get(f"{board}/sessions").text


def test_sessions_and_who_was_in_are_listed(cast: Cast, board: str) -> None:
    cast.join(Role.GUEST, name="Gus")
    cast.join(Role.ATTENDEE, name="Fay")
    alice = cast.sign_in("alice")
    page = alice.get(f"{board}/sessions").text
    assert "Running" in page
    assert f"{board}/sessions/{run_id(cast)}" in page
    people = alice.get(f"{board}/sessions/{run_id(cast)}").text
    for words in ("Gus", "Fay", "Press", "Members", "is in", "at most 2 at once"):
        assert words in people


def test_the_list_is_paged(cast: Cast, app: Flask, board: str) -> None:
    with app.app_context(), transaction():
        room, start = cast.room(), now() - timedelta(days=40)
        for day in range(30):
            at = start + timedelta(days=day)
            session.add(RoomSession(room_uuid=room.uuid, started_at=at, ended_at=at + timedelta(minutes=5), most=day))
    alice = cast.sign_in("alice")
    first = alice.get(f"{board}/sessions").text
    assert first.count("Who was in") == 2 * 25
    following = first.split('href="')
    address = next(part.split('"')[0] for part in following if "sessions?after=" in part)
    second = alice.get(address).text
    assert second.count("Who was in") == 2 * 5
    assert "Newest" in second
    assert alice.get(f"{board}/sessions?after=nonsense").text.count("Who was in") == 2 * 25


def test_a_session_of_another_room_is_not_found(cast: Cast, board: str) -> None:
    cast.join(Role.GUEST)
    alice, run = cast.sign_in("alice"), run_id(cast)
    for path in ("", "/attendance.csv"):
        assert alice.get(f"{board}/sessions/{run}{path}").status_code == 200
        assert alice.get(f"/manage/rooms/{cast.open_house}/sessions/{run}{path}").status_code == 404
        assert alice.get(f"{board}/sessions/1111111111{path}").status_code == 404


@pytest.mark.parametrize(("who", "status"), [("bob", 403), ("charlie", 404), ("admin", 200), ("alice", 200)])
def test_who_may_see_one_session_and_download_it(cast: Cast, board: str, who: str, status: int) -> None:
    cast.join(Role.GUEST)
    client = cast.sign_in(who)
    for path in ("", "/attendance.csv"):
        assert client.get(f"{board}/sessions/{run_id(cast)}{path}").status_code == status


def test_nobody_is_asked_to_sign_in_first(cast: Cast, board: str) -> None:
    cast.join(Role.GUEST)
    assert cast.browser().get(f"{board}/sessions/{run_id(cast)}/attendance.csv").status_code == 303


def test_the_file_can_be_opened_without_running_what_somebody_called_himself(cast: Cast, board: str) -> None:
    cast.join(Role.GUEST, name='=HYPERLINK("http://evil.example","x")')
    cast.join(Role.ATTENDEE, name="Fay, the second")
    answer = cast.sign_in("alice").get(f"{board}/sessions/{run_id(cast)}/attendance.csv")
    assert answer.mimetype == "text/csv"
    assert 'attachment; filename="board-meeting-' in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0] == ["Name", "Role", "By", "From (UTC)", "Until (UTC)", "How it ended"]
    assert rows[1][:3] == ['\'=HYPERLINK("http://evil.example","x")', "Guest", "Press"]
    assert rows[2][:3] == ["Fay, the second", "Attendee", "Members"]
    assert rows[2][4:] == ["", ""]


def test_ending_says_who_goes_and_sends_them_out(cast: Cast, board: str) -> None:
    guest = cast.join(Role.GUEST, name="Gus")
    alice = cast.sign_in("alice")
    assert "End for everyone" in alice.get(board).text
    asked = alice.get(f"{board}/ending").text
    assert "1 person is sent out" in asked
    assert "Gus" in asked
    assert guest.get(f"/rooms/{cast.board}/-/conference").status_code == 200
    assert alice.send(f"{board}/ending").location == board
    page = alice.get(board).text
    assert "Ended: 1 person was sent out." in page
    assert "End for everyone" not in page
    left = guest.get(f"/rooms/{cast.board}/-/conference")
    assert "The conversation was ended for everyone." in guest.get(left.location).text
    assert "Ended for everyone" in alice.get(f"{board}/sessions/{run_id(cast)}").text


def test_only_who_may_moderate_is_offered_to_end_it(cast: Cast, board: str) -> None:
    cast.join(Role.GUEST)
    page = cast.sign_in("bob").get(board).text
    assert "Gus" in page
    assert "End for everyone" not in page


def test_a_started_room_says_that_it_waits_for_people(cast: Cast, app: Flask, board: str) -> None:
    with app.app_context(), transaction():
        start_session(cast.room())
    alice = cast.sign_in("alice")
    page = alice.get(board).text
    assert "Nobody is in yet" in page
    assert "End for everyone" in page
    assert "nobody is in yet" in alice.get("/manage/rooms").text
    assert "nobody has come yet" in alice.get(f"{board}/sessions/{run_id(cast)}").text
    alice.send(f"{board}/ending")
    assert "Ended: nobody was in." in alice.get(board).text
