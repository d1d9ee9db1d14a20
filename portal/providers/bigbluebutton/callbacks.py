"""What servers tell by themselves, verified over the raw bytes: that a meeting ended, and the messages of bbb-webhooks.

The end of a meeting comes as a GET without a signature, so the address that the server was given carries a proof. It
can be sent again for ever, so it says no more than that the server should be asked. Messages of the webhooks component
are signed over address and body, or carry the secret itself; they have a time, and count for minutes only. That a
recording is ready comes as a JSON web token, signed with the secret by one algorithm, whatever its head says. Messages
hold passwords and networks of people: nothing of them is kept but which run they are about.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.etree.ElementTree import Element

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from portal.providers.base import CallbackRefused, LiveState, RawCallback, Report, Snapshot
from portal.providers.bigbluebutton.client import require_no_query, text_of
from portal.providers.bigbluebutton.meetings import run_name
from portal.providers.bigbluebutton.refusals import CALLBACK_ADDRESS
from portal.providers.bigbluebutton.signing import derived, fits
from portal.providers.fetch import LONGEST_SIGNED_ADDRESS

LONGEST_DELAY = timedelta(minutes=10)
"""Servers send a message again for five minutes, always with its first time."""
CLOCK_SKEW = timedelta(minutes=1)
SAME_END = 10  # seconds within which a meeting is said only once to have ended
MOST_MESSAGES = 200
RECORDED = b"signed_parameters="
"""What the body begins with that says that a recording is ready."""
SIGNED_BY = "HS256"

EVENTS = (
    "meeting-ended",
    "user-joined",
    "user-left",
    "user-audio-voice-enabled",
    "user-audio-voice-disabled",
    "user-cam-broadcast-start",
    "user-cam-broadcast-end",
)
"""What the webhooks component is asked to tell: whatever changes a room's figures."""

_CHECKSUM = re.compile(r"[?&]checksum=([0-9a-fA-F]+)\Z")
_MILLISECONDS = re.compile(r"\d{1,15}", re.ASCII)
_MADE_AT = re.compile(r"-(\d{1,17})\Z", re.ASCII)


class CallbackReader:
    """Reads the callbacks of a server that knows one of these secrets.

    `by_bearer`: its webhooks component sends the secret itself. `base` is the portal's address for the server, if that
    is another than for people. Raises `ProviderError` if addresses cannot begin with it.
    """

    def __init__(self, secrets: Sequence[str], *, by_bearer: bool, base: str) -> None:
        require_no_query(base, field=CALLBACK_ADDRESS)
        self._secrets, self._by_bearer, self._base = secrets, by_bearer, base.rstrip("/")

    def address(self, callback_url: str) -> str:
        """The address of the portal as the server knows it. There it says, too, that a recording is ready."""
        if not self._base:
            return callback_url
        parts = urlsplit(callback_url)
        return f"{self._base}{parts.path}{'?' if parts.query else ''}{parts.query}"

    def end_address(self, callback_url: str, room_key: str) -> str:
        """The address that a server calls when this room's meeting has ended."""
        query = urlencode({"ended": room_key, "proof": _proof(self._secrets[0], room_key)})
        return f"{self.address(callback_url)}?{query}"

    def message_address(self, callback_url: str, room_key: str) -> str:
        """The address to which messages about this room's meeting go; of its own, so that each room has its hook."""
        return f"{self.address(callback_url)}?{urlencode({'room': room_key})}"

    def read(self, callback: RawCallback) -> Sequence[Report]:
        """The messages of a callback. Raises `CallbackRefused`."""
        if callback.method == "GET":
            return [self._end(callback)]
        return [self._recorded(callback)] if callback.body.startswith(RECORDED) else self._messages(callback)

    def _end(self, callback: RawCallback) -> Report:
        asked = parse_qs(urlsplit(callback.url).query)
        room_key, proof = (asked.get(name, [""])[0] for name in ("ended", "proof"))
        if not room_key or not any(_same(proof, _proof(secret, room_key)) for secret in self._secrets):
            raise CallbackRefused
        moment = int(callback.received_at.timestamp()) // SAME_END
        return Report(key=f"ended {room_key} {moment}", external="", room_key=room_key)

    def _recorded(self, callback: RawCallback) -> Report:
        token = parse_qs(callback.body.decode()).get(RECORDED[:-1].decode(), [""])[0]
        claims = next((found for secret in self._secrets if (found := _claims(token, secret)) is not None), None)
        if claims is None:
            raise CallbackRefused
        room_key, record_id = str(claims["meeting_id"]), str(claims["record_id"])
        moment = int(callback.received_at.timestamp()) // SAME_END
        return Report(key=f"recorded {record_id} {moment}", external="", room_key=room_key, recorded=True)

    def _messages(self, callback: RawCallback) -> list[Report]:
        if not (self._has_bearer(callback) if self._by_bearer else self._is_signed(callback)):
            raise CallbackRefused
        said = parse_qs(callback.body.decode())
        _require_fresh(said.get("timestamp", [""])[0], callback)
        events = json.loads(said.get("event", ["[]"])[0])
        events = events if isinstance(events, list) else [events]
        sent = hashlib.sha256(callback.body).hexdigest()
        reports = [_report(event, f"{sent} {place}", callback) for place, event in enumerate(events[:MOST_MESSAGES])]
        return [report for report in reports if report is not None]

    def _has_bearer(self, callback: RawCallback) -> bool:
        scheme, _, given = callback.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and any(_same(given.strip(), secret) for secret in self._secrets)

    def _is_signed(self, callback: RawCallback) -> bool:
        found = _CHECKSUM.search(callback.url)
        if found is None:
            return False
        signed = self.address(callback.url[: found.start()]).encode() + callback.body
        return any(fits(found[1], signed, secret) for secret in self._secrets)


def hooks_of(answer: Element) -> set[str]:
    """The addresses that the webhooks component calls, of its list; those of other portals are among them."""
    return {text_of(hook, "callbackURL", LONGEST_SIGNED_ADDRESS) for hook in answer.iterfind("hooks/hook")}


def _claims(token: str, secret: str) -> Mapping[str, Any] | None:
    """What a token says that was signed with this secret; None for any other."""
    try:
        return jwt.decode(token, OctKey.import_key(secret), algorithms=[SIGNED_BY]).claims
    except (JoseError, ValueError):
        return None


def _proof(secret: str, room_key: str) -> str:
    return derived(secret, "ended", room_key)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _require_fresh(milliseconds: str, callback: RawCallback) -> None:
    if not _MILLISECONDS.fullmatch(milliseconds):
        raise CallbackRefused
    age = callback.received_at.timestamp() - int(milliseconds) / 1000
    if not -CLOCK_SKEW.total_seconds() <= age <= LONGEST_DELAY.total_seconds():
        raise CallbackRefused


def _report(event: Any, key: str, callback: RawCallback) -> Report | None:
    """What one message says of a run; None if it tells of no meeting."""
    try:
        data = event["data"]
        meeting = data["attributes"]["meeting"]
        room_key, internal = meeting["external-meeting-id"], meeting["internal-meeting-id"]
        made = _MADE_AT.search(internal)
        external = run_name(room_key, int(made[1])) if made is not None and room_key else ""
        is_over = data["id"] == "meeting-ended"
    except (KeyError, TypeError, IndexError):
        return None
    over = Snapshot(state=LiveState.IDLE, checked_at=callback.received_at) if is_over and external else None
    return Report(key=key, external=external, room_key=str(room_key), snapshot=over)
