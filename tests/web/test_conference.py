"""The player's server side: signs of life, signals, the stream, and leaving."""

import json
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal import channels
from portal.audit.models import AuditEvent
from portal.channels import InProcess
from portal.conference import signal_rate
from portal.conference.signals import SignalType, may_signal
from portal.db import session, transaction
from portal.jobs import loop
from portal.rooms.models import Role, RoomStatusWord
from portal.status.models import Participation, RoomStatus
from tests.cast import CODE, Cast
from tests.web.player import Player


@pytest.mark.parametrize("kind", list(SignalType))
@pytest.mark.parametrize("role", list(Role))
def test_only_moderators_mute_and_remove(role: Role, kind: SignalType) -> None:
    assert may_signal(role, kind) is (
        role is Role.MODERATOR or kind in {SignalType.OFFER, SignalType.ANSWER, SignalType.CANDIDATE}
    )


def test_who_is_in_sees_who_is_in(moderator: Player, guest: Player) -> None:
    moderator.alive(camera=True, microphone=True)
    guest.alive(camera=False, microphone=True)
    [(name, roster)] = guest.hear()
    assert name == "roster"
    assert [(p["name"], p["role"], p["camera"], p["microphone"], p["you"]) for p in roster["people"]] == [
        ("Mo", "moderator", True, True, False),
        ("Gus", "guest", False, True, True),
    ]
    assert roster["count"] == 2
    assert "token" not in json.dumps(roster)


def test_hands_keep_their_order_until_they_are_lowered(moderator: Player, guest: Player) -> None:
    def hands() -> dict[str, str]:
        return {person["name"]: person["hand"] for person in dict(moderator.hear())["roster"]["people"]}

    moderator.alive()
    guest.alive(hand=True)
    first = hands()["Gus"]
    moderator.alive(hand=True)
    guest.alive(hand=True)
    assert hands()["Gus"] == first < hands()["Mo"]
    guest.alive(hand=False)
    assert hands()["Gus"] == ""
    guest.alive(hand=True)
    assert hands()["Gus"] > hands()["Mo"]


@pytest.mark.parametrize("kind", ["mute", "stop_camera", "ask_unmute", "lower_hand"])
def test_a_page_is_told_what_a_moderator_asks_of_it(moderator: Player, guest: Player, app: Flask, kind: str) -> None:
    moderator.alive()
    guest.alive()
    assert guest.say("signals", to=moderator.id, kind=kind).status_code == 403
    assert moderator.say("signals", to=guest.id, kind=kind).status_code == 202
    [told] = channels.channels().messages(f"participation:{guest.id}", "")
    assert told.body == {"event": kind, "from": moderator.id}
    action = {
        "mute": "muted",
        "stop_camera": "camera_stopped",
        "ask_unmute": "unmute_asked",
        "lower_hand": "hand_lowered",
    }[kind]
    with app.app_context():
        assert f"participant.{action}" in session.scalars(sa.select(AuditEvent.action)).all()


def test_who_comes_in_reads_the_welcome_and_moderators_alone_what_is_for_them(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        cast.room().room_settings = {"welcome_message": "Hi <b>all</b>", "moderator_only_message": "The PIN is 7"}
    pages = {role: cast.join(role, name=role.value).get(f"/rooms/{cast.board}/-/conference").text for role in Role}
    assert all("Hi &lt;b&gt;all&lt;/b&gt;" in page for page in pages.values())
    assert [role for role, page in pages.items() if "The PIN is 7" in page] == [Role.MODERATOR]


def test_a_signal_reaches_the_one_it_is_for(moderator: Player, guest: Player) -> None:
    moderator.alive()
    guest.alive()
    sent = guest.say("signals", to=moderator.id, to_tab="mo-tab", kind="offer", data={"sdp": "v=0"})
    assert sent.status_code == 202
    letters = channels.channels().messages(f"participation:{moderator.id}", "")
    assert [(letter.body["from"], letter.body["kind"], letter.body["data"]) for letter in letters] == [
        (guest.id, "offer", {"sdp": "v=0"})
    ]


def test_the_server_refuses_what_a_role_may_not_signal(moderator: Player, guest: Player, app: Flask) -> None:
    moderator.alive()
    guest.alive()
    for kind in ("mute", "remove"):
        assert guest.say("signals", to=moderator.id, kind=kind).status_code == 403
    assert moderator.say("signals", to=guest.id, kind="mute").status_code == 202
    assert moderator.say("signals", to=guest.id, kind="remove").status_code == 202
    ended = guest.alive()
    assert ended.status_code == 410
    assert ended.json["reason"] == "removed"


def test_who_was_removed_cannot_come_back_into_this_session(cast: Cast, moderator: Player, guest: Player) -> None:
    moderator.alive()
    moderator.say("signals", to=guest.id, kind="remove")
    page = guest.client.get(cast.board_path)
    assert "You were removed" in page.text
    assert guest.client.post(cast.board_path, data={"csrf_token": guest.csrf, "name": "Gus"}).status_code in {403, 422}


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "offer", "data": {}},
        {"to": "x", "kind": "nonsense"},
        {"to": "x", "kind": ["offer"]},
        {"to": 5, "kind": "offer", "data": {}},
        {"to": "x" * 65, "kind": "offer", "data": {}},
        {"tab": "", "to": "x", "kind": "offer", "data": {}},
        {"tab": None, "to": "x", "kind": "offer"},
    ],
)
def test_malformed_signals_are_refused_with_a_word(guest: Player, body: dict[str, Any]) -> None:
    guest.alive()
    answer = guest.say("signals", **body)
    assert 400 <= answer.status_code < 500
    assert answer.json["error"]


def test_a_signal_that_is_too_large_or_no_json_is_refused(guest: Player, moderator: Player) -> None:
    guest.alive()
    assert guest.say("signals", to=moderator.id, kind="offer", data={"sdp": "x" * 70_000}).status_code in {413, 422}
    answer = guest.client.post(
        f"{guest.base}/signals", data=b"[1,", content_type="application/json", headers={"X-CSRFToken": guest.csrf}
    )
    assert answer.status_code == 422
    assert guest.client.post(f"{guest.base}/presence", json={"tab": "x"}).status_code == 400


def test_signals_go_to_people_in_the_same_room_only(cast: Cast, guest: Player) -> None:
    other = cast.browser()
    other.send(cast.open_path, name="Elsewhere")
    elsewhere = Player(other, cast.open_house, "tab")
    elsewhere.alive()
    guest.alive()
    assert guest.say("signals", to=elsewhere.id, kind="offer", data={}).status_code == 404
    assert guest.say("signals", to=guest.id, kind="offer", data={}).status_code == 404


def test_another_tab_of_the_device_has_to_take_over(guest: Player) -> None:
    assert guest.alive().status_code == 200
    second = guest.alive(tab="second-tab")
    assert (second.status_code, second.json["error"]) == (409, "elsewhere")
    assert guest.alive(tab="second-tab", takeover=True).status_code == 200
    assert guest.alive().status_code == 409
    assert guest.say("signals", to="x", kind="offer", data={}).status_code == 409


def test_a_reload_keeps_the_place(guest: Player, cast: Cast, app: Flask) -> None:
    guest.alive()
    assert guest.closes().status_code == 204
    assert guest.alive(tab="after-reload").status_code == 200
    assert _count(app) == 1


def test_a_reload_keeps_the_place_when_the_first_heartbeat_overtakes_the_word_of_the_page_before(
    guest: Player, cast: Cast, app: Flask
) -> None:
    guest.alive()
    assert guest.alive(tab="duplicate", before="another").status_code == 409
    assert guest.alive(tab="after-reload", before=guest.tab).status_code == 200
    assert guest.closes().status_code == 204
    assert guest.alive(tab="after-reload").status_code == 200
    assert guest.alive().status_code == 409
    assert _count(app) == 1


def test_a_sign_of_life_that_a_closed_page_left_behind_keeps_no_place(
    guest: Player, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two may overtake one another: what was on its way when the tab was closed must not count after it."""
    guest.alive()
    assert guest.closes().status_code == 204
    assert guest.alive().status_code == 200
    assert channels.channels().presence(_group(cast))[guest.id]["leaving"] is True

    guest.alive(tab="after-reload")
    attend = InProcess.set_present
    closed: list[bool] = []

    def attend_late(self: InProcess, *args: Any, **more: Any) -> bool:
        if not closed:
            closed.append(True)
            guest.closes(tab="after-reload")  # between what the sign of life read and what it writes
        return attend(self, *args, **more)

    monkeypatch.setattr(InProcess, "set_present", attend_late)
    assert guest.alive(tab="after-reload", camera=True).status_code == 200
    assert channels.channels().presence(_group(cast))[guest.id]["leaving"] is True


def test_leaving_ends_the_stay_and_back_ends_in_no_spinner(guest: Player, cast: Cast, app: Flask) -> None:
    left = guest.client.post(f"{guest.base}/departure", data={"csrf_token": guest.csrf})
    assert left.status_code == 303
    page = guest.client.get(left.location)
    assert "You left the room" in page.text
    assert "Rejoin" in page.text
    assert cast.board_path in page.text
    back = guest.client.get(guest.base)
    assert back.status_code in {303, 404}
    assert _count(app) == 0
    assert guest.client.send(cast.board_path, name="Gus").status_code == 303


def test_a_start_leaves_those_alone_who_are_alive(guest: Player, app: Flask) -> None:
    guest.alive()
    loop.start(app)
    assert _count(app) == 1


def test_a_room_that_ran_its_time_is_closed(guest: Player, cast: Cast, app: Flask) -> None:
    import time_machine

    guest.alive()
    assert loop.close_overdue(app) == 0
    from datetime import timedelta

    from portal.clock import now

    with time_machine.travel(now() + timedelta(minutes=61)):
        assert loop.close_overdue(app) == 1
    assert guest.alive().json["reason"] == "time_limit"


def test_an_inactive_room_ends_admissions_and_streams(guest: Player, cast: Cast, app: Flask) -> None:
    guest.alive()
    with app.app_context(), transaction():
        cast.room().status = RoomStatusWord.INACTIVE
    assert guest.alive().status_code == 410
    assert guest.client.get(f"{guest.base}/stream?tab=gus-tab").status_code == 410


def test_signing_out_ends_the_admission_of_a_member(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    alice.send(f"/rooms/{cast.board}/-/entry")
    player = Player(alice, cast.board, "tab")
    assert player.alive().status_code == 200
    alice.post("/sign-out", data={"csrf_token": alice.token("/me")})
    assert player.alive().status_code == 410


def test_the_owners_page_shows_who_is_in_and_bob_sees_it_too(cast: Cast, guest: Player) -> None:
    for who in ("alice", "bob"):
        client = cast.sign_in(who)
        page = client.get(f"/manage/rooms/{cast.board}").text
        assert "Gus" in page
        assert "1 in" in page
        assert "1 in" in client.get("/manage/rooms").text
        fragment = client.get(f"/manage/rooms/{cast.board}/status").text
        assert "Gus" in fragment
        assert "checked" in fragment
    states = cast.sign_in("charlie").get(f"/manage/rooms/status?rooms={cast.board}")
    assert states.text.strip() == ""


def test_an_attendee_with_a_code_is_counted_by_role(cast: Cast, guest: Player, moderator: Player) -> None:
    cast.join(Role.ATTENDEE, name="Att", code=CODE)
    assert _status(cast).counts == {"participants": 3, "moderators": 1, "attendees": 1, "guests": 1}


def _group(cast: Cast) -> str:
    with cast.app.app_context():
        return str(cast.room().uuid)


def _status(cast: Cast) -> RoomStatus:
    with cast.app.app_context():
        return session.get_one(RoomStatus, cast.room().uuid)


def _count(app: Flask) -> int:
    with app.app_context():
        return (
            session.scalar(sa.select(sa.func.count()).select_from(Participation).where(Participation.left_at.is_(None)))
            or 0
        )


@pytest.mark.parametrize("chunked", [False, True])
def test_a_signal_is_measured_by_its_bytes_and_deep_ones_are_refused(guest: Player, chunked: bool) -> None:
    guest.alive()
    for body in (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b'{"a": "' + b"x" * 70_000 + b'"}'):
        sent: dict[str, Any] = {"data": body, "content_type": "application/json"}
        if chunked:
            sent |= {"environ_overrides": {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}}
        answer = guest.client.post(f"{guest.base}/signals", headers={"X-CSRFToken": guest.csrf}, **sent)
        assert answer.status_code == 422


def test_data_of_a_signal_are_plain_values(guest: Player, moderator: Player) -> None:
    guest.alive()
    moderator.alive()
    assert guest.say("signals", to=moderator.id, kind="offer", data={"sdp": {"deep": 1}}).status_code == 422


def test_a_flood_of_signals_is_slowed_down(guest: Player, moderator: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal_rate, "SIGNALS", signal_rate.Rate(per_second=0.001, burst=3))
    guest.alive()
    sent = [guest.say("signals", to=moderator.id, kind="offer", data={}).status_code for _ in range(5)]
    assert sent == [202, 202, 202, 429, 429]


def test_of_many_streams_the_newest_count(guest: Player) -> None:
    guest.alive()
    numbers = [signal_rate.open_stream(guest.id) for _ in range(signal_rate.STREAMS)]
    assert guest.hear()[0][0] == "roster"
    assert not signal_rate.is_open(guest.id, numbers[0])
    assert signal_rate.is_open(guest.id, numbers[-1])
    for number in numbers:
        signal_rate.close_stream(guest.id, number)


def test_a_sign_of_life_waits_for_no_writer(guest: Player, moderator: Player, app: Flask) -> None:
    """Presence and negotiation begin reading transactions; another connection holds the writer meanwhile."""
    guest.alive()
    moderator.alive()
    with app.app_context():
        engine = sa.create_engine(app.config["SQLALCHEMY_DATABASE_URI"])
        with engine.connect() as other:
            other.exec_driver_sql("BEGIN IMMEDIATE")
            assert guest.alive(camera=True).status_code == 200
            assert guest.say("signals", to=moderator.id, kind="offer", data={}).status_code == 202
            other.rollback()
        engine.dispose()


@pytest.mark.parametrize("odd", ["\ud800", "a\x00b", "é"])
def test_what_can_be_no_id_is_refused_in_a_signal(cast: Cast, odd: str) -> None:
    guest, base = cast.join(Role.GUEST), f"/rooms/{cast.board}/-/conference"
    headers = {"X-CSRFToken": guest.token(base)}
    signal = {"tab": "c1", "to": odd, "kind": "offer", "data": {}}
    assert guest.post(f"{base}/signals", json=signal, headers=headers).status_code == 422
