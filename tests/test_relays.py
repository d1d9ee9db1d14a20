"""STUN and TURN servers: credentials for each participant, and what the doctor says of the servers that are set.

They run against a real coturn where that is installed or can be.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from portal import doctor, relay_check
from portal.clock import now
from portal.doctor import Finding
from portal.providers.mesh.turn import TurnServers
from portal.relay_check import ServerAnswer
from portal.settings import Settings
from tests import programs, servers

SECRET = "shared-with-the-turn-server"


@pytest.fixture(scope="module")
def turn_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with programs.coturn(tmp_path_factory.mktemp("coturn"), SECRET) as port:
        yield port


def settings(**more: object) -> Settings:
    return Settings(secret_keys=(servers.SECRET_KEY,), **more)  # type: ignore[arg-type]


def ask(url: str, **credentials: str) -> ServerAnswer:
    """Ask in another thread, because this one's event loop may be that of the tests' browser."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(relay_check.ask, url, **credentials).result()


def relays(set_up: Settings) -> list[Finding]:
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(doctor._relays, set_up).result()


def test_credentials_are_those_of_the_scheme_and_end_after_a_day() -> None:
    made = TurnServers(["turn:turn.example:3478"], "north").for_participant(
        "u6Yh3DpQ2x", datetime(2027, 1, 1, tzinfo=UTC)
    )
    assert made == {
        "urls": ["turn:turn.example:3478"],
        "username": "1798848000:u6Yh3DpQ2x",
        "credential": "QSyDhR7M4zSfx7VHdUyo/YxEi7k=",  # as openssl computes it
    }


@pytest.mark.parametrize("transport", ["", "?transport=udp", "?transport=tcp"])
def test_a_turn_server_relays_for_whoever_has_the_secret_and_refuses_others(turn_port: int, transport: str) -> None:
    url = f"turn:127.0.0.1:{turn_port}{transport}"
    for secret, good, words in ((SECRET, True, "relays by 127.0.0.1"), ("another", False, "Is TURN_SECRET its")):
        made = TurnServers([url], secret).for_participant("u6Yh3DpQ2x", now())
        answer = ask(url, username=made["username"], credential=made["credential"])
        assert answer.good is good, answer
        assert words in answer.words


def test_a_stun_server_says_what_it_sees(turn_port: int) -> None:
    answer = ask(f"stun:127.0.0.1:{turn_port}")
    assert answer.good
    assert "sees this machine as 127.0.0.1" in answer.words


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("turn:127.0.0.1:1", "does not answer"),
        ("stun:127.0.0.1:1", "does not answer"),
        ("turn:127.0.0.1:1?transport=tcp", "does not answer"),
        ("http://turn.example", "is no address of a STUN or TURN server"),
        ("turn:127.0.0.1:99999", "does not answer"),
    ],
)
def test_what_does_not_work_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch, url: str, words: str) -> None:
    monkeypatch.setattr(relay_check, "PATIENCE", 0.2)
    answer = ask(url, username="1:a", credential="b")
    assert not answer.good
    assert words in answer.words


def test_the_doctor_asks_every_server_that_browsers_are_told_of(turn_port: int) -> None:
    set_up = settings(
        ice_servers=({"urls": f"stun:127.0.0.1:{turn_port}"},),
        turn_urls=(f"turn:127.0.0.1:{turn_port}", f"turn:127.0.0.1:{turn_port}?transport=tcp"),
        turn_secret=SECRET,
    )
    found = relays(set_up)
    assert [one.good for one in found] == [True, True, True]
    assert [one.message.split(":")[1] for one in found] == [" stun", " turn", " turn"]


def test_a_portal_for_others_without_a_turn_server_is_told_what_that_means() -> None:
    assert relays(settings()) == []
    (said,) = relays(settings(base_url="https://portal.example"))
    assert said.good
    assert "people behind strict networks may see nobody" in said.message


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"turn_urls": "turn:turn.example"}, "belong together"),
        ({"turn_secret": SECRET}, "belong together"),
        ({"turn_urls": "turn.example:3478", "turn_secret": SECRET}, "begins with turn: or turns:"),
    ],
)
def test_half_a_turn_server_is_refused_at_the_start(wrong: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        settings(**wrong)
