"""The service itself: keeps meetings, lets people in by signed addresses, and calls back when they come and go."""

import hashlib
import hmac
import json
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

SECRET = "a-secret-that-the-stand-in-and-its-row-share"


def sign(secret: str, text: bytes) -> str:
    """The signature of these bytes."""
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


@dataclass
class Kept:
    """A recording, as the service keeps it."""

    external: str
    room_key: str
    name: str
    state: str = "done"
    published: bool = True
    began: float = 1_800_000_000.0
    minutes: int = 30
    megabytes: int = 12

    def told(self, url: str) -> dict[str, Any]:
        """What the service says of it."""
        watch = [["video", f"{url}/watch/{self.external}", self.minutes], ["podcast", "ftp://nobody.example/x", 1]]
        return {**vars(self), "watch": watch if self.state == "done" else []}


@dataclass
class Meeting:
    """A run, as the service keeps it."""

    external: str
    room_key: str
    room_name: str
    callback_url: str
    return_url: str
    people: dict[str, tuple[str, str]] = field(default_factory=dict)


class StandIn(ThreadingHTTPServer):
    """What can be made of it: `dead` (no answer), `lying` (nonsense)."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.meetings: dict[str, Meeting] = {}
        self.recordings: dict[str, Kept] = {}
        self.tells_everything = False
        """Whether it tells of all recordings that it keeps, whatever it is asked about."""
        self.calls: list[str] = []
        self.dead, self.lying, self.refuses = False, False, False
        self.calls_back = True
        self.meanwhile: list[Callable[[], None]] = []
        """What happens elsewhere while a run is being started, once each."""
        self.callbacks: list[tuple[str, int]] = []
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def count(self, call: str) -> int:
        """How often it was called so."""
        return self.calls.count(call)

    def start_meeting(self, asked: dict[str, Any]) -> Meeting:
        """The meeting that goes on in the room, or a new one: asking twice makes one."""
        with self._lock:
            known = self.meetings.get(asked["room_key"])
            if known is None:
                known = Meeting(f"m-{secrets.token_hex(6)}", **asked)
                self.meetings[asked["room_key"]] = known
        return known

    def meeting(self, external: str) -> Meeting | None:
        """The meeting of this name that goes on."""
        return next((one for one in self.meetings.values() if one.external == external), None)

    def record(self, room_key: str, **about: Any) -> Kept:
        """Keep a recording of this room."""
        kept = Kept(f"r-{secrets.token_hex(6)}", room_key, **{"name": "Board meeting", **about})
        self.recordings[kept.external] = kept
        return kept

    def meeting_name(self) -> str:
        """What the one meeting that goes on is called."""
        [meeting] = self.meetings.values()
        return meeting.external

    def people_in(self) -> dict[str, tuple[str, str]]:
        """Who is in any meeting: id → name and role."""
        return {one: who for meeting in self.meetings.values() for one, who in meeting.people.items()}

    def come(self, external: str, person: str, name: str, role: str) -> None:
        """Somebody opened his address."""
        meeting = self.meeting(external)
        assert meeting is not None
        meeting.people[person] = (name, role)
        self.call_back(meeting, "joined", person)

    def go(self, external: str, person: str) -> None:
        """Somebody closed the page. When the last one goes, the meeting is over."""
        meeting = self.meeting(external)
        if meeting is None:
            return
        meeting.people.pop(person, None)
        if not meeting.people:
            self.meetings.pop(meeting.room_key, None)
        self.call_back(meeting, "left" if meeting.people else "ended", person)

    def call_back(self, meeting: Meeting, event: str, person: str, *, secret: str = SECRET, age: float = 0) -> None:
        """Tell the portal, as services do: a form, signed over its raw bytes."""
        if self.calls_back:
            body = urlencode(
                {
                    "event": event,
                    "external": meeting.external,
                    "id": secrets.token_hex(8),
                    "person": person,
                    "note": "ä'!",
                }
            ).encode()
            self.callbacks.append((event, self.post(meeting.callback_url, body, secret=secret, age=age)))

    def post(self, url: str, body: bytes, *, secret: str = SECRET, age: float = 0) -> int:
        """Send such a form; the status of the answer."""
        stamp = str(int(time.time() - age))
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Stamp": stamp,
            "X-Signature": sign(secret, stamp.encode() + b"." + body),
        }
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0


def _worse(told: dict[str, Any]) -> dict[str, Any]:
    """A recording of which nonsense is told."""
    watch = [["\u202eweird" * 50, "javascript:alert(1)", -5], ["x", "https://ok.example/", 10**20]] * 20
    return {**told, "name": "\u202eevil\u0000" + "x" * 5000, "megabytes": -1, "watch": watch}


class _Handler(BaseHTTPRequestHandler):
    server: StandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        call = urlsplit(self.path).path.strip("/")
        self.server.calls.append(call)
        if self._is_away():
            return None
        if not hmac.compare_digest(self.headers.get("X-Signature", ""), sign(SECRET, body)):
            return self._answer(401, b"{}")
        asked = json.loads(body)
        if call == "start":
            while self.server.meanwhile:
                self.server.meanwhile.pop()()
            if self.server.refuses:
                return self._answer(409, b"{}")
            return self._json({"external": self.server.start_meeting(asked).external})
        if call == "end":
            meeting = self.server.meeting(asked["external"])
            if meeting is not None:
                self.server.meetings.pop(meeting.room_key, None)
            return self._json({})
        if call in {"recordings", "publish", "rename", "delete"}:
            return self._recordings(call, asked)
        return self._tell(call, asked)

    def _tell(self, call: str, asked: dict[str, Any]) -> None:
        """Answer a question that changes nothing."""
        if call == "hello":
            return self._json({"version": "1.2"})
        if call == "status":
            return self._json(self._nonsense(asked) if self.server.lying else self._status(asked))
        return self._answer(404, b"{}")

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.server.calls.append(parts.path.strip("/"))
        if self._is_away():
            return None
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        signature = query.pop("signature", "")
        if not hmac.compare_digest(signature, sign(SECRET, urlencode(query).encode())):
            return self._answer(401, b"This address is not ours.")
        meeting = self.server.meeting(query["external"])
        if meeting is None:
            return self._answer(410, b"This meeting is over.")
        if parts.path == "/leave":
            self.server.go(query["external"], query["person"])
            self.send_response(303)
            self.send_header("Location", meeting.return_url)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        self.server.come(**query)
        query = {"external": query["external"], "person": query["person"]}
        query["signature"] = sign(SECRET, urlencode(query).encode())
        page = f"""<!doctype html><html lang="en"><head><title>Stand-in</title></head><body>
            <h1>{escape(meeting.room_name)}</h1><p>You are in.</p>
            <a href="/leave?{escape(urlencode(query))}">Leave the meeting</a></body></html>"""
        return self._answer(200, page.encode(), "text/html; charset=utf-8")

    def _status(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {
            key: {"external": meeting.external, "people": [[one, *who] for one, who in meeting.people.items()]}
            for key in asked["rooms"]
            if (meeting := self.server.meetings.get(key)) is not None
        }

    def _recordings(self, call: str, asked: dict[str, Any]) -> None:
        server = self.server
        if call == "recordings":
            rooms = {one.room_key for one in server.recordings.values()} if server.tells_everything else asked["rooms"]
            told = [one.told(server.url) for one in server.recordings.values() if one.room_key in rooms]
            return self._json([_worse(one) for one in told] if server.lying else told)
        if server.refuses:
            return self._answer(409, b"{}")
        kept = server.recordings.get(asked["external"])
        if kept is None:
            return self._answer(404, b"{}")
        if call == "delete":
            del server.recordings[kept.external]
        else:
            setattr(kept, {"publish": "published", "rename": "name"}[call], asked["value"])
        return self._json({})

    def _nonsense(self, asked: dict[str, Any]) -> dict[str, Any]:
        people = [["nobody", "\u202eevil\u0000" + "x" * 5000, "emperor"]] * 500
        found = {key: {"external": "another", "people": people, "count": -(10**30)} for key in asked["rooms"]}
        return {**found, "00000000-0000-0000-0000-000000000000": {"external": "", "people": []}}

    def _is_away(self) -> bool:
        if self.server.dead:
            self.close_connection = True
            self.connection.close()
        return self.server.dead

    def _json(self, content: object) -> None:
        self._answer(200, json.dumps(content).encode())

    def _answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running() -> Iterator[StandIn]:
    """A stand-in that serves while the block runs."""
    service = StandIn()
    thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.shutdown()
        service.server_close()
        thread.join(5)
