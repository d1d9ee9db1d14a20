"""A program that is told by webhooks: a real server on loopback that keeps what it got."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


@dataclass
class Message:
    """One request, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    def verified(self, secret: str) -> Any:
        """The content, if the signature is good under this secret; else an exception of the library."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """Answers with `status`, and with whatever `answer` says."""

    port: int = 0
    status: int = 204
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    before_answer: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Listen until the end of the block."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kept.messages.append(Message(self.path, dict(self.headers), body))
            kept.before_answer()
            self.send_response(kept.status)
            for name, value in {"Content-Length": str(len(kept.body)), **kept.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(kept.body)

        do_GET = do_POST  # noqa: N815  (whoever fetches gets the same)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
