"""What pages send although they may not is refused and counted: every role with every signal, and whatever is too much."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from structlog.testing import capture_logs

from portal.conference import refusals, signal_rate
from portal.conference.refusals import Refusal
from portal.conference.signals import SignalType
from portal.providers import registry
from portal.providers.base import Places
from portal.providers.mesh.adapter import Mesh
from tests.cast import Cast
from tests.web.player import Player
from tests.web.test_chat import allow, write
from tests.web.test_listeners import HEAD, PICTURE, SOUND

EVERYBODYS = {"offer", "answer", "candidate"}
MODERATORS = {
    *("mute", "stop_camera", "stop_screen", "ask_unmute", "lower_hand", "remove", "readmit", "admit", "admit_all"),
    *("turn_away", "lock", "unlock", "stop_chat", "allow_chat", "stop_sharing", "allow_sharing"),
    *("turn_lobby_on", "turn_lobby_off", "end"),
}


@pytest.fixture(autouse=True)
def _count_anew() -> Iterator[None]:
    for rate in vars(signal_rate).values():
        if isinstance(rate, signal_rate.Rate):
            rate.left.clear()
    refusals.totals.clear()
    yield
    refusals.totals.clear()


def signal(player: Player, to: Player, kind: str, data: Any = None) -> int:
    status: int = player.say("signals", to=to.id, kind=kind, data={} if data is None else data).status_code
    return status


def test_every_signal_is_somebodys() -> None:
    assert {kind.value for kind in SignalType} == EVERYBODYS | MODERATORS
    assert not EVERYBODYS & MODERATORS


def test_attendees_and_guests_do_nothing_that_moderators_do_and_each_try_is_counted(
    mo: Player, ann: Player, gus: Player
) -> None:
    for player, other in ((ann, gus), (gus, mo)):
        for kind in sorted(MODERATORS):
            before = refusals.totals[Refusal.ROLE]
            assert (kind, signal(player, other, kind)) == (kind, 403)
            assert refusals.totals[Refusal.ROLE] == before + 1
        for kind in sorted(EVERYBODYS):
            assert (kind, signal(player, other, kind)) == (kind, 202)
    assert refusals.totals == {Refusal.ROLE: 2 * len(MODERATORS)}
    assert [one.alive().status_code for one in (mo, ann, gus)] == [200, 200, 200]


def test_moderators_do_all_of_it(mo: Player, ann: Player) -> None:
    for kind in [*sorted(EVERYBODYS | MODERATORS - {"remove", "end"}), "remove", "end"]:
        assert (kind, signal(mo, ann, kind)) == (kind, 404 if kind in {"readmit", "admit", "turn_away"} else 202)
    assert not refusals.totals


def test_pictures_and_sound_of_who_listens_are_counted(cast: Cast, mo: Player, gus: Player) -> None:
    registry.fill([Mesh([], places=Places(people=2, senders=1))])  # what the next app's catalog replaces
    for kind in ("offer", "answer"):
        assert signal(gus, mo, kind, {"sdp": HEAD + SOUND + PICTURE}) == 403
    assert refusals.totals == {Refusal.MEDIA: 2}


def test_messages_while_the_chat_is_off_or_stopped_are_counted(app: Flask, mo: Player, gus: Player) -> None:
    allow(app, public_chat=False, private_chat=False)
    assert (write(gus, "One").status_code, write(gus, "Two", to=mo.id).status_code) == (403, 403)
    allow(app, public_chat=True)
    assert signal(mo, gus, "stop_chat") == 202
    assert write(gus, "Three").status_code == 403
    assert refusals.totals == {Refusal.CHAT: 3}


def test_what_is_too_large_or_comes_too_fast_is_counted(app: Flask, mo: Player, gus: Player) -> None:
    assert signal(gus, mo, "offer", {"sdp": "x" * 70_000}) == 422
    assert signal(gus, mo, "candidate") == 202
    [visitor] = signal_rate.SIGNALS.left
    signal_rate.SIGNALS.left[visitor] = (0.0, time.monotonic() + 3600)  # nothing is left for an hour
    assert signal(gus, mo, "candidate") == 429
    statuses = [gus.say("reactions", reaction="yes").status_code for _ in range(int(signal_rate.REACTIONS.burst) + 1)]
    assert statuses[-1] == 429
    assert refusals.totals == {Refusal.SIZE: 1, Refusal.RATE: 2}


@pytest.mark.parametrize("rate", ["SIGNALS", "SIGNAL_BYTES", "HEARTBEATS"])
def test_leaving_and_joining_again_gives_nobody_more_than_his_share(
    cast: Cast, mo: Player, gus: Player, monkeypatch: pytest.MonkeyPatch, rate: str
) -> None:
    few = {"SIGNALS": 2, "SIGNAL_BYTES": 2000, "HEARTBEATS": 2}
    monkeypatch.setattr(signal_rate, rate, signal_rate.Rate(per_second=0.001, burst=few[rate]))

    def do(player: Player) -> int:
        if rate == "HEARTBEATS":
            return int(player.alive(hand=True).status_code)
        return signal(player, mo, "candidate", {"candidate": "x" * 900})

    done = 200 if rate == "HEARTBEATS" else 202
    assert [do(gus) for _ in range(3)] == [done, done, 429]
    gus.client.post(f"{gus.base}/departure", data={"csrf_token": gus.csrf})
    gus.client.send(cast.board_path, name="Gus Again")
    again = Player(gus.client, cast.board, "gus-again")
    assert again.id != gus.id
    assert do(again) == 429


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_no_browser_reads_are_refused(mo: Player, gus: Player, number: str) -> None:
    answer = gus.client.post(
        f"{gus.base}/signals",
        data=f'{{"tab": "{gus.tab}", "to": "{mo.id}", "kind": "candidate", "data": {{"sdpMLineIndex": {number}}}}}',
        content_type="application/json",
        headers={"X-CSRFToken": gus.csrf},
    )
    assert answer.status_code == 422
    assert [name for name, _detail in mo.hear()] == ["roster"]


def test_an_operator_reads_of_it_in_the_log_once_a_minute_of_each_participant_and_kind(
    cast: Cast, mo: Player, ann: Player, gus: Player
) -> None:
    with capture_logs() as lines:
        for _ in range(3):
            signal(gus, mo, "end")
        signal(ann, mo, "lock")
        signal(gus, mo, "offer", {"sdp": "x" * 70_000})
    told = [(line["refusal"], line["total"], line["participation"]) for line in lines if "refusal" in line]
    assert told == [("role", 1, gus.id), ("role", 4, ann.id), ("size", 1, gus.id)]
    assert {line["room"] for line in lines if "refusal" in line} == {cast.board}
