"""The border between portal and services, whole in one file, because an adapter imports nothing else of the portal.

What crosses it are frozen values; what may be asked of a service are small Protocols.

An **adapter** is a type of service (`mesh`, say): what it is called, which properties a row of `service_providers`
must hold for it, which settings of rooms it obeys. Binding it to the unsealed properties of one row gives a
**service**, which does the work. The portal asks a service by `isinstance(service, Joinable)` what it can do; a
service implements as many of the Protocols as it can serve, and pages show no more than that.

An adapter translates our three roles into its service's words; nobody else knows those words.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol, runtime_checkable

from portal.errors import Message


class ProviderError(Exception):
    """A service did not do what we asked. `permanent`: asking again will not help. `field`: the property to blame.

    `answered`: the service is up, and refused this one thing.
    """

    def __init__(self, message: str, *, permanent: bool, field: str | None = None, answered: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.field = field
        self.answered = answered


class CallbackRefused(Exception):
    """A callback does not come from the service that it claims to come from, or is too old."""


class FieldKind(StrEnum):
    """What a declared setting or property holds; what is stored is always plain JSON.

    `ADDRESS` is an http(s) URL, `CHOICE` a word of `choices`, `NUMBER` a whole number, `COLOR` is `#RRGGBB`, `MOMENT` a
    date and time in UTC as the API writes it; a `SECRET` is sealed at rest and never shown again. A `FILE` is uploaded
    at an address of its own, and kept beside the values: none is ever stored under its name.
    """

    TEXT = "text"
    ADDRESS = "address"
    CHOICE = "choice"
    SWITCH = "switch"
    NUMBER = "number"
    COLOR = "color"
    MOMENT = "moment"
    FILE = "file"
    SECRET = "secret"  # noqa: S105  (a kind of field)


@dataclass(frozen=True, kw_only=True)
class DeclaredField:
    """A value that somebody may set, declared once: forms, validation and documentation are drawn from it.

    `default` counts where nothing is set; "" is nothing. That of a `COLOR` is a colour, because browsers show no empty
    one, and that of a `CHOICE` one of `choices`, which are (word, label). `longest` bounds texts in characters, `least`
    and `most` bound numbers, both included.
    """

    name: str
    kind: FieldKind
    label: Message
    help: Message
    default: str | bool | int = ""
    longest: int = 200
    least: int = 0
    most: int = 2**53 - 1  # what every JSON reader can hold
    choices: tuple[tuple[str, Message], ...] = ()


class SettingScope(StrEnum):
    """Which rooms have a setting: all, those of a type, or those of a provider."""

    GLOBAL = "global"
    ROOM_TYPE = "room type"
    PROVIDER = "room provider"


@dataclass(frozen=True, kw_only=True)
class Setting(DeclaredField):
    """One setting of a room, obeyed by `read_by`; never a `SECRET`, because whoever sees a room reads its settings.

    `feature` is the code of the feature without which it does nothing: only rooms whose plan grants that are offered
    it. Empty for a setting that needs none.
    """

    scope: SettingScope
    read_by: str
    feature: str = ""

    def __post_init__(self) -> None:
        if self.kind is FieldKind.SECRET:
            raise ValueError(f"the setting {self.name} would be read by everybody who sees the room")


@dataclass(frozen=True, kw_only=True)
class Contradiction:
    """Settings of a room that together cannot come true, so that nobody can save them.

    `holds` judges the values of settings, with their defaults filled in, and the features in force, both as a
    `RunRequest` has them. `settings` and `features` name those on which it depends; `words` say beside one of them
    what to do.
    """

    settings: tuple[str, ...]
    features: tuple[str, ...] = ()
    holds: Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
    words: Message


@dataclass(frozen=True, kw_only=True)
class Property(DeclaredField):
    """One property of a row of `service_providers`. A `required` one must be set before the row can be used."""

    required: bool = False


class LiveState(StrEnum):
    """Whether a room is in use now. (Whether it may be used at all is its `status`.)

    `starting`: a run was opened and nobody is in it yet. `unknown`: its service has not answered for too long.
    """

    IDLE = "idle"
    STARTING = "starting"
    LIVE = "live"
    ENDING = "ending"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Count:
    """One number of a room's status, with the label that the adapter gives it. None if the service does not tell it."""

    key: str
    label: Message
    value: int | None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What a service, or the portal's own presence, says about a room at `checked_at`.

    `headline` is the number that lists and badges show (meet: participants). `names` are the names of the people in the
    room, in the order of entering. `present` holds their ids, as `Visit.participant_id` told them to the service; None
    if the service does not tell who is in. `since` is when the state began, if the service tells.
    """

    state: LiveState
    checked_at: datetime
    since: datetime | None = None
    headline: int = 0
    counts: tuple[Count, ...] = ()
    names: tuple[str, ...] = ()
    present: frozenset[str] | None = None


@dataclass(frozen=True)
class WatchedRoom:
    """A room about which the portal asks a service: its `RunRequest.room_key`, and the service's name for its run.

    `external` is empty if the portal knows of no run; the service may know one all the same.
    """

    room_key: str
    external: str


@dataclass(frozen=True)
class RunStatus:
    """What a service says about a run. `external` is the service's own name for the run."""

    external: str
    snapshot: Snapshot


@dataclass(frozen=True)
class ServiceStatus:
    """What a service says when it is asked about rooms: `room_key` → the run that goes on in it. Others are left out.

    `counts` tell how busy the service is as a whole, whoever else uses it; empty if it does not tell.
    """

    runs: Mapping[str, RunStatus]
    counts: tuple[Count, ...] = ()


class RecordingMode(StrEnum):
    """Whether a run may be recorded, and who begins it: a moderator, or the service as soon as somebody is in."""

    OFF = "off"
    BY_HAND = "by hand"
    BY_ITSELF = "by itself"


class RecordingState(StrEnum):
    """How far a recording is. One that is `ready` can be watched; a `failed` one never will."""

    RECORDING = "recording"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class RecordingFormat:
    """One way to watch a recording: its kind in the service's own words, such as `video`, and its address.

    `seconds` is how long it plays; None if the service does not tell.
    """

    type: str
    url: str
    seconds: int | None = None


@dataclass(frozen=True, kw_only=True)
class ServiceRecording:
    """What a service says about one recording that it keeps.

    `external` is the service's own name for it, and `room_key` the room's (`RunRequest.room_key`). `published`: whether
    people can open its formats. `size` is in bytes; None if the service does not tell.
    """

    external: str
    room_key: str
    name: str
    state: RecordingState
    published: bool
    started_at: datetime
    ended_at: datetime | None = None
    size: int | None = None
    formats: Sequence[RecordingFormat] = ()


@dataclass(frozen=True, kw_only=True)
class Places:
    """How many people a conversation holds, and how many of them may send pictures and sound; the others listen."""

    people: int
    senders: int


@dataclass(frozen=True, kw_only=True)
class Player:
    """What the conference page embeds: a template with its context, a script, and stylesheets in their order."""

    template: str
    script: str
    stylesheets: tuple[str, ...]
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunFile:
    """An uploaded file: what people call it, and an address of the portal at which it can be fetched for some minutes.

    The address is not stored, nor logged.
    """

    name: str
    url: str


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What a service is told to start a run of a room.

    `room_key` is the room's name at every service, for ever (its uuid). `settings` are the declared ones with their
    defaults filled in, `limits` the features in force by code (None: unlimited). `callback_url` is the address for
    the service's callbacks, `return_url` the page for people who have left. `files` are the uploaded ones, by the
    names of their settings.
    """

    room_key: str
    room_name: str
    settings: Mapping[str, Any]
    limits: Mapping[str, int | bool | None]
    callback_url: str
    return_url: str
    files: Mapping[str, RunFile] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A person who is about to enter a run. `participant_id` is the id by which the service should know this person."""

    participant_id: str
    name: str
    role: Literal["moderator", "attendee", "guest"]
    return_url: str


@dataclass(frozen=True)
class Destination:
    """The address of the service to which one person is redirected to be in the run. It is not stored."""

    url: str


@dataclass(frozen=True, kw_only=True)
class RawCallback:
    """A request that claims to come from a service, with its raw bytes.

    `url` is the address as the portal gave it to the service, with the query. The names of `headers` are lower case.
    """

    url: str
    method: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one message of a callback says. A message that is sent again has the same `key`.

    `external` is the service's name for the run; empty if the message tells only the room, `RunRequest.room_key`.
    Without a `snapshot`, or about a room only, the message says no more than that the service should be asked.
    `recorded`: it is not about the run, but about the room's recordings, for which the service should be asked.
    """

    key: str
    external: str
    room_key: str = ""
    recorded: bool = False
    snapshot: Snapshot | None = None


class Adapter(Protocol):
    """A type of service. One adapter serves any number of rows, each bound to properties of its own."""

    key: str
    label: str
    kinds: frozenset[str]
    """Room types that it can serve."""
    properties: Sequence[Property]
    settings: Sequence[Setting]
    """The settings that its rooms can choose and that it obeys; each with `SettingScope.PROVIDER`."""
    contradictions: Sequence[Contradiction]
    """Those of its settings, and of those of the room type, that cannot come true together."""
    features: frozenset[str]
    """The codes of those features that a service has to provide (`by_service`) and that this one provides."""
    places: Places | None
    """What the portal itself has to see to; None for services that see to it themselves, or hold any number."""
    asks_about_guests: bool
    """Whether its moderators let guests in where a room's policy is `ask`; else guests wait at the portal's door."""

    def bind(self, properties: Mapping[str, Any]) -> Any:
        """The service behind a row with these properties, secrets unsealed. Opens no connection."""
        ...

    def recording_mode(self, settings: Mapping[str, Any], limits: Mapping[str, Any]) -> RecordingMode:
        """Whether a run with these settings and limits, as a `RunRequest` has them, may be recorded."""
        ...


@runtime_checkable
class Embeddable(Protocol):
    """A service whose people meet on a page of the portal itself. The page's heartbeats tell who is in."""

    def player(self, participant_id: str) -> Player:
        """The player for one participant, who is known by this id."""
        ...


@runtime_checkable
class Startable(Protocol):
    """A service at which a run has to be started before anybody can be in it, and can be ended."""

    def start(self, request: RunRequest) -> str:
        """Start a run, or find the one that goes on. Returns the service's name for it. Raises `ProviderError`."""
        ...

    def end(self, external: str) -> None:
        """End a run. Does nothing if it has ended already. Raises `ProviderError`."""
        ...


@runtime_checkable
class Joinable(Startable, Protocol):
    """A service whose people meet at an address of its own."""

    @property
    def origin(self) -> str:
        """The origin of all its destinations, such as `https://meet.example`, to which the portal's forms redirect."""
        ...

    @property
    def leads_on(self) -> bool:
        """Whether that origin redirects people on to servers of other origins, which nobody knows beforehand."""
        ...

    def destination(self, external: str, visit: Visit) -> Destination:
        """The address at which this person enters the run. Raises `ProviderError`."""
        ...


@dataclass(frozen=True, kw_only=True)
class IngestPlan:
    """How a live run is made into segments, how far back viewers may go, how long a lost broadcaster is waited for."""

    segment_milliseconds: int
    dvr_minutes: int
    grace_seconds: int


@runtime_checkable
class TakesIngest(Protocol):
    """A service for which the portal itself takes what a broadcaster sends, and makes of it what viewers play."""

    def ingest_plan(self, settings: Mapping[str, Any]) -> IngestPlan:
        """How a run with these settings, as a `RunRequest` has them, is made into segments."""
        ...


@runtime_checkable
class Testable(Protocol):
    """A service with which the connection can be tested before its row is saved."""

    def test(self) -> Mapping[str, str]:
        """Ask the service whether it can be used with these properties. Changes nothing there.

        Returns what it says about itself, such as its `version`. Raises `ProviderError` whose message is a `Message`
        for people, and whose `field` is the property to blame: nothing answers at an address, or what answers there
        is not the service; or it does answer, and refuses the secret.
        """
        ...


@runtime_checkable
class TellsTime(Protocol):
    """A service whose clock can be compared with the portal's: what it signs counts for minutes only."""

    def clock(self) -> datetime | None:
        """What time it is there, to the second below; None if it does not tell. Raises `ProviderError`."""
        ...


@runtime_checkable
class ReportsStatus(Protocol):
    """A service that tells the state of its runs when it is asked."""

    def look(self, rooms: Collection[WatchedRoom]) -> ServiceStatus:
        """What goes on in these rooms, by one request for all of them. Raises `ProviderError`."""
        ...


@runtime_checkable
class ReceivesCallbacks(Protocol):
    """A service that tells the state of its runs by itself, by callbacks."""

    def callback_address(self, callback_url: str) -> str:
        """The address that the service calls, without a query: `callback_url`, or another one of the portal."""
        ...

    def read_callback(self, callback: RawCallback) -> Sequence[Report]:
        """The messages of the callback, whose raw bytes are verified. Raises `CallbackRefused`."""
        ...


@runtime_checkable
class RegistersCallbacks(ReceivesCallbacks, Protocol):
    """A service that sends callbacks about a room only if it was asked to, and may forget that it was."""

    def register_callbacks(self, room_keys: Collection[str], callback_url: str) -> None:
        """Have callbacks about the runs of these rooms sent to this address, as far as they are not sent there already.

        It takes one request, and one more for each room of which the service knows nothing. Raises `ProviderError`.
        """
        ...


@runtime_checkable
class Recordable(Protocol):
    """A service that records runs, and keeps the recordings. Its adapter has `recording` among its `features`.

    It is told what people decide on the portal after that is stored there, and told again until it has answered: so
    each method may be called twice for one decision, and one about a recording that is gone already does nothing.
    """

    def recordings(self, room_keys: Collection[str]) -> Sequence[ServiceRecording]:
        """All recordings of these rooms that the service keeps, by as few requests as it can. Raises `ProviderError`.

        What it says of other rooms is passed over.
        """
        ...

    def publish_recording(self, external: str, *, published: bool) -> None:
        """Let people open a recording, or let nobody. Raises `ProviderError`."""
        ...

    def rename_recording(self, external: str, name: str) -> None:
        """Call a recording so. Raises `ProviderError`."""
        ...

    def delete_recording(self, external: str) -> None:
        """Delete a recording for good. Raises `ProviderError`."""
        ...
