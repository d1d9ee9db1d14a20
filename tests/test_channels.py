"""Both kinds of channels keep the same promises."""

import secrets
import threading
from collections.abc import Iterator

import pytest

from portal.channels import EVERYTHING, Channels, InProcess, LapsedMember, OverRedis, Watch, over_redis
from portal.errors import ChannelsAway
from tests.servers import cable, free_port, wait_for


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
    first = channels.messages("box", "")
    assert [letter.body["number"] for letter in first] == [0, 1, 2, 3, 4]
    channels.post("box", {"number": 5})
    assert [letter.body["number"] for letter in channels.messages("box", first[-1].id)] == [5]
    assert channels.messages("other", "") == []
    assert channels.last_message_id("box") == channels.messages("box", "")[-1].id


def test_a_mailbox_is_bounded(channels: Channels) -> None:
    for number in range(300):
        channels.post("full", {"number": number})
    kept = channels.messages("full", "")
    assert len(kept) == 256
    assert kept[-1].body["number"] == 299


def test_who_gives_no_sign_of_life_lapses_and_is_claimed_once(channels: Channels) -> None:
    channels.set_present("room", "early", {"camera": True}, 30)
    channels.set_present("room", "late", {}, 30)
    assert channels.presence("room")["early"] == {"camera": True}
    channels.set_present("room", "early", {"camera": False}, 0)
    claims: list[LapsedMember] = []
    sweepers = [threading.Thread(target=lambda: claims.extend(channels.take_lapsed())) for _ in range(4)]
    for sweeper in sweepers:
        sweeper.start()
    for sweeper in sweepers:
        sweeper.join()
    assert claims == [("room", "early", {"camera": False})]
    assert list(channels.presence("room")) == ["late"]


def test_a_sign_of_life_moves_the_deadline_and_leaving_needs_none(channels: Channels) -> None:
    channels.set_present("room", "one", {}, 0)
    channels.set_present("room", "one", {"again": True}, 30)
    channels.set_present("room", "two", {}, 0)
    channels.set_absent("room", "two")
    assert channels.take_lapsed() == []
    assert channels.presence("room") == {"one": {"again": True}}


def test_who_is_expected_lapses_unless_he_shows_up_or_was_there(channels: Channels) -> None:
    channels.set_present("room", "here", {"camera": True}, 30)
    channels.expect_present("room", "here", 0)
    channels.expect_present("room", "coming", 0)
    channels.set_present("room", "coming", {"camera": False}, 30)
    channels.expect_present("room", "lost", 0)
    assert channels.take_lapsed() == [("room", "lost", {})]
    assert channels.presence("room") == {"here": {"camera": True}, "coming": {"camera": False}}


def test_what_is_told_together_is_told_in_its_order(channels: Channels) -> None:
    channels.set_present("room", "gone", {"tab": "1"}, 60)
    heard: set[str] = set()

    def heard_both() -> bool:
        watch.wait(0.2)
        heard.update(watch.heard)
        return heard == {"topic", "box"}

    with channels.watch("topic", "box") as watch:
        wait_for(lambda: _ready(channels, watch, "topic"), what="the subscription")
        with channels.together() as signals:
            signals.nudge("topic", word="room")
            signals.set_absent("room", "gone")
            signals.expect_present("room", "new", 60)
            signals.post("box", {"number": 1})
            signals.post("box", {"number": 2})
        wait_for(heard_both, what="both topics")
    assert channels.presence("room") == {"new": {}}
    assert [message.body["number"] for message in channels.messages("box", "")] == [1, 2]


def test_of_what_is_told_together_nothing_is_lost_for_one_that_was_told_before(channels: Channels) -> None:
    channels.set_present("room", "here", {"tab": "1"}, 60)
    with channels.together() as signals:
        signals.expect_present("room", "here", 60)
    assert channels.presence("room") == {"here": {"tab": "1"}}


def test_attending_instead_of_what_is_no_longer_so_writes_nothing(channels: Channels) -> None:
    assert channels.set_present("room", "one", {"tab": 1}, 30, instead_of={})
    assert not channels.set_present("room", "one", {"tab": 2}, 30, instead_of={})
    assert not channels.set_present("room", "one", {"tab": 2}, 30, instead_of={"tab": 3})
    assert channels.presence("room") == {"one": {"tab": 1}}
    assert channels.set_present("room", "one", {"tab": 2}, 30, instead_of={"tab": 1})
    channels.expect_present("room", "two", 30)
    assert channels.set_present("room", "two", {"tab": 1}, 30, instead_of={})
    assert channels.presence("room") == {"one": {"tab": 2}, "two": {"tab": 1}}


def test_a_watch_tells_by_which_topics_it_heard(channels: Channels) -> None:
    with channels.watch("user:1", "rooms") as watch:
        wait_for(lambda: _ready(channels, watch, "rooms"), what="the subscription")
        channels.nudge("user:1", "room:9", word="changed")
        assert watch.wait(3) == {"changed"}
        assert watch.heard == {"user:1"}


@pytest.mark.parametrize("nonsense", ["junk", "1-2-3", "-1", "\x00", "9" * 30, "٣"])
def test_an_id_that_is_none_of_ours_means_all_letters(channels: Channels, nonsense: str) -> None:
    channels.post("resumed", {"number": 1})
    assert [letter.body for letter in channels.messages("resumed", nonsense)] == [{"number": 1}]


def test_redis_that_is_away_is_said_in_our_words() -> None:
    away = OverRedis(f"redis://127.0.0.1:{free_port()}/0")
    for act in (
        lambda: away.nudge("t"),
        lambda: away.post("t", {}),
        lambda: away.messages("t", ""),
        lambda: away.last_message_id("t"),
        lambda: away.set_present("g", "m", {}, 1),
        lambda: away.expect_present("g", "m", 1),
        lambda: away.presence("g"),
        lambda: away.set_absent("g", "m"),
        away.take_lapsed,
    ):
        with pytest.raises(ChannelsAway):
            act()


def test_watchers_hear_again_after_the_subscription_was_cut(
    valkey_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(over_redis, "AGAIN_SECONDS", 0.05)
    channels = OverRedis(valkey_server)
    with channels.watch("t") as watch:
        wait_for(lambda: _ready(channels, watch, "t"), what="the subscription")
        channels._redis.client_kill_filter(_type="pubsub")
        wait_for(lambda: EVERYTHING in watch.wait(0.2), what="being told that something may have been missed")
        assert _ready(channels, watch, "t")


def test_nobody_listens_for_nobody_when_redis_is_gone(valkey_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(over_redis, "AGAIN_SECONDS", 0.05)
    channels = OverRedis(valkey_server)
    for _ in range(2):
        with channels.watch("t") as watch:
            wait_for(lambda: _ready(channels, watch, "t"), what="the subscription")
        channels._redis.client_kill_filter(_type="pubsub")
        wait_for(lambda: channels._listener is None, what="the listener's end")


def test_a_subscription_cut_without_a_word_is_noticed(valkey_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("QUIET_SECONDS", 0.05), ("LOST_SECONDS", 0.3), ("AGAIN_SECONDS", 0.05)):
        monkeypatch.setattr(over_redis, name, seconds)
    with cable(valkey_server) as cut:
        channels = OverRedis(cut.address)
        other = OverRedis(valkey_server)
        with channels.watch("t") as watch:
            wait_for(lambda: _ready(other, watch, "t"), what="the subscription")
            cut.swallow()
            wait_for(lambda: EVERYTHING in watch.wait(0.2), what="another subscription")
            assert _ready(other, watch, "t")


def test_a_quiet_subscription_is_kept(valkey_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("QUIET_SECONDS", 0.02), ("LOST_SECONDS", 0.3)):
        monkeypatch.setattr(over_redis, name, seconds)
    channels = OverRedis(valkey_server)
    with channels.watch("t") as watch:
        wait_for(lambda: _ready(channels, watch, "t"), what="the subscription")
        assert watch.wait(1) == set()  # thrice as long as a lost one is waited for: nobody subscribed anew


def _ready(channels: Channels, watch: Watch, topic: str) -> bool:
    """Nudge until the watch hears it, and leave nothing of that behind."""
    word = secrets.token_hex(4)
    channels.nudge(topic, word=word)
    return word in watch.wait(0.3)
