"""A server that speaks BigBlueButton's API, as far as the portal speaks it, over HTTP on loopback."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.sax.saxutils import escape

from tests.providers.bigbluebutton.kept import (
    BbbMeeting,
    BbbRecording,
    Person,
    flag,
    meeting_xml,
    recording_xml,
    tags,
    told_of,
)

SECRET = "639259d4-9dd8-4b25-bf01-95f9567eaf4b"
HASHES = {40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}
API = "/bigbluebutton/api"
CLIENT, LEAVE = "/html5client/join", "/html5client/leave"


def signature(text: bytes, secret: str, length: int = 64) -> str:
    """The checksum of this text, with so many digits."""
    return hashlib.new(HASHES[length], text + secret.encode()).hexdigest()


class BbbServer(ThreadingHTTPServer):
    """What can be made of it is said by the attributes."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.meetings: list[BbbMeeting] = []
        self.recordings: list[BbbRecording] = []
        self.lists_everything = False
        """Whether it lists all its recordings, whatever it is asked for."""
        self.calls: list[str] = []
        self.queries: list[str] = []
        self.secrets = [SECRET]
        self.lengths = set(HASHES)
        self.dead = False
        self.hangs = False
        """Whether it answers nothing before it is closed."""
        self.hangs_at: set[str] = set()
        """The calls that it does not answer, while it answers others."""
        self.clock_ahead, self.date = 0.0, ""
        """Seconds by which its clock is ahead, and what it says instead of the time."""
        self.fetches = False
        """Whether it fetches the presentations of new meetings."""
        self.fetched: list[tuple[str, str, bytes]] = []
        """Name, type and content of each."""
        self.closing = threading.Event()
        self.refuses: dict[str, str] = {}
        """Call → the key with which it is refused."""
        self.raw: dict[str, tuple[int, bytes]] = {}
        """Call → status and body of the answer, whatever was asked."""
        self.lingers = False
        """Whether meetings that were ended stay in the list for a while."""
        self.lists_people = True
        self.calls_back = False
        self.meanwhile: list[Callable[[], None]] = []
        """What happens elsewhere while a meeting is being made, once each."""
        self.sends_on_to = ""
        """Where a balancer sends those who join: another server."""
        self.tabs: dict[str, tuple[BbbMeeting, str]] = {}
        """Session token → whose tab it is, and where."""
        self.callbacks: list[int] = []
        self.hooks: dict[str, dict[str, str]] | None = {}
        """Address → what was asked for; None if the server has no such component."""
        self._lock, self._clock = threading.Lock(), int(time.time() * 1000)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def count(self, call: str) -> int:
        """How often it was called so."""
        return self.calls.count(call)

    def find(self, meeting_id: str) -> BbbMeeting | None:
        """The meeting of this id that goes on."""
        return next((one for one in self.meetings if one.id == meeting_id and not one.ended), None)

    def only(self) -> BbbMeeting:
        """The one meeting that goes on."""
        [meeting] = [one for one in self.meetings if not one.ended]
        return meeting

    def create(self, sent: Mapping[str, str]) -> tuple[BbbMeeting | None, str]:
        """A meeting, and the key of the answer: of those who ask at once, one makes it."""
        if not 2 <= len(sent.get("name", "")) <= 64 or not 2 <= len(sent.get("meetingID", "")) <= 256:
            return None, "validationError"
        with self._lock:
            known = self.find(sent["meetingID"])
            if known is not None:
                same = all(known.sent.get(one) == sent.get(one) for one in ("attendeePW", "moderatorPW"))
                return (known, "duplicateWarning") if same else (None, "idNotUnique")
            self._clock += 1
            made = BbbMeeting(sent["meetingID"], self._clock, dict(sent))
            self.meetings.append(made)
            return made, ""

    def go(self, user_id: str) -> None:
        """Somebody closed his page. When the last has gone, the meeting expires."""
        for meeting in list(self.meetings):
            before = len(meeting.people)
            meeting.people = [one for one in meeting.people if one.user_id != user_id]
            if before and not meeting.people:
                self.meetings.remove(meeting)
                self.tell_end(meeting)

    def end(self, meeting: BbbMeeting) -> None:
        """The meeting is over for all, and the server says so."""
        self.close(meeting)
        self.tell_end(meeting)

    def close(self, meeting: BbbMeeting) -> None:
        """The meeting is over for all."""
        meeting.people = []
        if self.lingers:
            meeting.ended = True
        else:
            self.meetings.remove(meeting)

    def record(self, meeting_id: str, **about: Any) -> BbbRecording:
        """Keep a recording of this meeting."""
        self._clock += 1
        kept = BbbRecording(f"{hashlib.sha1(meeting_id.encode()).hexdigest()}-{self._clock}", meeting_id, self._clock)
        for name, value in about.items():
            setattr(kept, name, value)
        self.recordings.append(kept)
        return kept

    def tell_recorded(self, kept: BbbRecording, address: str, *, secret: str = SECRET) -> int:
        """Say that a recording is ready; the status of the answer."""
        body = urlencode({"signed_parameters": token({"meeting_id": kept.meeting_id, "record_id": kept.id}, secret)})
        request = urllib.request.Request(address, body.encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def fetch(self, meeting: BbbMeeting) -> None:
        """Fetch the meeting's presentation, if it was told of one."""
        address = meeting.sent.get("preUploadedPresentation")
        if not self.fetches or not address:
            return
        with urllib.request.urlopen(address, timeout=10) as answer:
            name = meeting.sent["preUploadedPresentationName"]
            self.fetched.append((name, str(answer.headers["Content-Type"]), answer.read()))

    def tell_end(self, meeting: BbbMeeting) -> None:
        """Call the address that was given for the end, with nothing but what is in it."""
        address = meeting.sent.get("meta_endCallbackUrl")
        if not self.calls_back or not address:
            return
        try:
            with urllib.request.urlopen(f"{address}&recordingmarks=false", timeout=10) as answer:
                self.callbacks.append(int(answer.status))
        except urllib.error.HTTPError as error:
            self.callbacks.append(error.code)
        except OSError:
            self.callbacks.append(0)


def token(
    claims: Mapping[str, Any], secret: str, *, head: Mapping[str, str] | None = None, hashed: str = "sha256"
) -> str:
    """A JSON web token, made by hand, so that it can be wrong in every way."""
    parts = [_base64(json.dumps(one).encode()) for one in (head or {"alg": "HS256", "typ": "JWT"}, claims)]
    signed = hmac.new(secret.encode(), ".".join(parts).encode(), hashed).digest()
    return ".".join([*parts, _base64(signed)])


def _base64(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


class _Handler(BaseHTTPRequestHandler):
    server: BbbServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return self.server.date or super().date_time_string((timestamp or time.time()) + self.server.clock_ahead)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == CLIENT:
            leave = f'<a href="{LEAVE}?{escape(parts.query)}">Leave the meeting</a>'
            page = f"<!doctype html><html lang=en><title>Meeting</title><p>You are in.</p>{leave}"
            return self._answer(200, page.encode(), "text/html")
        if parts.path == LEAVE:
            meeting, user_id = self.server.tabs.pop(parts.query.removeprefix("sessionToken="))
            self.server.go(user_id)
            return self._lead(meeting.sent["logoutURL"])
        call = parts.path.removeprefix(API).strip("/")
        self.server.calls.append(call or "root")
        self.server.queries.append(parts.query)
        if self.server.dead:
            self.close_connection = True
            return None
        if self.server.hangs or call in self.server.hangs_at:
            self.server.closing.wait(30)
            self.close_connection = True
            return None
        if call in self.server.raw:
            status, body = self.server.raw[call]
            return self._answer(status, body, "text/html")
        if not parts.path.startswith(API):
            return self._answer(404, b"<html>nothing here</html>", "text/html")
        if not call:
            return self._answer(200, self._success({"version": "2.0", "apiVersion": "2.0", "bbbVersion": "3.0.4"}))
        if not self._is_signed(call, parts.query):
            return self._refuse("checksumError", "You did not pass the checksum security check")
        if call in self.server.refuses:
            return self._refuse(self.server.refuses[call])
        asked = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        answers = {
            "create": self._create,
            "join": self._join,
            "end": self._end,
            "getMeetings": self._list,
            "getMeetingInfo": self._info,
            "isMeetingRunning": self._running,
            "hooks/create": self._hook,
            "hooks/list": self._list_hooks,
            "getRecordings": self._list_recordings,
            "publishRecordings": self._change_recordings("published", self._publish),
            "updateRecordings": self._change_recordings("updated", self._update),
            "deleteRecordings": self._change_recordings("deleted", self._delete),
        }
        return answers[call](asked) if call in answers else self._refuse("unsupportedRequest")

    def _is_signed(self, call: str, query: str) -> bool:
        """By the exact bytes: `checksum` is the last parameter, and is cut off."""
        rest, _, given = query.rpartition("checksum=")
        text = (call + rest.removesuffix("&")).encode()
        if len(given) not in self.server.lengths or query.count("checksum=") != 1:
            return False
        return any(hmac.compare_digest(signature(text, one, len(given)), given) for one in self.server.secrets)

    def _create(self, asked: dict[str, str]) -> None:
        while self.server.meanwhile:
            self.server.meanwhile.pop()()
        meeting, key = self.server.create(asked)
        if meeting is None:
            return self._refuse(key)
        told = told_of(meeting) | {
            "messageKey": key,
            "message": "This conference was already in existence." * bool(key),
        }
        self._answer(200, self._success(told))
        if not key:
            self.server.fetch(meeting)
        return None

    def _join(self, asked: dict[str, str]) -> None:
        meeting = self.server.find(asked.get("meetingID", ""))
        if not asked.get("fullName"):
            return self._refuse("missingParamFullName")
        if meeting is None:
            return self._refuse("invalidMeetingIdentifier")
        if asked.get("createTime", str(meeting.created)) != str(meeting.created):
            return self._refuse("mismatchCreateTimeParam")
        if asked.get("role") not in {"MODERATOR", "VIEWER"}:
            return self._refuse("invalidPassword")
        limit = meeting.sent.get("maxParticipants")
        if limit and len(meeting.people) >= int(limit):
            return self._refuse("maxParticipantsReached")
        meeting.people = [one for one in meeting.people if one.user_id != asked["userID"]]
        guest = asked.get("guest") == "true"
        meeting.people.append(Person(asked["userID"], asked["fullName"], asked["role"], guest))
        token = secrets.token_hex(8)
        self.server.tabs[token] = (meeting, asked["userID"])
        return self._lead(f"{self.server.sends_on_to or self.server.url}{CLIENT}?sessionToken={token}")

    def _lead(self, address: str) -> None:
        self.send_response(302)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _end(self, asked: dict[str, str]) -> None:
        meeting = self.server.find(asked.get("meetingID", ""))
        if meeting is None:
            return self._refuse("notFound", "A meeting with that ID does not exist")
        if asked.get("password") not in {None, meeting.sent.get("moderatorPW")}:
            return self._refuse("invalidPassword")
        self.server.close(meeting)  # before the answer, after which tests look
        self._answer(200, self._success({"messageKey": "sentEndMeetingRequest", "message": "A request was sent."}))
        return self.server.tell_end(meeting)

    def _running(self, asked: dict[str, str]) -> None:
        meeting = self.server.find(asked.get("meetingID", ""))
        self._answer(200, self._success({"running": flag(meeting is not None and bool(meeting.people))}))

    def _hook(self, asked: dict[str, str]) -> None:
        if self.server.hooks is None:
            return self._answer(404, b"<html>Cannot GET /hooks/create</html>", "text/html")
        known = asked["callbackURL"] in self.server.hooks
        self.server.hooks.setdefault(asked["callbackURL"], asked)
        told = {"hookID": "1b2c-uuid", "permanentHook": "false", "rawData": "false"}
        return self._answer(200, self._success(told | ({"messageKey": "duplicateWarning"} if known else {})))

    def _list_hooks(self, _asked: dict[str, str]) -> None:
        if self.server.hooks is None:
            return self._answer(404, b"<html>Cannot GET /hooks/list</html>", "text/html")
        listed = "".join(
            f"<hook><hookID>{place}</hookID><callbackURL><![CDATA[{address}]]></callbackURL>"
            f"<meetingID><![CDATA[{asked['meetingID']}]]></meetingID><permanentHook>false</permanentHook></hook>"
            for place, (address, asked) in enumerate(self.server.hooks.items())
        )
        return self._answer(200, self._success({}, f"<hooks>{listed}</hooks>"))

    def _info(self, asked: dict[str, str]) -> None:
        found = [one for one in self.server.meetings if one.id == asked.get("meetingID")]
        if not found:
            return self._refuse("notFound", "A meeting with that ID does not exist")
        return self._answer(
            200,
            f"<response><returncode>SUCCESS</returncode>{meeting_xml(found[-1], people=self.server.lists_people)}</response>".encode(),
        )

    def _list(self, _asked: dict[str, str]) -> None:
        if not self.server.meetings:
            told = {"messageKey": "noMeetings", "message": "no meetings were found on this server"}
            return self._answer(200, self._success(told, "<meetings/>"))
        listed = "".join(
            f"<meeting>{meeting_xml(one, people=self.server.lists_people)}</meeting>" for one in self.server.meetings
        )
        return self._answer(200, self._success({}, f"<meetings>{listed}</meetings>"))

    def _list_recordings(self, asked: dict[str, str]) -> None:
        states = asked.get("state", "published,unpublished").split(",")
        found = [
            one
            for one in self.server.recordings
            if self.server.lists_everything or (one.meeting_id in asked["meetingID"].split(",") and one.state in states)
        ]
        if not found:
            told = {"messageKey": "noRecordings", "message": "There are no recordings for the meeting(s)."}
            return self._answer(200, self._success(told, "<recordings/>"))
        listed = "".join(f"<recording>{recording_xml(one, self.server.url)}</recording>" for one in found)
        return self._answer(200, self._success({}, f"<recordings>{listed}</recordings>"))

    def _change_recordings(
        self, done: str, change: Callable[[BbbRecording, dict[str, str]], None]
    ) -> Callable[[dict[str, str]], None]:
        def answer(asked: dict[str, str]) -> None:
            found = [one for one in self.server.recordings if one.id in asked.get("recordID", "").split(",")]
            if not found:
                return self._refuse("notFound", "We could not find recordings")
            for one in found:
                change(one, asked)
            return self._answer(200, self._success({done: "true"}))

        return answer

    def _publish(self, kept: BbbRecording, asked: dict[str, str]) -> None:
        kept.state = "published" if asked["publish"] == "true" else "unpublished"

    def _update(self, kept: BbbRecording, asked: dict[str, str]) -> None:
        kept.metadata |= {name[5:]: value for name, value in asked.items() if name.startswith("meta_")}

    def _delete(self, kept: BbbRecording, _asked: dict[str, str]) -> None:
        self.server.recordings.remove(kept)

    def _success(self, told: Mapping[str, Any], more: str = "") -> bytes:
        return f"<response><returncode>SUCCESS</returncode>{more}{tags(told)}</response>".encode()

    def _refuse(self, key: str, message: str = "It did not work: <b>sorry</b>.") -> None:
        told = tags({"messageKey": key, "message": message})
        self._answer(200, f"<response><returncode>FAILED</returncode>{told}</response>".encode())

    def _answer(self, status: int, body: bytes, kind: str = "text/xml") -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind};charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True


@contextmanager
def running_bbb() -> Iterator[BbbServer]:
    """A server that listens until the end of the block."""
    server = BbbServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
