"""The worker of the web server: gunicorn's for gevent, which waits no longer for a client than it should.

What gunicorn does not bound: a TLS handshake, and a body that the portal reads, whose sender may pause for ever. Both
have a deadline here. A body's is a stock of seconds, which waiting uses up and each `rate` bytes refill by one: whoever
keeps up that rate may send for as long as it takes, who stops has `body` seconds. Headers, and the pause between two
requests, have gunicorn's `keepalive` seconds. `portal.connections` bounds how many one network may have waiting.

An answer that nobody reads is ended by the system: TCP gives up after `unread` seconds in which the client took
nothing.

Behind a proxy the network of a connection is the proxy's. With TRUSTED_PROXIES, and on a Unix socket, there are hence
no shares; the deadlines hold, and so does that the one that waits longest gives way.
"""

import errno
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

import gevent
from gevent import socket
from gevent.server import StreamServer
from gunicorn import util
from gunicorn.sock import ssl_context
from gunicorn.workers.ggevent import GeventWorker

from portal.connections import Place, Places
from portal.networks import network_of

SMALL_BODY = 65_536


@dataclass(frozen=True)
class Patience:
    """How long the server waits for a client: seconds, and for bodies bytes that gain one second more."""

    handshake: float = 10.0
    body: float = 20.0
    rate: int = 1000
    unread: float = 60.0


class Abandoned(BaseException):
    """The rest of a body did not come in time, or its sender had to give way.

    It is no `Exception`, so that nothing on the way makes an answer of it: a page for each of thousands of stalled
    requests would keep the server busier than they did.
    """


class Connection:
    """A client's socket, as gunicorn uses it, with a stock of seconds while a body is awaited."""

    def __init__(self, sock: Any, network: str | None, patience: Patience) -> None:
        self.socket = sock
        self.place = Place(network, self.give_way)
        self.answered = False
        self._patience = patience
        self._seconds: float | None = None
        self._ended = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.socket, name)

    def await_body(self) -> None:
        """From now on, what is received is a body."""
        self._seconds, self.answered = self._patience.body, False

    def await_request(self) -> None:
        """From now on, what is received is the next request, for which gunicorn has a deadline."""
        self._seconds = None

    def recv(self, size: int) -> bytes:
        """Receive up to `size` bytes; b"" at the end. Raises `Abandoned` for a body that does not go on."""
        if self._seconds is None:
            return self._received(size)
        began = time.monotonic()
        with gevent.Timeout(self._seconds, Abandoned):
            data = self._received(size)
        if self._ended:
            raise Abandoned
        left = max(0.0, self._seconds - (time.monotonic() - began))
        self._seconds = min(self._patience.body, left + len(data) / self._patience.rate)
        return data

    def sendall(self, data: bytes) -> None:
        """Send everything. Raises `ConnectionResetError` if the client has taken nothing of it for too long."""
        self.answered = True
        try:
            self.socket.sendall(data)
        except TimeoutError as error:  # the system's, after TCP_USER_TIMEOUT
            raise ConnectionResetError(errno.ECONNRESET, "the client takes nothing") from error

    def shake_hands(self, context: Any) -> None:
        """Begin TLS. Raises `OSError` if the client does not do so in time, or as it should."""
        with gevent.Timeout(self._patience.handshake, TimeoutError):
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            self.socket.do_handshake()

    def give_way(self) -> None:
        """End it without waiting; whoever receives from it finds its end."""
        self._ended = True
        with suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)  # without TLS's own, which would wait

    def _received(self, size: int) -> bytes:
        try:
            data: bytes = self.socket.recv(size)
        except OSError as error:
            if self._ended:
                return b""
            if isinstance(error, TimeoutError):
                raise ConnectionResetError(errno.ECONNRESET, "the client has gone") from error
            raise
        return data


class WatchedBody:
    """One of gunicorn's readers of a body, which calls `ended` once the body has come in full."""

    def __init__(self, reader: Any, ended: Callable[[], None]) -> None:
        self._reader, self._ended = reader, ended

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def read(self, size: int) -> bytes:
        """Read up to `size` bytes; b"" at the end."""
        data: bytes = self._reader.read(size)
        if has_ended(self._reader):
            self._ended()
        return data


def is_small(req: Any) -> bool:
    """Whether the body of this request can be read before the portal is asked, so that a stalled one costs little.

    It cannot if the client waits to hear that it is wanted.
    """
    length = getattr(req.body.reader, "length", SMALL_BODY)
    return length < SMALL_BODY and not any(name == "EXPECT" for name, _ in req.headers)


def has_ended(reader: Any) -> bool:
    """Whether one of gunicorn's readers has read the last byte of its body: of a known length, or in chunks."""
    return getattr(reader, "length", None) == 0 or getattr(reader, "parser", reader) is None


class Listener(StreamServer):  # type: ignore[misc]
    """A listening socket, as gunicorn makes one of a worker's `server_class`. TLS is the worker's to begin."""

    def __init__(self, sock: Any, *, handler_class: Any, spawn: Any, environ: dict[str, Any], **_more: Any) -> None:
        super().__init__(sock, handle=partial(handler_class, sock), spawn=spawn)
        if environ["wsgi.multiprocess"]:
            self.max_accept = 1  # or one process would take all that come at once


class Worker(GeventWorker):  # type: ignore[misc]
    """gunicorn's worker for gevent, with places for connections and patience for their requests."""

    server_class = Listener
    patience = Patience()

    def run(self) -> None:
        """Serve, until the worker is told to end."""
        self._places = Places(self.worker_connections)
        self._behind_proxy = bool(self.wsgi.config["SETTINGS"].trusted_proxies)
        self._context = ssl_context(self.cfg) if self.cfg.is_ssl else None
        super().run()

    def wsgi_handler(self, listener: Any, sock: Any, address: Any) -> None:
        """Serve one connection; gunicorn gives this to the `server_class`."""
        over_tcp = isinstance(address, tuple)
        network = network_of(address[0]) if over_tcp and not self._behind_proxy else None
        connection = Connection(sock, network, self.patience)
        self._places.take(connection.place)
        try:
            if over_tcp and hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(self.patience.unread * 1000))
            if self._context is not None:
                connection.shake_hands(self._context)
            self.handle(listener, connection, address)
        except OSError as error:
            self.log.debug("Closing connection. %s", error)
        finally:
            self._places.leave(connection.place)
            util.close(connection)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Answer one request. Its connection waits until the body has been read."""
        body = req.body
        if not has_ended(body.reader):
            body.reader = WatchedBody(body.reader, lambda: self._places.answer(sock.place))
            sock.await_body()
        try:
            if is_small(req):
                read = body.read()
                body.buf.write(read)  # from where the portal will read it
            if has_ended(body.reader):
                self._places.answer(sock.place)
            super().handle_request(listener_name, req, sock, addr)
        except Abandoned:
            if not sock.answered:
                with suppress(OSError):
                    status = HTTPStatus.REQUEST_TIMEOUT
                    util.write_error(sock, status.value, status.phrase, "The rest of the request did not come in time.")
            raise StopIteration from None
        finally:
            sock.await_request()
            self._places.wait(sock.place)
