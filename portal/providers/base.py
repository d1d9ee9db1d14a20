"""The border between the portal and the services behind rooms: small Protocols, and the frozen values that cross it.

An **adapter** is a type of service (`mesh`, say): what it is called, which properties a row of `service_providers`
must hold for it, which settings of rooms it obeys. Binding it to the unsealed properties of one row gives a
**service**, which does the work. The portal asks a service by `isinstance(service, Joinable)` what it can do; a
service implements as many of the Protocols as it can serve, and pages show no more than that.

An adapter translates our three roles into its service's words; nobody else knows those words.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol, runtime_checkable

from portal.errors import Message


class ProviderError(Exception):
    """A service did not do what we asked. `permanent`: asking again will not help. `field`: the property to blame."""

    def __init__(self, message: str, *, permanent: bool, field: str | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.field = field


class CallbackRefused(Exception):
    """A callback is not from the service that it claims to be from, or too old to be believed."""


class FieldKind(StrEnum):
    """What a declared setting or property holds; what is stored is always plain JSON.

    `ADDRESS` is an http(s) URL, `CHOICE` a word of `choices`, `NUMBER` a whole number, `COLOR` is `#RRGGBB`, `MOMENT` a
    date and time in UTC as the API writes it; a `SECRET` is sealed at rest and never shown again. `FILE` names a stored
    upload: up to 64 letters, digits, hyphens, underscores. There are none yet: no form has one, nothing looks for it.
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
    """In which rooms a setting means something: all, those of a type, or those of a provider."""

    GLOBAL = "global"
    ROOM_TYPE = "room type"
    PROVIDER = "room provider"


@dataclass(frozen=True, kw_only=True)
class Setting(DeclaredField):
    """One setting of a room, obeyed by `read_by`; never a `SECRET`, because whoever sees a room reads its settings."""

    scope: SettingScope
    read_by: str

    def __post_init__(self) -> None:
        if self.kind is FieldKind.SECRET:
            raise ValueError(f"the setting {self.name} would be read by everybody who sees the room")


@dataclass(frozen=True, kw_only=True)
class Property(DeclaredField):
    """One property of a row of `service_providers`. A `required` one must be set before the row can be used."""

    required: bool = False


class LiveState(StrEnum):
    """Is something happening in the room right now? (Whether it may be used is its status field.)

    `starting`: a run was opened and nobody is in it yet. `unknown`: its service has not answered for too long.
    """

    IDLE = "idle"
    STARTING = "starting"
    LIVE = "live"
    ENDING = "ending"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Count:
    """One figure of a room's status, with the label that the adapter gives it. None: the service does not tell."""

    key: str
    label: Message
    value: int | None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What a service, or the portal's own presence, says about a room at `checked_at`.

    `headline` is the number that lists and badges show (meet: participants). `names` are those who are in, in the
    order of entering. `present` holds the ids by which `Visit.participant_id` made us known to the service, of those
    who are in; None where the service does not tell who is in. `since` is when the state began, if that is told.
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
    """A room that the portal asks a service about: by `RunRequest.room_key`, with what the service calls its run.

    `external` is empty where no run is known; the service may know one all the same.
    """

    room_key: str
    external: str


@dataclass(frozen=True)
class RunStatus:
    """What a service says of a run, and what it calls it."""

    external: str
    snapshot: Snapshot


@dataclass(frozen=True, kw_only=True)
class Player:
    """What the conference page embeds: a template, the script and the stylesheet beside it, and what they show."""

    template: str
    script: str
    stylesheet: str
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What a service is told when a run of a room is to start on it.

    `room_key` names the room at every service, for ever (its uuid); `settings` are the declared ones with their
    defaults filled in, `limits` the features in force by code (None: unlimited), `callback_url` the address at which
    the portal listens to this service, `return_url` the page for people who have left.
    """

    room_key: str
    room_name: str
    settings: Mapping[str, Any]
    limits: Mapping[str, int | bool | None]
    callback_url: str
    return_url: str


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One person about to come into a run. `participant_id` is what the service shall know this person by."""

    participant_id: str
    name: str
    role: Literal["moderator", "attendee", "guest"]
    return_url: str


@dataclass(frozen=True)
class Destination:
    """Where a person is sent to be in: an address of the service's, good for this one person and not kept."""

    url: str


@dataclass(frozen=True, kw_only=True)
class RawCallback:
    """A request that claims to come from a service, byte for byte, before anything has parsed it.

    `url` is the address as the portal gave it to the service, with the query; `headers` have lower-case names.
    """

    url: str
    method: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one message of a callback says. `key` is the same when the message is sent again.

    `external` is what the service calls the run. Without a `snapshot` the message is only a hint to look.
    """

    key: str
    external: str
    snapshot: Snapshot | None = None


class Adapter(Protocol):
    """A type of service. One adapter serves any number of rows, each bound to properties of its own."""

    key: str
    label: str
    kinds: frozenset[str]
    """Room types that it can serve."""
    properties: Sequence[Property]
    settings: Sequence[Setting]
    """What it lets rooms choose, and really obeys; each with `SettingScope.PROVIDER`."""
    features: frozenset[str]
    """Codes of the catalogue's features that are for the service to do (`by_service`) and that it does."""

    def bind(self, properties: Mapping[str, Any]) -> Any:
        """The service behind a row with these properties, secrets unsealed. Opens no connection."""
        ...


@runtime_checkable
class Embeddable(Protocol):
    """People meet on a page of the portal itself, whose signs of life tell who is in."""

    def player(self) -> Player:
        """The player for one participant."""
        ...


@runtime_checkable
class Startable(Protocol):
    """A run has to be started at the service before anybody can be in it, and can be ended there."""

    def start(self, request: RunRequest) -> str:
        """Start a run, or find the one that goes on; what the service calls it. Raises `ProviderError`."""
        ...

    def end(self, external: str) -> None:
        """End a run, also one that is over already. Raises `ProviderError`."""
        ...


@runtime_checkable
class Joinable(Startable, Protocol):
    """People meet at an address of the service's own."""

    @property
    def origin(self) -> str:
        """Scheme, host and port of all its destinations, such as `https://meet.example`: our forms lead there."""
        ...

    def destination(self, external: str, visit: Visit) -> Destination:
        """Where this person is let in to the run. Raises `ProviderError`."""
        ...


@runtime_checkable
class ReportsStatus(Protocol):
    """The service tells what goes on in its runs when it is asked."""

    def look(self, rooms: Collection[WatchedRoom]) -> Mapping[str, RunStatus]:
        """By `room_key`, the runs that go on in these rooms: one request, however many. Raises `ProviderError`.

        In a room that is left out nothing goes on.
        """
        ...


@runtime_checkable
class ReceivesCallbacks(Protocol):
    """The service tells what goes on in its runs by itself."""

    def read_callback(self, callback: RawCallback) -> Sequence[Report]:
        """What the callback says, verified over its raw bytes. Raises `CallbackRefused`."""
        ...
