"""Requests that do not go on, sent to a real server: they end, and nobody else waits for them."""

import contextlib
import http.client
import json
import select
import socket
import ssl
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.cast import csrf_of
from tests.servers import Portal, free_port, make_certificate, wait_for

FORM = "application/x-www-form-urlencoded"
STALLED = f"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {FORM}\r\nContent-Length: 1000\r\n\r\nx"
EXPECTING = STALLED.replace("\r\n\r\nx", "\r\nExpect: 100-continue\r\n\r\n")
CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n"
PASSWORD = "a-long-password"
Answer = tuple[int, str, str]
"""The status, the cookies that were set, and the text."""


@contextlib.contextmanager
def serving(folder: Path, *, slots: int = 400, seconds: int = 600, rate: int = 1000, **more: str) -> Iterator[Portal]:
    bounds = {"SLOTS": str(slots), "SECONDS": str(seconds), "RATE": str(rate)}
    portal = Portal(folder, module="tests.impatient", environment=bounds | more)
    portal.run("migrate")
    portal.run("user", "create", "zoe@example.org", "--name", "Zoe", "--password", PASSWORD)
    portal.start()
    try:
        yield portal
    finally:
        portal.stop()
    assert "Traceback" not in portal.log(), portal.log()


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A server that waits two seconds, and has slots for all."""
    with serving(tmp_path_factory.mktemp("impatient") / "data", seconds=2, rate=100) as portal:
        yield portal


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Portal]:
    """A server with 40 slots, of which one network may have four for unfinished requests, and with much patience."""
    with serving(tmp_path / "data", slots=40) as portal:
        yield portal


def connect(portal: Portal, address: str = "127.0.0.1", *, send: str = "") -> socket.socket:
    """A connection from this address of this machine."""
    wire = socket.create_connection(("127.0.0.1", portal.port), timeout=60, source_address=(address, 0))
    wire.sendall(send.encode())
    return wire


def expected(portal: Portal, address: str) -> socket.socket:
    """A connection whose body the server has begun to await."""
    wire = connect(portal, address, send=EXPECTING)
    assert wire.recv(len(CONTINUE), socket.MSG_WAITALL).decode() == CONTINUE
    return wire


def rest(wire: socket.socket) -> str:
    """Whatever still comes, up to the end."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while data := wire.recv(1 << 16):
            said += data
    return said.decode()


def is_open(wire: socket.socket) -> bool:
    return not select.select([wire], [], [], 0)[0] or bool(wire.recv(1, socket.MSG_PEEK))


def is_ended(wire: socket.socket) -> bool:
    """Whether the server has closed it, perhaps after an answer that nobody has read."""
    ended = select.poll()
    ended.register(wire, select.POLLRDHUP)
    return bool(ended.poll(0))


def livez(wire: socket.socket, asking: bytes) -> int:
    """The status of the answer to this request on a connection that goes on."""
    wire.sendall(asking)
    answer = http.client.HTTPResponse(wire)
    answer.begin()
    answer.read()
    return answer.status


def page(portal: Portal, path: str, address: str, *, cookie: str = "", form: dict[str, str] | None = None) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=30, source_address=(address, 0))
    kind = {"Content-Type": FORM} if form else {}
    connection.request("POST" if form else "GET", path, urlencode(form or {}) or None, kind | {"Cookie": cookie})
    answer = connection.getresponse()
    cookies = "; ".join(line.partition(";")[0] for line in answer.headers.get_all("Set-Cookie", []))
    text = answer.read().decode()
    connection.close()
    return answer.status, cookies, text


def signed_in(portal: Portal, address: str) -> str:
    """The cookie of somebody who has signed in from this address."""
    _, cookie, text = page(portal, "/sign-in", address)
    form = {"csrf_token": csrf_of(text), "email": "zoe@example.org", "password": PASSWORD}
    status, cookies, _ = page(portal, "/sign-in", address, cookie=cookie, form=form)
    assert status == 303
    return cookies


@pytest.mark.parametrize(
    "sent", ["", "GET /livez HTTP/1.1\r\nHost: x\r\nX-More: ", "GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"]
)
def test_a_connection_on_which_no_request_comes_ends(impatient: Portal, sent: str) -> None:
    with connect(impatient, send=sent) as wire:
        assert rest(wire)[9:12] == ("200" if sent.endswith("\r\n\r\n") else "")


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (STALLED, ""),
        (STALLED.replace("1000", "100000"), ""),
        (STALLED.replace("Content-Length: 1000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n100\r\n"), ""),
        (EXPECTING, CONTINUE),
    ],
    ids=["small", "large", "chunked", "expecting"],
)
def test_a_body_that_stops_is_given_up(impatient: Portal, sent: str, answer: str) -> None:
    with connect(impatient, send=sent) as wire:
        assert rest(wire).startswith(f"{answer}HTTP/1.1 408 Request Timeout\r\n")


def test_bodies_of_all_sizes_arrive_and_the_connection_goes_on(impatient: Portal) -> None:
    with connect(impatient) as wire:
        for size in (1, 1000, 70_000):
            body = urlencode({"email": "x" * size, "password": "x"})
            head = f"POST /oauth/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {FORM}\r\n"
            wire.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            answer = http.client.HTTPResponse(wire)
            answer.begin()
            assert (answer.status, json.loads(answer.read())["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("sent", [STALLED, "GET /livez HTTP/1.1\r\nHost: x\r\nX-More: "])
def test_a_byte_now_and_then_keeps_nothing_alive(impatient: Portal, sent: str) -> None:
    with connect(impatient, send=sent) as wire:
        dribbled = 0
        while not select.select([wire], [], [], 0.1)[0]:
            wire.sendall(b"x")
            dribbled += 1
            assert dribbled < 900
        assert "HTTP/1.1 2" not in rest(wire)


def test_a_body_that_was_cut_off_is_not_taken_for_the_whole(impatient: Portal) -> None:
    """Gunicorn's reader says at the end of the connection that all has come; a form would lose its last fields."""
    cookie = signed_in(impatient, "127.0.0.1")
    whole = urlencode({"csrf_token": csrf_of(page(impatient, "/me", "127.0.0.1", cookie=cookie)[2]), "name": "Zoe Cut"})
    head = f"POST /me HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nContent-Type: {FORM}\r\n"
    with connect(impatient, send=f"{head}Content-Length: {len(whole) + 20}\r\n\r\n{whole}") as wire:
        wire.shutdown(socket.SHUT_WR)
        assert rest(wire)[9:12] in {"", "408"}
    assert "Zoe Cut" not in page(impatient, "/me", "127.0.0.1", cookie=cookie)[2]


def test_a_body_that_keeps_coming_may_take_longer_than_one_that_stops(impatient: Portal) -> None:
    with connect(impatient, send=STALLED.replace("1000", "4000")) as wire:
        for _ in range(30):
            assert not select.select([wire], [], [], 0.12)[0]
            wire.sendall(b"x" * 133)
        wire.sendall(b"x" * 9)
        assert wire.recv(15).decode().startswith("HTTP/1.1 4")
        assert "Request Timeout" not in rest(wire)


def test_a_body_that_the_portal_does_not_want_is_not_awaited_for_ever(impatient: Portal) -> None:
    with connect(impatient, send=STALLED.replace("POST", "GET").replace("1000", "100000")) as wire:
        assert rest(wire).startswith("HTTP/1.1 200")


def test_an_answer_that_nobody_reads_is_ended(impatient: Portal) -> None:
    version = page(impatient, "/sign-in", "127.0.0.1")[2].split("/static/")[1].split("/")[0]
    asking = f"GET /static/{version}/js/portal.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    with connect(impatient) as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        ended = select.poll()
        ended.register(wire, 0)
        wire.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(10_000):
                wire.send(asking)
        wait_for(lambda: ended.poll(0), what="the end")


def test_a_tls_handshake_that_stops_is_given_up(tmp_path: Path) -> None:
    certfile, keyfile = make_certificate(tmp_path)
    port = free_port()
    portal = Portal(
        tmp_path / "data",
        port,
        environment={"SLOTS": "40", "SECONDS": "2", "RATE": "100", "BASE_URL": f"https://127.0.0.1:{port}"},
        module="tests.impatient",
        options=("--certfile", str(certfile), "--keyfile", str(keyfile)),
    )
    portal.run("migrate")
    portal.start(ready=False)
    known = ssl.create_default_context(cafile=str(certfile))

    def answer(sent: str) -> str:
        try:
            with known.wrap_socket(connect(portal), server_hostname="127.0.0.1") as wire:
                wire.sendall(sent.encode())
                return rest(wire)
        except OSError:
            return ""

    try:
        wait_for(lambda: answer("GET /livez HTTP/1.1\r\n\r\n").startswith("HTTP/1.1 200"), seconds=40)
        for begun in ("", "\x16\x03\x01"):
            with connect(portal, send=begun) as wire:
                assert rest(wire) == ""
        assert answer(STALLED).startswith("HTTP/1.1 408")
        for _ in range(6):  # more than one network may have, so the first are ended
            connect(portal, send="\x16")
        assert answer("GET /livez HTTP/1.1\r\n\r\n").startswith("HTTP/1.1 200")
    finally:
        portal.stop()
    assert "Traceback" not in portal.log(), portal.log()


def test_unfinished_requests_of_one_network_end_each_other_and_nobody_elses(crowded: Portal) -> None:
    cookie = signed_in(crowded, "127.0.0.5")
    watching = f"GET /manage/live HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n"
    with contextlib.ExitStack() as opened:
        streams = [opened.enter_context(connect(crowded, "127.0.0.5", send=watching)) for _ in range(12)]
        for stream in streams:
            assert b"200 OK" in stream.recv(1 << 16)
        other = opened.enter_context(connect(crowded, "127.0.0.3", send=STALLED))
        stalled = [opened.enter_context(connect(crowded, "127.0.0.2", send=STALLED)) for _ in range(60)]
        wait_for(lambda: not any(map(is_open, stalled[:-4])), what="the end of those that came first")
        assert all(map(is_open, stalled[-4:]))
        assert is_open(other)
        assert [page(crowded, path, "127.0.0.4")[0] for path in ("/livez", "/sign-in")] == [200, 200]
        assert page(crowded, "/manage/rooms", "127.0.0.5", cookie=cookie)[0] == 200
        assert page(crowded, "/livez", "127.0.0.2")[0] == 200, "their innocent neighbour"
        assert all(map(is_open, streams))


def test_idle_connections_of_one_network_are_not_ended_for_its_own_requests(crowded: Portal) -> None:
    """Browsers keep the connection after an answer; a school has more of them than its part of the slots."""
    asking = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with contextlib.ExitStack() as opened:
        browsers: list[socket.socket] = []
        for _ in range(6):
            browsers += [opened.enter_context(connect(crowded, "127.0.0.2")) for _ in range(2)]
            for wire in browsers:
                assert livez(wire, asking) == 200
        stalled = [opened.enter_context(connect(crowded, "127.0.0.2", send=STALLED)) for _ in range(8)]
        wait_for(lambda: not any(map(is_open, stalled[:4])), what="the end of those that came first")
        assert all(map(is_open, stalled[4:]))
        assert [livez(wire, asking) for wire in browsers] == [200] * len(browsers)


def test_a_pipelined_request_that_stops_is_unfinished(crowded: Portal) -> None:
    """Its first bytes came with the request before it."""
    with contextlib.ExitStack() as opened:
        begun = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /livez"
        wires = [opened.enter_context(connect(crowded, "127.0.0.2")) for _ in range(6)]
        for wire in wires:
            wire.sendall(begun)
        wait_for(lambda: sum(map(is_ended, wires)) == 2, what="the end of two")


def test_a_body_that_keeps_coming_outlasts_those_that_stopped(tmp_path: Path) -> None:
    """Of one network, which may have four unfinished requests: many more than that stall beside one steady sender."""
    with serving(tmp_path / "data", slots=40, rate=1) as portal, contextlib.ExitStack() as opened:
        steady = opened.enter_context(expected(portal, "127.0.0.2"))
        steady.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # each piece leaves before the next client comes
        stalled: list[socket.socket] = []
        for _ in range(12):
            steady.sendall(b"x" * 80)
            stalled.append(opened.enter_context(expected(portal, "127.0.0.2")))
        assert [rest(wire) for wire in stalled[:-3]] == [""] * 9
        steady.sendall(b"x" * 40)
        answer = http.client.HTTPResponse(steady)
        answer.begin()
        assert answer.status == HTTPStatus.UNPROCESSABLE_ENTITY, "the form was read, and has no token"


@pytest.mark.parametrize(("proxies", "networks"), [("0", 30), ("1", 1)])
def test_the_oldest_unfinished_requests_are_ended_where_slots_run_short(
    tmp_path: Path, proxies: str, networks: int
) -> None:
    """From many networks, and behind a proxy, where no network is known and none has a limit."""
    with serving(tmp_path / "data", slots=40, TRUSTED_PROXIES=proxies) as portal, contextlib.ExitStack() as opened:
        stalled = [
            opened.enter_context(connect(portal, f"127.0.1.{1 + number % networks}", send=STALLED))
            for number in range(80)
        ]
        assert page(portal, "/livez", "127.0.0.4")[0] == 200
        assert all(map(is_open, stalled[-20:]))
        assert not any(map(is_open, stalled[:40]))
