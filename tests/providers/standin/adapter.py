"""How the portal speaks with the stand-in: the adapter that the tests add to the catalog."""

import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlencode

from portal.clock import now
from portal.errors import Message
from portal.providers.base import (
    CallbackRefused,
    Contradiction,
    Count,
    Destination,
    FieldKind,
    LiveState,
    Places,
    Property,
    ProviderError,
    RawCallback,
    RecordingFormat,
    RecordingMode,
    RecordingState,
    Report,
    RunRequest,
    RunStatus,
    ServiceRecording,
    ServiceStatus,
    Setting,
    SettingScope,
    Snapshot,
    Visit,
    WatchedRoom,
)
from tests.providers.standin.server import sign

TIMEOUT = 2.0
WINDOW = timedelta(minutes=5)
ROLES = {"moderator": "chair", "attendee": "member", "guest": "visitor"}
STATES = {"busy": RecordingState.PROCESSING, "done": RecordingState.READY, "broken": RecordingState.FAILED}
LABELS = {
    "participants": Message("Participants"),
    "moderators": Message("Moderators"),
    "attendees": Message("Attendees"),
    "guests": Message("Guests"),
    "voices": Message("Microphones on"),
    "hands": Message("Raised hands"),
}


class StandInAdapter:
    """A type of service for conferences at an address of its own."""

    key = "standin"
    label = "Stand-in"
    kinds = frozenset({"meet"})
    places: Places | None = None
    asks_about_guests = False
    properties: Sequence[Property] = (
        Property(
            name="host_url",
            kind=FieldKind.ADDRESS,
            label=Message("Address"),
            help=Message("Where the service answers."),
            required=True,
            longest=200,
        ),
        Property(
            name="secret",
            kind=FieldKind.SECRET,
            label=Message("Shared secret"),
            help=Message("What both sides sign with."),
            required=True,
        ),
    )
    settings: Sequence[Setting] = (
        Setting(
            name="welcome_message",
            kind=FieldKind.TEXT,
            scope=SettingScope.PROVIDER,
            label=Message("Welcome message"),
            help=Message("What people read first."),
            read_by="stand-in",
        ),
    )
    contradictions: Sequence[Contradiction] = ()
    features: frozenset[str] = frozenset({"public_chat", "recording", "record_expiration", "max_recordings"})

    def bind(self, properties: Mapping[str, Any]) -> "StandInService":
        return StandInService(properties.get("host_url", "http://127.0.0.1:9"), properties.get("secret", ""))

    def recording_mode(self, _settings: Mapping[str, Any], limits: Mapping[str, Any]) -> RecordingMode:
        return RecordingMode.BY_HAND if limits.get("recording") is True else RecordingMode.OFF


class StandInService:
    """One stand-in, as a row describes it."""

    leads_on = False

    def __init__(self, url: str, secret: str) -> None:
        self._url, self._secret = url, secret

    @property
    def origin(self) -> str:
        return self._url

    def start(self, request: RunRequest) -> str:
        asked = {
            "room_key": request.room_key,
            "room_name": f"{request.room_name} {request.settings['welcome_message']}".strip(),
            "callback_url": request.callback_url,
            "return_url": request.return_url,
        }
        return str(self._call("start", asked)["external"])

    def end(self, external: str) -> None:
        self._call("end", {"external": external})

    def destination(self, external: str, visit: Visit) -> Destination:
        query = {
            "external": external,
            "person": visit.participant_id,
            "name": visit.name,
            "role": ROLES[visit.role],
        }
        signature = sign(self._secret, urlencode(query).encode())
        return Destination(f"{self._url}/join?{urlencode({**query, 'signature': signature})}")

    def look(self, rooms: Collection[WatchedRoom]) -> ServiceStatus:
        at = now()
        found = self._call("status", {"rooms": [room.room_key for room in rooms]})
        return ServiceStatus(
            {key: RunStatus(one["external"], _snapshot(one["people"], at)) for key, one in found.items()}
        )

    def recordings(self, room_keys: Collection[str]) -> Sequence[ServiceRecording]:
        return [_recording(one) for one in self._call("recordings", {"rooms": list(room_keys)})]

    def publish_recording(self, external: str, *, published: bool) -> None:
        self._call_about("publish", {"external": external, "value": published})

    def rename_recording(self, external: str, name: str) -> None:
        self._call_about("rename", {"external": external, "value": name})

    def delete_recording(self, external: str) -> None:
        self._call_about("delete", {"external": external})

    def _call_about(self, call: str, asked: object) -> None:
        """Call about a recording, which may be gone already."""
        try:
            self._call(call, asked)
        except ProviderError as error:
            if not isinstance(error.__cause__, urllib.error.HTTPError) or error.__cause__.code != HTTPStatus.NOT_FOUND:
                raise

    def test(self) -> Mapping[str, str]:
        try:
            return {"version": str(self._call("hello", {})["version"])}
        except ProviderError as error:
            if isinstance(error.__cause__, urllib.error.HTTPError) and error.__cause__.code == HTTPStatus.UNAUTHORIZED:
                words = Message("The service answers at this address, and refuses this secret.")
                raise ProviderError(words, permanent=True, field="secret") from error
            words = Message("No such service answers at this address.")
            raise ProviderError(words, permanent=False, field="host_url") from error

    def callback_address(self, callback_url: str) -> str:
        return callback_url

    def read_callback(self, callback: RawCallback) -> Sequence[Report]:
        stamp = callback.headers.get("x-stamp", "")
        good = sign(self._secret, stamp.encode() + b"." + callback.body)
        if not hmac.compare_digest(callback.headers.get("x-signature", "").encode(), good.encode()):
            raise CallbackRefused
        if not stamp.isdigit() or abs(callback.received_at.timestamp() - int(stamp)) > WINDOW.total_seconds():
            raise CallbackRefused
        said = {name: values[0] for name, values in parse_qs(callback.body.decode()).items()}
        over = Snapshot(state=LiveState.IDLE, checked_at=callback.received_at)
        snapshot = over if said["event"] == "ended" else None
        return [Report(key=said["id"], external=said["external"], snapshot=snapshot)]

    def _call(self, call: str, asked: object) -> Any:
        body = json.dumps(asked).encode()
        headers = {"Content-Type": "application/json", "X-Signature": sign(self._secret, body)}
        request = urllib.request.Request(f"{self._url}/{call}", body, headers)
        begun = time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                return json.loads(answer.read(1_000_000))
        except urllib.error.HTTPError as error:
            raise ProviderError(f"{call} was answered {error.code}", permanent=error.code in {401, 409}) from error
        except (OSError, ValueError) as error:
            took = time.monotonic() - begun
            raise ProviderError(f"{call} got no answer in {took:.1f} s", permanent=False) from error


def _recording(told: Mapping[str, Any]) -> ServiceRecording:
    began = datetime.fromtimestamp(told["began"], UTC)
    return ServiceRecording(
        external=told["external"],
        room_key=told["room_key"],
        name=told["name"],
        state=STATES[told["state"]],
        published=told["published"],
        started_at=began,
        ended_at=began + timedelta(minutes=told["minutes"]),
        size=told["megabytes"] * 1_000_000,
        formats=[RecordingFormat(type=kind, url=url, seconds=minutes * 60) for kind, url, minutes in told["watch"]],
    )


def _snapshot(people: Sequence[Sequence[str]], at: Any) -> Snapshot:
    by_role = [role for _, _, role in people]
    figures: dict[str, int | None] = {
        "participants": len(people),
        "moderators": by_role.count("chair"),
        "attendees": by_role.count("member"),
        "guests": by_role.count("visitor"),
        "voices": len(people),
        "hands": None,
    }
    return Snapshot(
        state=LiveState.LIVE if people else LiveState.STARTING,
        checked_at=at,
        headline=len(people),
        counts=tuple(Count(key, LABELS[key], value) for key, value in figures.items()),
        names=tuple(name for _, name, _ in people),
        present=frozenset(person for person, _, _ in people),
    )
