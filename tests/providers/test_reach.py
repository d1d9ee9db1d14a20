"""What an operator allows services to be reached at, and that it opens neither more than that nor anything to webhooks."""

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from pydantic import ValidationError

from portal.providers import fetch
from portal.providers.fetch import NoAnswer, Trouble
from portal.providers.reach import Reach, read_allowed
from tests.conftest import settings_for
from tests.providers.bigbluebutton.server import BbbServer, running_bbb


@pytest.fixture
def inside() -> Iterator[BbbServer]:
    """A service in the private network, of which nothing is allowed yet."""
    fetch.use(private=False, plain=False)
    with running_bbb() as server:
        yield server
    fetch.use(private=False, plain=False)


def allow(text: str) -> None:
    fetch.use(private=False, plain=False, allowed=read_allowed(text))


def trouble_with(address: str) -> Trouble:
    with pytest.raises(NoAnswer) as refused:
        fetch.get(address)
    return refused.value.trouble


@pytest.mark.parametrize(
    ("text", "address", "port", "allowed"),
    [
        ("10.0.0.0/8", "10.1.2.3", 443, True),
        ("10.0.0.0/8", "11.1.2.3", 443, False),
        ("127.0.0.1/32:1935", "127.0.0.1", 1935, True),
        ("127.0.0.1/32:1935", "127.0.0.1", 1936, False),
        ("127.0.0.1:1935", "127.0.0.1", 1935, True),
        ("192.168.7.7", "192.168.7.7", 80, True),
        (" 10.0.0.0/8 , fd00::/8,", "fd12::1", 80, True),
        ("[fd00::/8]:443", "fd12::1", 443, True),
        ("[fd00::/8]:443", "fd12::1", 80, False),
        ("[fd00::/8]", "fd12::1", 80, True),
        ("", "10.1.2.3", 443, False),
    ],
)
def test_a_network_is_allowed_with_its_port_or_with_all(text: str, address: str, port: int, allowed: bool) -> None:
    assert Reach(allowed=read_allowed(text)).allows(ip_address(address), port) is allowed


@pytest.mark.parametrize(
    "text",
    ["meet.example", "10.0.0.0/8:0", "10.0.0.0/8:65536", "10.0.0.0/8:x", "10.0.0.1/8", "[fd00::/8", "[::1]x", "*"],
)
def test_what_is_no_network_is_refused_with_words(text: str) -> None:
    with pytest.raises(ValueError, match="is no network: write one like"):
        read_allowed(text)


def test_the_setting_is_read_from_the_environment_and_refused_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTGOING_ALLOWED", "127.0.0.1/32:8080, [fd00::/8]:443")
    assert [one.port for one in settings_for("sqlite", tmp_path).outgoing_allowed] == [8080, 443]
    monkeypatch.setenv("OUTGOING_ALLOWED", "everywhere")
    with pytest.raises(ValidationError, match="OUTGOING_ALLOWED: everywhere is no network"):
        settings_for("sqlite", tmp_path)


def test_a_service_in_an_allowed_network_is_called_by_http_too(inside: BbbServer) -> None:
    allow("127.0.0.1/32")
    assert fetch.get(f"{inside.url}/bigbluebutton/api").status == 200
    assert inside.calls == ["root"]


@pytest.mark.parametrize("text", ["", "10.0.0.0/8", "127.0.0.1/32:9"])
def test_a_service_elsewhere_is_not(inside: BbbServer, text: str) -> None:
    allow(text)
    assert trouble_with(f"{inside.url}/bigbluebutton/api") in {Trouble.NOT_PUBLIC, Trouble.ADDRESS}
    named = inside.url.replace("127.0.0.1", "localhost")
    assert trouble_with(f"{named}/bigbluebutton/api") in {Trouble.NOT_PUBLIC, Trouble.ADDRESS}
    assert inside.calls == []


def test_http_to_a_public_server_needs_its_network_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "resolve", lambda _host, _port: ["8.8.8.8"])
    allow("127.0.0.1/32")
    assert trouble_with("http://meet.example/") is Trouble.ADDRESS
    fetch.use(private=False, plain=False)
    assert trouble_with("http://meet.example/") is Trouble.ADDRESS


@pytest.mark.parametrize("address", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "::ffff:127.0.0.1", "fe80::1"])
def test_some_addresses_are_never_called_whatever_is_named(address: str) -> None:
    everything = Reach(private=True, plain=True, allowed=read_allowed("0.0.0.0/0, ::/0"))
    assert not fetch.may_be_called(ip_address(address), 443, everything)


def test_webhooks_keep_their_own_switches(inside: BbbServer) -> None:
    allow("127.0.0.1/32")
    assert fetch.problem_with(f"{inside.url}/hook") is not None
    with pytest.raises(NoAnswer):
        fetch.post(f"{inside.url}/hook", b"{}", {})
    fetch.use(private=True, plain=True)
    assert trouble_with(f"{inside.url}/bigbluebutton/api") in {Trouble.NOT_PUBLIC, Trouble.ADDRESS}
    assert inside.calls == []


def test_an_answer_is_cut_at_what_was_asked_for(inside: BbbServer) -> None:
    allow("127.0.0.1/32")
    inside.raw["big"] = (200, b"x" * 200_000)
    cut = fetch.get(f"{inside.url}/bigbluebutton/api/big")
    assert (len(cut.body), cut.cut) == (fetch.LARGEST_ANSWER, True)
    whole = fetch.get(f"{inside.url}/bigbluebutton/api/big", largest=300_000)
    assert (len(whole.body), whole.cut) == (200_000, False)


def test_an_address_is_sent_as_it_stands(inside: BbbServer) -> None:
    allow("127.0.0.1/32")
    odd = "a=it%27s+%28no%29+%2Ajoke%2A%21+%C3%BC+%F0%9F%98%80&b=%2520&c=~_-."
    fetch.get(f"{inside.url}/bigbluebutton/api?{odd}")
    assert inside.queries == [odd]
