"""A server that is told to end waits for requests, not for streams and idle connections: a restart takes seconds."""

import contextlib
from pathlib import Path

from tests.test_stalled import connect, livez, serving, signed_in

ASKING = "GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def test_streams_and_idle_connections_do_not_keep_a_server_from_its_end(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as portal, contextlib.ExitStack() as opened:
        cookie = signed_in(portal, "127.0.0.5")
        watching = f"GET /manage/live HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n"
        stream = opened.enter_context(connect(portal, send=watching))
        assert b"200 OK" in stream.recv(1 << 16)
        idle = opened.enter_context(connect(portal))
        assert livez(idle, ASKING.encode()) == 200
        portal.stop()
        assert "graceful timeout" not in portal.log()
        assert stream.makefile("rb").read().endswith(b"\r\n0\r\n\r\n"), "it ended as answers do"
        assert idle.recv(1) == b""
