"""The worker of the web server: gunicorn's worker for gevent, with a deadline for everything that a client sends.

gunicorn has no deadline for a TLS handshake, and none for a body that the portal reads. Both have one here. For a body
it is a stock of seconds: waiting uses the stock up, and each `rate` bytes that arrive refill it by one second. A client
that keeps up the rate may send for as long as it takes; a client that stops has at most `body` seconds. Headers, and
the pause between two requests, have gunicorn's `keepalive` seconds. `portal.connections` limits how many unfinished
requests one network may have.

The system ends an answer that nobody reads: TCP gives up after `unread` seconds in which the client took nothing.

Behind a proxy each connection comes from the proxy, so the network of the client is not known. With TRUSTED_PROXIES,
and on a Unix socket, no network has a limit. The deadlines hold there too, and when slots run short the server ends
connections in the same order.
"""

import errno
import ssl
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

import gevent
from gevent import socket
from gevent.monkey import MonkeyPatchWarning
from gevent.server import StreamServer
from gunicorn import util
from gunicorn.sock import ssl_context
from gunicorn.workers.ggevent import GeventWorker

from portal.connections import Slot, Slots
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
    """The rest of a body did not come in time, or the server ended its connection to have a slot.

    It is no `Exception`, so that nothing on the way makes an answer of it: a page for each of thousands of stalled
    requests would keep the server busier than they did.
    """


class Connection:
    """A client's socket, as gunicorn uses it, with a stock of seconds while a body is awaited.

    It uses one of `slots` until `free_slot`, and marks there what it receives.
    """

    def __init__(self, sock: Any, network: str | None, slots: Slots, patience: Patience) -> None:
        self.socket = sock
        self.answered = False
        self._slot = Slot(network, self._end)
        self._slots = slots
        self._patience = patience
        self._seconds: float | None = None
        self._ended = False
        slots.add(self._slot)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.socket, name)

    def await_body(self) -> None:
        """From now on, what is received is a body."""
        self._seconds, self.answered = self._patience.body, False

    def end_body(self) -> None:
        """The body has come in full: before the answer, or after it if the portal has not read the body."""
        if self._seconds is None:
            self._slots.mark_idle(self._slot)
        else:
            self.end_request()

    def end_request(self) -> None:
        """The request has come in full."""
        self._slots.mark_answering(self._slot)

    def await_request(self, *, begun: bool) -> None:
        """From now on, what is received is the next request, for which gunicorn has a deadline.

        `begun`: bytes of it are here already, or the rest of the last body has still to come before it.
        """
        self._seconds = None
        if begun:
            self._slots.mark_unfinished(self._slot)
        else:
            self._slots.mark_idle(self._slot)

    def free_slot(self) -> None:
        """The connection has ended: its slot is free."""
        self._slots.remove(self._slot)

    def recv(self, size: int) -> bytes:
        """Receive up to `size` bytes; b"" at the end. Raises `Abandoned` for a body that stops before its end."""
        if self._seconds is None:
            data = self._received(size)
            if data:
                self._slots.mark_received(self._slot)
            return data
        began = time.monotonic()
        with gevent.Timeout(self._seconds, Abandoned):
            data = self._received(size)
        if self._ended or not data:  # cut off: gunicorn would take what has come for the whole
            raise Abandoned
        left = max(0.0, self._seconds - (time.monotonic() - began))
        self._seconds = min(self._patience.body, left + len(data) / self._patience.rate)
        if self._seconds == self._patience.body:  # what has come makes up for all the time that it took
            self._slots.mark_progress(self._slot)
        return data

    def sendall(self, data: bytes) -> None:
        """Send everything. Raises `ConnectionResetError` if the client takes nothing of it, or takes it too slowly."""
        self.answered = True
        seconds = self._patience.unread + len(data) / self._patience.rate
        try:
            sent = self._sent_at_once(data)
            if sent < len(data):
                with gevent.Timeout(seconds, TimeoutError):
                    self.socket.sendall(data[sent:])
        except TimeoutError as error:  # this one, or the system's, after TCP_USER_TIMEOUT
            raise ConnectionResetError(errno.ECONNRESET, "the client takes nothing") from error

    def shake_hands(self, context: Any) -> None:
        """Begin TLS. Raises `OSError` if the client does not do so in time, or as it should."""
        with gevent.Timeout(self._patience.handshake, TimeoutError):
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            self.socket.do_handshake()

    def _end(self) -> None:
        """End the connection without waiting. The greenlet that receives from it gets the end of the stream."""
        self._ended = True
        with suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)  # without TLS's own, which would wait

    def _sent_at_once(self, data: bytes) -> int:
        """Send what the system takes without waiting, mostly everything, so that thousands of streams need no timer."""
        self.socket.settimeout(0.0)
        try:
            sent: int = self.socket.send(data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0
        finally:
            self.socket.settimeout(None)
        return sent

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


def has_begun(unreader: Any) -> bool:
    """Whether gunicorn's buffer of this connection holds bytes of the next request already."""
    return bool(unreader.buf.getbuffer().nbytes)


class Listener(StreamServer):  # type: ignore[misc]
    """A listening socket, as gunicorn makes one of a worker's `server_class`. TLS is the worker's to begin."""

    def __init__(
        self,
        sock: Any,
        *,
        handler_class: Any,
        spawn: Any,
        environ: dict[str, Any],
        on_close: Callable[[], None],
        **_more: Any,
    ) -> None:
        super().__init__(sock, handle=partial(handler_class, sock), spawn=spawn)
        self._on_close = on_close
        if environ["wsgi.multiprocess"]:
            self.max_accept = 1  # or one process would take all that come at once

    def close(self) -> None:
        """Take no new connections, because the worker is to end."""
        super().close()
        self._on_close()


class Worker(GeventWorker):  # type: ignore[misc]
    """gunicorn's worker for gevent, with slots for connections and deadlines for their requests."""

    patience = Patience()

    def patch(self) -> None:
        """Patch what the first process must not have patched: see `portal.server`."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MonkeyPatchWarning)  # that this adds to what is patched already
            super().patch()

    def run(self) -> None:
        """Serve, until the worker is told to end."""
        self._slots = Slots(self.worker_connections)
        self._behind_proxy = bool(self.wsgi.config["SETTINGS"].trusted_proxies)
        self._context = ssl_context(self.cfg) if self.cfg.is_ssl else None
        self.server_class = partial(Listener, on_close=self._end_what_waits)
        super().run()

    def _end_what_waits(self) -> None:
        """End streams and idle connections, so that the worker waits for requests only."""
        from portal.web import sse  # noqa: PLC0415 - not before `portal.server` has patched what it imports

        sse.end_all()
        self._slots.close()

    def wsgi_handler(self, listener: Any, sock: Any, address: Any) -> None:
        """Serve one connection; gunicorn gives this to the `server_class`."""
        over_tcp = isinstance(address, tuple)
        network = network_of(address[0]) if over_tcp and not self._behind_proxy else None
        connection = Connection(sock, network, self._slots, self.patience)
        try:
            if over_tcp and hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(self.patience.unread * 1000))
            if self._context is not None:
                connection.shake_hands(self._context)
            self.handle(listener, connection, address)
        except OSError as error:
            self.log.debug("Closing connection. %s", error)
        finally:
            connection.free_slot()
            util.close(connection)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Answer one request. It is unfinished until its body has been read."""
        body = req.body
        if not has_ended(body.reader):
            body.reader = WatchedBody(body.reader, sock.end_body)
            sock.await_body()
        try:
            if is_small(req):
                read = body.read()
                body.buf.write(read)  # from where the portal will read it
            if has_ended(body.reader):
                sock.end_request()
            super().handle_request(listener_name, req, sock, addr)
        except Abandoned:
            if not sock.answered:
                with suppress(OSError):
                    status = HTTPStatus.REQUEST_TIMEOUT
                    util.write_error(sock, status.value, status.phrase, "The rest of the request did not come in time.")
            raise StopIteration from None
        finally:
            sock.await_request(begun=not has_ended(body.reader) or has_begun(req.unreader))
