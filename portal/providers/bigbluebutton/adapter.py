"""The adapters `bigbluebutton` and `scalelite`, which speak one API, and the service that their rows are bound to."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from portal.clock import now
from portal.errors import Message
from portal.providers.base import (
    Contradiction,
    Destination,
    FieldKind,
    Places,
    Property,
    ProviderError,
    RawCallback,
    RecordingMode,
    Report,
    RunRequest,
    ServiceRecording,
    ServiceStatus,
    Setting,
    Visit,
    WatchedRoom,
)
from portal.providers.bigbluebutton.callbacks import EVENTS, CallbackReader, hooks_of
from portal.providers.bigbluebutton.client import LARGEST_LIST, Client, api_address, number_of, text_of
from portal.providers.bigbluebutton.meetings import counts_of, is_ended, meeting_of, person_id, run_name, runs_of
from portal.providers.bigbluebutton.parameters import parameters_of, presentation_parameters
from portal.providers.bigbluebutton.recordings import LISTED, NAME, recordings_of
from portal.providers.bigbluebutton.refusals import ADDRESS, CALLBACK_ADDRESS, SECRET, ServerRefusal
from portal.providers.bigbluebutton.settings import AUTO_START, CONTRADICTIONS, PRESENTATION, SETTINGS, is_recorded
from portal.providers.bigbluebutton.signing import ALGORITHMS, derived

OFFERED = frozenset(
    {"public_chat", "private_chat", "screen_sharing", "recording", "record_expiration", "max_recordings"}
)
PROPERTIES = (
    Property(
        name=ADDRESS,
        kind=FieldKind.ADDRESS,
        label=Message("Address"),
        help=Message(
            "As the server tells it: https://meet.example/bigbluebutton. One in a private network, or without https, "
            "needs the operator's setting OUTGOING_ALLOWED."
        ),
        required=True,
    ),
    Property(
        name=SECRET,
        kind=FieldKind.SECRET,
        label=Message("Shared secret"),
        help=Message("What the server and the portal sign with: `bbb-conf --secret` shows it."),
        required=True,
    ),
    Property(
        name="secret_next",
        kind=FieldKind.SECRET,
        label=Message("Next shared secret"),
        help=Message("While the secret is being replaced: the one to come. The server may then know either."),
    ),
    Property(
        name="checksum",
        kind=FieldKind.CHOICE,
        label=Message("Signatures"),
        help=Message("The hash for signing. Choose another only for a server that does not know this one."),
        default=ALGORITHMS[0],
        choices=tuple((name, Message(name.upper().replace("SHA", "SHA-"))) for name in ALGORITHMS),
    ),
    Property(
        name="hooks_auth",
        kind=FieldKind.CHOICE,
        label=Message("Proof in callbacks"),
        help=Message("How the server's webhooks component proves who it is: `auth2_0` in its settings is a bearer."),
        default="checksum",
        choices=(("checksum", Message("Checksum")), ("bearer", Message("Bearer"))),
    ),
    Property(
        name=CALLBACK_ADDRESS,
        kind=FieldKind.ADDRESS,
        label=Message("This portal's address for the server"),
        help=Message("Only if the server reaches the portal at another address than people do."),
    ),
)


class BigBlueButton:
    """A type of service for conferences at servers that speak BigBlueButton's API."""

    kinds = frozenset({"meet"})
    properties: Sequence[Property] = PROPERTIES
    settings: Sequence[Setting] = SETTINGS
    contradictions: Sequence[Contradiction] = CONTRADICTIONS
    features: frozenset[str] = OFFERED
    places: Places | None = None
    asks_about_guests = True

    def __init__(self, key: str, label: str, *, leads_on: bool = False) -> None:
        self.key, self.label, self._leads_on = key, label, leads_on

    def bind(self, properties: Mapping[str, Any]) -> "BigBlueButtonService":
        """The server at this address."""
        return BigBlueButtonService(properties, leads_on=self._leads_on)

    def recording_mode(self, settings: Mapping[str, Any], limits: Mapping[str, Any]) -> RecordingMode:
        """As `create` says it: nobody begins what was not asked for there."""
        if not is_recorded(settings, limits):
            return RecordingMode.OFF
        return RecordingMode.BY_ITSELF if settings.get(AUTO_START) is True else RecordingMode.BY_HAND


SERVER = BigBlueButton("bigbluebutton", "BigBlueButton")
BALANCER = BigBlueButton("scalelite", "Scalelite", leads_on=True)
"""In front of several servers: it sends each person on to the one that holds the meeting."""


class BigBlueButtonService:
    """One server, or one balancer in front of several, as a row describes it."""

    def __init__(self, properties: Mapping[str, Any], *, leads_on: bool) -> None:
        self.leads_on = leads_on
        secrets = (properties[SECRET], properties["secret_next"])
        self._client = Client(api_address(properties[ADDRESS]), secrets, properties["checksum"])
        self._callbacks = CallbackReader(
            self._client.secrets, by_bearer=properties["hooks_auth"] == "bearer", base=properties[CALLBACK_ADDRESS]
        )

    @property
    def origin(self) -> str:
        parts = urlsplit(self._client.address)
        return f"{parts.scheme}://{parts.netloc}"

    def start(self, request: RunRequest) -> str:
        made = self._created(request)
        if is_ended(made):
            raise ProviderError("the meeting before is still being ended", permanent=False, answered=True)
        if text_of(made, "meetingID") not in {"", request.room_key}:
            raise ProviderError("the server made another meeting", permanent=True)
        return run_name(request.room_key, number_of(made, "createTime"))

    def end(self, external: str) -> None:
        meeting_id, _created = meeting_of(external)
        try:
            found = self._described(meeting_id)
            if is_ended(found) or run_name(meeting_id, number_of(found, "createTime")) != external:
                return  # it is over; what goes on in the room now is another run
            password = text_of(found, "moderatorPW") or self._password(meeting_id, "moderator")
            self._client.call("end", {"meetingID": meeting_id, "password": password})
        except ServerRefusal as refusal:
            if refusal.key != "notFound":
                raise

    def destination(self, external: str, visit: Visit) -> Destination:
        meeting_id, created = meeting_of(external)
        moderates = visit.role == "moderator"
        parameters = {
            "fullName": visit.name,
            "meetingID": meeting_id,
            "role": "MODERATOR" if moderates else "VIEWER",
            "password": self._password(meeting_id, "moderator" if moderates else "attendee"),
            "userID": person_id(visit.role, visit.participant_id),
        }
        if visit.role == "guest":
            parameters["guest"] = "true"
        if created:
            parameters["createTime"] = str(created)  # the address of an earlier run opens no later one
        return Destination(self._client.signed("join", parameters))

    def look(self, rooms: Collection[WatchedRoom]) -> ServiceStatus:
        at = now()
        found = self._client.call("getMeetings", {}, largest=LARGEST_LIST)
        return ServiceStatus(runs_of(found, {room.room_key for room in rooms}, at), counts_of(found))

    def test(self) -> Mapping[str, str]:
        try:
            told = self._client.root()
            self._client.call("isMeetingRunning", {"meetingID": "test"})  # answered for any id, and signed
        except ProviderError as error:
            raise _for_people(error) from error
        version = text_of(told, "bbbVersion", 40) or text_of(told, "apiVersion", 40) or text_of(told, "version", 40)
        return {"version": version} if version else {}

    def clock(self) -> datetime | None:
        return self._client.clock()

    def recordings(self, room_keys: Collection[str]) -> Sequence[ServiceRecording]:
        asked = {"meetingID": ",".join(sorted(room_keys)), "state": LISTED}
        try:
            return recordings_of(self._client.call("getRecordings", asked, largest=LARGEST_LIST), room_keys)
        except ServerRefusal as refusal:
            if refusal.key != "noRecordings":
                raise
            return []

    def publish_recording(self, external: str, *, published: bool) -> None:
        self._change_recording("publishRecordings", external, publish="true" if published else "false")

    def rename_recording(self, external: str, name: str) -> None:
        self._change_recording("updateRecordings", external, **{f"meta_{NAME}": name})

    def delete_recording(self, external: str) -> None:
        self._change_recording("deleteRecordings", external)

    def _change_recording(self, call: str, external: str, **parameters: str) -> None:
        """Change a recording, unless it is gone already."""
        try:
            self._client.call(call, {"recordID": external, **parameters})
        except ServerRefusal as refusal:
            if refusal.key != "notFound":
                raise

    def callback_address(self, callback_url: str) -> str:
        return self._callbacks.address(callback_url)

    def read_callback(self, callback: RawCallback) -> Sequence[Report]:
        return self._callbacks.read(callback)

    def register_callbacks(self, room_keys: Collection[str], callback_url: str) -> None:
        """Ask the webhooks component, which a server need not have. It forgets who could not be reached for minutes."""
        known = hooks_of(self._client.call("hooks/list", {}, largest=LARGEST_LIST))
        for room_key in sorted(room_keys):
            address = self._callbacks.message_address(callback_url, room_key)
            if address not in known:  # of two who ask at once, the second is told that it is known
                asked = {"callbackURL": address, "meetingID": room_key, "eventID": ",".join(EVENTS)}
                self._client.call("hooks/create", asked)

    def _created(self, request: RunRequest) -> Element:
        """The meeting in which the room's run goes on: a new one, or the one that the server has."""
        parameters = {
            "meetingID": request.room_key,
            "attendeePW": self._password(request.room_key, "attendee"),
            "moderatorPW": self._password(request.room_key, "moderator"),
            "logoutURL": request.return_url,
            "meta_endCallbackUrl": self._callbacks.end_address(request.callback_url, request.room_key),
        }
        if PRESENTATION in request.files:
            file = request.files[PRESENTATION]
            parameters |= presentation_parameters(file.name, self._callbacks.address(file.url))
        chosen = parameters_of(request, beside=parameters)
        if chosen["record"] == "true":
            parameters["meta_bbb-recording-ready-url"] = self._callbacks.address(request.callback_url)
        try:
            return self._client.call("create", parameters | chosen)
        except ServerRefusal as refusal:
            if refusal.key != "idNotUnique":
                raise
            return self._described(request.room_key)  # made under the secret before

    def _described(self, meeting_id: str) -> Element:
        """What goes on in a meeting, with all who are in it."""
        return self._client.call("getMeetingInfo", {"meetingID": meeting_id}, largest=LARGEST_LIST)

    def _password(self, room_key: str, role: str) -> str:
        """What old servers ask for; newer ones ask for the role. It can be made again, so it is kept nowhere."""
        return derived(self._client.secrets[0], role, room_key)


def _for_people(error: ProviderError) -> ProviderError:
    """The error of a test, as a sentence that stands beside the property to blame: the address, if no other is."""
    said = error.args[0]
    words = said if isinstance(said, Message) else Message("The server answers, but with an error. Try again later.")
    return ProviderError(words, permanent=error.permanent, field=error.field or ADDRESS, answered=error.answered)
