"""An adapter for tests that declares a setting and a property of every kind, and keeps what it is bound to."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from portal.errors import Message
from portal.providers import registry
from portal.providers.base import Contradiction, FieldKind, Places, Property, RecordingMode, Setting, SettingScope

CHOICES = (("soft", Message("Soft")), ("loud", Message("Loud")))
DEFAULTS: dict[FieldKind, str | bool | int] = {
    FieldKind.CHOICE: "soft",
    FieldKind.SWITCH: False,
    FieldKind.NUMBER: 7,
    FieldKind.COLOR: "#0A0B0C",
}


def _about(kind: FieldKind, **more: Any) -> dict[str, Any]:
    bounds = {"least": 1, "most": 60} if kind is FieldKind.NUMBER else {}
    choices = {"choices": CHOICES} if kind is FieldKind.CHOICE else {}
    words = {"label": Message(f"A {kind.value}"), "help": Message(f"Help with a {kind.value}.")}
    return {"kind": kind, "default": DEFAULTS.get(kind, ""), **words, **bounds, **choices, **more}


SETTINGS = tuple(
    Setting(name=f"a_{kind.value}", scope=SettingScope.PROVIDER, read_by="tests", **_about(kind))
    for kind in FieldKind
    if kind is not FieldKind.SECRET
)
PROPERTIES = (
    *(Property(name=f"my_{kind.value}", **_about(kind)) for kind in FieldKind),
    Property(name="endpoint", required=True, **_about(FieldKind.ADDRESS)),
)


class Declaring:
    """A type of service for tests only."""

    key = "declaring"
    label = "Declaring"
    kinds = frozenset({"meet"})
    properties: Sequence[Property] = PROPERTIES
    settings: Sequence[Setting] = SETTINGS
    contradictions: Sequence[Contradiction] = ()
    features: frozenset[str] = frozenset()
    places: Places | None = None
    asks_about_guests = False

    def bind(self, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        """The properties themselves, for tests to look at."""
        return dict(properties)

    def recording_mode(self, _settings: Mapping[str, Any], _limits: Mapping[str, Any]) -> RecordingMode:
        return RecordingMode.OFF


@contextmanager
def registered() -> Iterator[None]:
    """The adapter stands beside those of the catalog."""
    before = [registry.adapter(key) for key in registry.known()]
    registry.fill([*before, Declaring()])
    try:
        yield
    finally:
        registry.fill(before)
