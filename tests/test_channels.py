"""Both kinds of channels keep the same promises."""

import threading
import time
from collections.abc import Iterator

import pytest

from portal.channels import Channels, InProcess, OverRedis
from tests.servers import wait_for


@pytest.fixture(params=["in process", "redis"])
def channels(request: pytest.FixtureRequest) -> Iterator[Channels]:
    if request.param == "in process":
        yield InProcess()
        return
    made = OverRedis(request.getfixturevalue("valkey_server"))
    made._redis.flushall()
    yield made


def test_a_nudge_wakes_who_watches_the_topic_and_nobody_else(channels: Channels) -> None:
    with channels.watch("room:1") as one, channels.watch("room:2") as two:
        wait_for(lambda: _ready(channels, one, "room:1"), what="the subscription")
        two.wait(0.01)
        channels.nudge("room:1", word="changed")
        assert one.wait(3) == {"changed"}
        assert two.wait(0.05) == set()


def test_several_nudges_become_one(channels: Channels) -> None:
    with channels.watch("t") as watch:
        wait_for(lambda: _ready(channels, watch, "t"), what="the subscription")
        for word in ("a", "b", "a"):
            channels.nudge("t", word=word)
        heard: set[str] = set()

        def heard_both() -> bool:
            heard.update(watch.wait(0.2))
            return heard == {"a", "b"}

        wait_for(heard_both, what="both words")


def test_letters_come_in_order_and_once(channels: Channels) -> None:
    for number in range(5):
        channels.post("box", {"number": number})
    first = channels.letters("box", "")
    assert [letter.body["number"] for letter in first] == [0, 1, 2, 3, 4]
    channels.post("box", {"number": 5})
    assert [letter.body["number"] for letter in channels.letters("box", first[-1].id)] == [5]
    assert channels.letters("other", "") == []
    assert channels.last_letter("box") == channels.letters("box", "")[-1].id


def test_a_mailbox_is_bounded(channels: Channels) -> None:
    for number in range(300):
        channels.post("full", {"number": number})
    kept = channels.letters("full", "")
    assert len(kept) == 256
    assert kept[-1].body["number"] == 299


def test_who_gives_no_sign_of_life_lapses_and_is_claimed_once(channels: Channels) -> None:
    channels.attend("room", "early", {"camera": True}, 0.05)
    channels.attend("room", "late", {}, 30)
    assert channels.attendance("room")["early"] == {"camera": True}
    time.sleep(0.1)
    claims: list[tuple[str, str]] = []
    sweepers = [threading.Thread(target=lambda: claims.extend(channels.lapsed())) for _ in range(4)]
    for sweeper in sweepers:
        sweeper.start()
    for sweeper in sweepers:
        sweeper.join()
    assert claims == [("room", "early")]
    assert list(channels.attendance("room")) == ["late"]


def test_a_sign_of_life_moves_the_deadline_and_leaving_needs_none(channels: Channels) -> None:
    channels.attend("room", "one", {}, 0.05)
    channels.attend("room", "one", {"again": True}, 30)
    channels.attend("room", "two", {}, 0.05)
    channels.absent("room", "two")
    time.sleep(0.1)
    assert channels.lapsed() == []
    assert channels.attendance("room") == {"one": {"again": True}}


def _ready(channels: Channels, watch: object, topic: str) -> bool:
    channels.nudge(topic, word="ready")
    ready: bool = "ready" in watch.wait(0.3)  # type: ignore[attr-defined]
    time.sleep(0.05)
    watch.wait(0.01)  # type: ignore[attr-defined]
    return ready
