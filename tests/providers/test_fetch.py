"""The guarded client: which addresses it calls, to what it really connects, and when it stops listening."""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address

import pytest

from portal.providers import fetch
from portal.providers.fetch import NoAnswer, Trouble
from tests.receiver import Receiver, receiver


@pytest.fixture(autouse=True)
def _strict() -> Iterator[None]:
    fetch.use(private=False, plain=True)
    yield
    fetch.use(private=False, plain=False)


@pytest.fixture
def inside() -> Iterator[Receiver]:
    """A server in the private network, which nobody may reach."""
    with receiver() as server:
        yield server
        assert server.messages == []


@pytest.fixture
def outside() -> Iterator[Receiver]:
    """The same, where the operator allows private addresses."""
    fetch.use(private=True, plain=True)
    with receiver() as server:
        yield server


def trouble_with(address: str) -> Trouble:
    with pytest.raises(NoAnswer) as refused:
        fetch.post(address, b"{}", {})
    return refused.value.trouble


REFUSED = [
    "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "169.254.0.1", "100.64.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.0.0.8",
    "::1", "::", "fe80::1", "fe80::1%lo", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "ff0e::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:a00:1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808",
    "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:808:808::1", "2001:0:7f00:1::1", "100::1",
]  # fmt: skip
CALLED = ["8.8.8.8", "1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e"]
NEVER = [
    "169.254.169.254", "0.0.0.0", "224.0.0.1", "::", "fe80::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "::127.0.0.1", "fe80::1%lo",
]  # fmt: skip


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_not_out_on_the_internet_is_not_called(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "resolve", lambda _host, _port: [address])
    assert not fetch.may_be_called(ip_address(address))
    assert trouble_with("http://example.org/") is Trouble.NOT_PUBLIC


@pytest.mark.parametrize("address", CALLED)
def test_what_is_out_on_the_internet_may_be_called(address: str) -> None:
    assert fetch.may_be_called(ip_address(address))


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_called_whatever_the_operator_allows(address: str) -> None:
    fetch.use(private=True, plain=True)
    assert not fetch.may_be_called(ip_address(address))


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "::1", "fd12:3456::1"])
def test_an_operator_may_allow_private_addresses(address: str) -> None:
    fetch.use(private=True, plain=True)
    assert fetch.may_be_called(ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "localhost",
        "LOCALHOST",
        "127.0.0.1.",
        "localhost.",
    ],
)
def test_no_spelling_of_loopback_gets_through(host: str, inside: Receiver) -> None:
    assert trouble_with(f"http://{host}:{inside.port}/") in {Trouble.NOT_PUBLIC, Trouble.ADDRESS, Trouble.UNKNOWN_NAME}


@pytest.mark.parametrize(
    "host", ["[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[fe80::1%25lo]"]
)
def test_no_spelling_of_loopback_in_ipv6_gets_through(host: str, inside: Receiver) -> None:
    assert trouble_with(f"http://{host}:{inside.port}/") in {Trouble.NOT_PUBLIC, Trouble.ADDRESS}


def test_one_private_address_among_public_ones_spoils_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "resolve", lambda _host, _port: ["8.8.8.8", "127.0.0.1"])
    assert trouble_with("http://example.org/") is Trouble.NOT_PUBLIC


def test_a_name_that_changes_its_address_is_asked_once_and_the_answer_is_what_is_called(
    outside: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: what was checked is what is connected to; a second answer is never asked for."""
    answers = [["127.0.0.1"], ["127.0.0.2"]]
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return answers.pop(0)

    monkeypatch.setattr(fetch, "resolve", resolve)
    with monkeypatch.context() as patch:
        connected: list[object] = []
        real = socket.create_connection

        def create_connection(address: object, *rest: object, **more: object) -> socket.socket:
            connected.append(address)
            return real(address, *rest, **more)  # type: ignore[arg-type]

        patch.setattr(socket, "create_connection", create_connection)
        assert fetch.post(f"http://rebinding.example:{outside.port}/hook", b"{}", {}).status == 204
    assert asked == ["rebinding.example"]
    assert connected == [("127.0.0.1", outside.port)]
    assert outside.messages[0].headers["Host"] == f"rebinding.example:{outside.port}"


def test_the_second_address_of_a_name_is_tried_when_the_first_is_deaf(
    outside: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "resolve", lambda _host, _port: ["::1", "127.0.0.1"])
    assert fetch.post(f"http://two.example:{outside.port}/", b"{}", {}).status == 204


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_like_any_other(outside: Receiver, status: int) -> None:
    outside.status = status
    outside.headers = {"Location": f"http://127.0.0.1:{outside.port}/secret"}
    assert fetch.post(outside.url, b"{}", {}).status == status
    assert [message.path for message in outside.messages] == ["/hook"]


def test_no_cookie_is_kept_and_no_proxy_of_the_environment_used(
    outside: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    outside.headers = {"Set-Cookie": "a=b"}
    for _ in range(2):
        fetch.post(outside.url, b"{}", {"webhook-id": "1"})
    assert all("Cookie" not in message.headers for message in outside.messages)
    assert outside.messages[0].body == b"{}"
    assert outside.messages[0].headers["webhook-id"] == "1"


@pytest.mark.parametrize(
    "address",
    [
        "", "example.org", "//example.org/", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/",
        "https://", "https:///x", "https://exa mple.org/", "https://example.org/\r\nHost: evil", "https://example.org:x/",
        "https://user:secret@example.org/", "https://user@example.org/", "https://example.org:22/",
        "https://example.org:0/", "https://example.org:1023/", "https://example.org:65536/", "https://example.org:-1/",
        "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest/meta-data", "https://" + "a" * 2000,
        "javascript:alert(1)", "https://example.org/\x00",
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_meant_is_refused_with_words_and_without_a_look_at_the_network(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        raise AssertionError("asked the network")

    monkeypatch.setattr(fetch, "resolve", resolve)
    assert fetch.problem_with(address)
    assert trouble_with(address) is Trouble.ADDRESS


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "hook.localhost", "localhost.", "localhost:8443"])
def test_a_name_of_this_very_machine_is_refused_before_it_is_looked_up_unless_the_operator_allows_it(host: str) -> None:
    assert fetch.problem_with(f"https://{host}/hook") == Trouble.NOT_PUBLIC.words
    assert fetch.problem_with("https://localhost.example/") is None
    fetch.use(private=True, plain=False)
    assert fetch.problem_with(f"https://{host}/hook") is None


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("plain", [False, True])
def test_which_addresses_are_accepted_is_said_as_the_operator_has_it(plain: bool, private: bool) -> None:
    fetch.use(private=private, plain=plain)
    said = str(fetch.accepted())
    assert ("http://" in said) is (fetch.problem_with("http://example.org/") is None) is plain
    assert ("private network" in said) is (fetch.problem_with("https://10.1.2.3/") is None) is private
    assert "https://" in said


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org",
        "https://example.org/a?b=c",
        "https://example.org:8443/",
        "https://bücher.example/",
        "https://8.8.8.8/",
    ],
)
def test_an_ordinary_address_is_fine(address: str) -> None:
    assert fetch.problem_with(address) is None


def test_plain_http_needs_the_operator() -> None:
    fetch.use(private=True, plain=False)
    assert "https" in str(fetch.problem_with("http://example.org/"))
    assert trouble_with("http://example.org/") is Trouble.ADDRESS


def test_a_name_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        raise socket.gaierror

    monkeypatch.setattr(fetch, "resolve", resolve)
    assert trouble_with("https://nowhere.example/") is Trouble.UNKNOWN_NAME


def test_a_port_that_nobody_listens_on(outside: Receiver) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert trouble_with(f"http://127.0.0.1:{closed.getsockname()[1]}/") is Trouble.UNREACHABLE


def test_a_large_answer_is_cut(outside: Receiver) -> None:
    outside.status, outside.body = 200, b"x" * 200_000
    answer = fetch.post(outside.url, b"{}", {})
    assert answer.status == 200
    assert answer.body == b"x" * fetch.LARGEST_ANSWER


def forever(piece: bytes, pause: float) -> Callable[[socket.socket], None]:
    """Says this again and again, until nobody listens any more."""

    def speak(line: socket.socket) -> None:
        while True:
            line.sendall(piece)
            if pause:
                stopped.wait(pause)
                if stopped.is_set():
                    return

    stopped = threading.Event()
    speak.stop = stopped.set  # type: ignore[attr-defined]
    return speak


@contextmanager
def rude_server(greeting: bytes, then: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that says `greeting` to any request and goes on as it likes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            line, _ = listener.accept()
            with line:
                line.recv(65536)
                line.sendall(greeting)
                then(line)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        getattr(then, "stop", lambda: None)()
        listener.close()
        thread.join(10)


def test_an_endless_body_is_not_read_to_its_end(outside: Receiver) -> None:
    with rude_server(b"HTTP/1.1 200 OK\r\n\r\n", forever(b"y" * 10_000, 0)) as address:
        assert len(fetch.post(address, b"{}", {}).body) == fetch.LARGEST_ANSWER


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("greeting", "piece"),
    [
        (OK + b"Content-Length: 1000\r\n\r\n", b"z"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nz\r\n"),
        (OK + b"\r\n", b"z"),
        (OK + b"X: ", b"z"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"H", b""),
    ],
    ids=["body", "chunks", "until-closed", "header", "continue", "silence"],
)
def test_who_speaks_slowly_is_cut_off_when_the_time_is_over(
    outside: Receiver, monkeypatch: pytest.MonkeyPatch, greeting: bytes, piece: bytes
) -> None:
    """Each piece comes long before any timeout of a single read, so only an end for the whole call helps."""
    monkeypatch.setattr(fetch, "LONGEST_SECONDS", 0.6)
    with rude_server(greeting, forever(piece, 0.05)) as address:
        begun = time.monotonic()
        assert trouble_with(address) is Trouble.SLOW
        assert time.monotonic() - begun < 5


def test_what_is_not_http_is_garbled(outside: Receiver) -> None:
    with rude_server(b"SSH-2.0-OpenSSH\r\n\r\n", lambda _line: None) as address:
        assert trouble_with(address) is Trouble.GARBLED


def test_a_body_that_breaks_off_is_garbled(outside: Receiver) -> None:
    with rude_server(OK + b"Content-Length: 1000\r\n\r\nabc", lambda _line: None) as address:
        assert trouble_with(address) is Trouble.GARBLED


def test_a_connection_that_is_reset_is_garbled_too(outside: Receiver) -> None:
    """Who hangs up on unread words resets the connection: which of the two happens is a matter of luck."""

    def reset(line: socket.socket) -> None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with rude_server(b"", reset) as address:
        assert trouble_with(address) is Trouble.GARBLED


def test_who_speaks_plain_http_where_tls_is_asked_for_is_told_so(outside: Receiver) -> None:
    assert trouble_with(f"https://127.0.0.1:{outside.port}/") is Trouble.NO_TLS
    assert "https" in str(Trouble.NO_TLS.words)
    assert outside.messages == []


def test_tls_asks_for_the_name_and_trusts_nobody_by_itself(outside: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to the checked address; the certificate is asked of, and checked for, the name."""
    asked: list[str | None] = []

    def wrap(self: ssl.SSLContext, sock: socket.socket, *, server_hostname: str | None = None) -> ssl.SSLSocket:
        asked.append(server_hostname)
        raise ssl.SSLCertVerificationError("self-signed")

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrap)
    monkeypatch.setattr(fetch, "resolve", lambda _host, _port: ["127.0.0.1"])
    assert trouble_with(f"https://hooks.example:{outside.port}/") is Trouble.UNTRUSTED
    assert asked == ["hooks.example"]
    context = fetch._trust()
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
