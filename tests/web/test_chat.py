"""The chat's server side: who may write, who reads it, and that it is gone when the run ends."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.clock import now
from portal.conference import signal_rate
from portal.conference.chat import sweep_messages
from portal.conference.models import ChatMessage
from portal.db import session, transaction
from portal.rooms.models import Role
from portal.status.models import RoomSession
from portal.subscriptions.granting import set_feature
from portal.subscriptions.models import Subscription
from tests.cast import CODE, Cast
from tests.conftest import BOTH
from tests.web.player import Player, entered
from tests.web.test_coming_back import lose


@pytest.fixture(autouse=True)
def _allowed(app: Flask, cast: Cast) -> None:
    allow(app, public_chat=True, private_chat=True)
    signal_rate.MESSAGES.left.clear()


def allow(app: Flask, **features: bool) -> None:
    with app.app_context(), transaction():
        for plan in session.scalars(sa.select(Subscription)).unique().all():
            for code, on in features.items():
                set_feature(plan, code=code, value=on)


def write(player: Player, text: str, *, key: str = "", **more: Any) -> Any:
    return player.say("messages", text=text, key=key or f"key of {text}"[:30].replace(" ", "-"), **more)


def read(player: Player) -> list[tuple[str, str]]:
    """(name, text) of what this participant may read."""
    answer = player.client.get(f"{player.base}/messages")
    assert answer.status_code == 200
    assert answer.json is not None
    return [(line["name"], line["text"]) for line in answer.json["messages"]]


@BOTH
def test_what_is_written_reaches_everybody_and_those_who_come_later(cast: Cast, mo: Player, ann: Player) -> None:
    mark = ann.alive(first=True).json["mark"]
    made = write(mo, "Hello <b>all</b>")
    assert made.status_code == 201
    assert made.json["text"] == "Hello <b>all</b>"
    heard = dict(ann.hear(2, after=mark))["message"]
    assert heard == made.json | {"own": False}
    assert made.json["own"] is True
    assert (heard["sender"], heard["role"], heard["receiver"]) == (mo.id, "moderator", None)
    assert read(ann) == read(mo) == [("Mo", "Hello <b>all</b>")]
    assert read(entered(cast, Role.GUEST, "Late")) == [("Mo", "Hello <b>all</b>")]


@BOTH
def test_what_is_for_one_is_read_by_nobody_else(mo: Player, ann: Player, gus: Player) -> None:
    mark = gus.alive(first=True).json["mark"]
    assert write(ann, "A secret", to=mo.id).json["receiver_name"] == "Mo"
    assert read(mo) == read(ann) == [("Ann", "A secret")]
    assert read(gus) == []
    assert "message" not in dict(gus.hear(1, after=mark))
    for nobody in ("nobody", ann.id):
        assert write(ann, "Anybody?", to=nobody).status_code == 404


def test_what_is_sent_twice_is_written_once(mo: Player) -> None:
    first, again = write(mo, "Once", key="one"), write(mo, "Once", key="one")
    assert first.json["id"] == again.json["id"]
    assert read(mo) == [("Mo", "Once")]


@BOTH
def test_messages_are_gone_when_the_run_ends(app: Flask, mo: Player, ann: Player) -> None:
    write(mo, "Soon gone")
    for player in (mo, ann):
        assert len(read(player)) == 1
        player.client.post(f"{player.base}/departure", data={"csrf_token": player.csrf})
    with app.app_context(), transaction():
        assert count() == 0


@BOTH
def test_what_was_written_while_the_run_ended_goes_with_the_next_sweep(app: Flask, mo: Player) -> None:
    write(mo, "Still talking")
    with app.app_context(), transaction():
        sweep_messages()
        assert count() == 1
        session.execute(sa.update(RoomSession).values(ended_at=now()))
        sweep_messages()
        assert count() == 0


def count() -> int:
    return session.scalars(sa.select(sa.func.count()).select_from(ChatMessage)).one()


def test_the_key_of_a_secret_does_not_tell_it_to_all(mo: Player, ann: Player, gus: Player) -> None:
    mark = gus.alive(first=True).json["mark"]
    write(ann, "A secret", key="k", to=mo.id)
    for text in ("A secret", "Something else"):
        assert write(ann, text, key="k").status_code == 409
    assert "message" not in dict(gus.hear(1, after=mark))


def test_who_lost_the_connection_reads_on_and_a_stranger_at_the_device_does_not(
    cast: Cast, mo: Player, ann: Player
) -> None:
    write(ann, "Mine", to=mo.id)
    lose(cast, ann)
    assert ann.client.post(f"{ann.base}/return", json={}, headers={"X-CSRFToken": ann.csrf}).status_code == 200
    back = Player(ann.client, cast.board, "ann-again")
    back.alive()
    answer = back.client.get(f"{back.base}/messages")
    assert answer.json is not None
    assert [(line["text"], line["own"]) for line in answer.json["messages"]] == [("Mine", True)]
    back.client.post(f"{back.base}/departure", data={"csrf_token": back.csrf})
    assert back.client.send(cast.board_path, name="Next", code=CODE).status_code == 303
    assert read(Player(back.client, cast.board, "next")) == []


@pytest.mark.parametrize(("off", "public", "private"), [("public_chat", 403, 201), ("private_chat", 201, 403)])
def test_a_plan_or_a_room_without_chat_refuses_it(
    app: Flask, cast: Cast, mo: Player, ann: Player, off: str, public: int, private: int
) -> None:
    def tried() -> tuple[int, int]:
        return write(ann, "To all").status_code, write(ann, "To Mo", to=mo.id).status_code

    with app.app_context(), transaction():
        cast.room().room_features = {off: False}
    assert tried() == (public, private)
    with app.app_context(), transaction():
        cast.room().room_features = {}
    assert tried() == (201, 201)
    allow(app, **{off: False})
    assert tried() == (public, private)
    refused = write(ann, "To all") if public == 403 else write(ann, "To Mo", to=mo.id)
    assert refused.json == {"error": "refused", "message": "Chat is off in this room."}
    told = dict(ann.hear(1))["roster"]["rights"]
    assert (told["public_chat"], told["private_chat"]) == (public == 201, private == 201)


@BOTH
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Write something first."),
        (" \n\u200b\u2800 ", "Write something first."),
        (None, "Write something first."),
        ({"a": 1}, "Write something first."),
        ("x" * 2001, "This is too long: at most 2000 characters."),
        (
            "\u0958" * 900 + "\n" + "\u0958" * 900,
            "This is too long: at most 2000 characters.",
        ),  # composed: twice as long
        ("\u0301" * 9_000, "This is too long: at most 2000 characters."),
    ],
)
def test_what_cannot_be_written_is_said(mo: Player, text: object, message: str) -> None:
    refused = mo.say("messages", text=text, key="k")
    assert (refused.status_code, refused.json["message"]) == (422, message)
    assert read(mo) == []


def test_lines_stay_and_what_could_mislead_goes(mo: Player) -> None:
    assert write(mo, "First\r\n\u202eSecond\x00 \U0001f468\u200d\U0001f469", key="k").json["text"] == (
        "First\nSecond \U0001f468\u200d\U0001f469"
    )


def test_nobody_writes_without_end(cast: Cast, mo: Player, ann: Player) -> None:
    answers = [write(mo, f"Line {number}").status_code for number in range(12)]
    assert answers[:10] == [201] * 10
    assert answers[11] == 429
    assert write(ann, "I may").status_code == 201
    mo.client.post(f"{mo.base}/departure", data={"csrf_token": mo.csrf})
    assert mo.client.send(cast.board_path, name="Mo").status_code == 303
    again = Player(mo.client, cast.board, "mo-again")
    again.alive()
    assert write(again, "Me, too?").status_code == 429


def test_the_oldest_messages_go_first(app: Flask, mo: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.conference.chat.MOST_KEPT", 3)
    for number in range(5):
        write(mo, f"Line {number}")
    assert read(mo) == [("Mo", f"Line {number}") for number in (2, 3, 4)]


def test_strangers_and_other_tabs_neither_read_nor_write(cast: Cast, mo: Player, ann: Player) -> None:
    stranger = cast.browser()
    assert stranger.get(f"{mo.base}/messages").status_code == 410
    assert stranger.post(f"{mo.base}/messages", json={"tab": "t", "key": "k", "text": "Hi"}).status_code == 410
    assert write(mo, "From another tab", tab="other").status_code == 409
    assert mo.client.post(f"{mo.base}/messages", json={"tab": mo.tab, "key": "k", "text": "Hi"}).status_code == 400
    ann.client.post(f"{ann.base}/departure", data={"csrf_token": ann.csrf})
    assert write(ann, "Gone").status_code == 410
    assert read(mo) == []


def test_moderators_stop_the_chat_for_all_others_and_allow_it_again(mo: Player, ann: Player, gus: Player) -> None:
    write(gus, "Before")
    for kind in ("stop_chat", "allow_chat"):
        assert ann.say("signals", kind=kind).status_code == 403
    assert mo.say("signals", kind="stop_chat").status_code == 202
    assert dict(ann.hear())["roster"]["chat_stopped"] is True
    for player in (ann, gus):
        for to in (None, mo.id):
            refused = write(player, "While it is stopped", to=to)
            assert (refused.status_code, refused.json["message"]) == (403, "A moderator has stopped the chat.")
    assert write(mo, "To all").status_code == 201
    assert write(mo, "To one", to=gus.id).status_code == 201
    assert [text for _who, text in read(gus)] == ["Before", "To all", "To one"]
    assert mo.say("signals", kind="allow_chat").status_code == 202
    assert dict(ann.hear())["roster"]["chat_stopped"] is False
    assert write(ann, "Again").status_code == 201
