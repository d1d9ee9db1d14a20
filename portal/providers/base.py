"""What the portal asks of a service behind rooms: small protocols, and frozen values that cross the border.

A provider translates our three roles into its own words; nobody else knows those words. The core asks
`isinstance(provider, Embeddable)`; a provider implements as many protocols as it can serve.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from portal.errors import Message


class ProviderError(Exception):
    """The service did not do what we asked. `permanent` steers retries, `field` names a form field."""

    def __init__(self, message: str, *, permanent: bool, field: str | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.field = field


class FieldKind(StrEnum):
    """What a setting holds."""

    TEXT = "text"
    ADDRESS = "address"
    """An http(s) URL."""
    CHOICE = "choice"
    SWITCH = "switch"


class SettingScope(StrEnum):
    """In which rooms a setting means something: all, those of a type, or those of a provider."""

    GLOBAL = "global"
    ROOM_TYPE = "room type"
    PROVIDER = "room provider"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting of a room, declared once: forms, validation and documentation are drawn from it.

    `read_by` says who obeys it. `choices` are (word, label), the default among them.
    """

    name: str
    kind: FieldKind
    scope: SettingScope
    label: Message
    help: Message
    read_by: str
    default: str | bool = ""
    longest: int = 200
    choices: tuple[tuple[str, Message], ...] = ()


class Provider(Protocol):
    """What every provider tells about itself."""

    key: str
    label: str
    kinds: frozenset[str]
    """Room types that it can serve."""
    settings: Sequence[Setting]
    """What it lets rooms choose, and really obeys; each with `Scope.PROVIDER`."""
    features: frozenset[str]
    """Codes of the catalogue's features that are for the service to do (`by_service`) and that it does."""


@dataclass(frozen=True, kw_only=True)
class Player:
    """What the conference page needs to embed a provider: its template and what the template shows."""

    template: str
    context: dict[str, Any] = field(default_factory=dict)


@runtime_checkable
class Embeddable(Protocol):
    """People meet on a page of the portal itself, whose events tell who is in."""

    def player(self) -> Player:
        """The player for one participant."""
        ...
