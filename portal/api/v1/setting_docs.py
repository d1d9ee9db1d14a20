"""What can be set on rooms, for the page that describes the API: one row for each declared setting."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from portal.errors import Message
from portal.providers import registry
from portal.providers.base import Contradiction, DeclaredField, FieldKind, Setting
from portal.rooms.kinds import KINDS, served_types
from portal.rooms.settings import BY_ROOM_TYPE, GLOBAL


@dataclass(frozen=True)
class SettingRow:
    """A setting, what it takes, its default as JSON ("" for nothing), and the rooms that have it."""

    setting: Setting
    takes: Message
    default: str
    rooms: str


def setting_rows() -> list[SettingRow]:
    """Every setting that a room of this portal can have: of all rooms, then by type, then by service."""
    return [
        SettingRow(setting, takes(setting), "" if setting.default == "" else json.dumps(setting.default), rooms)
        for rooms, settings in _by_rooms()
        for setting in settings
    ]


def contradictions() -> list[Contradiction]:
    """What of them cannot be saved together; each once, however many types of services declare it."""
    return list(dict.fromkeys(one for key in sorted(registry.known()) for one in registry.adapter(key).contradictions))


def takes(declared: DeclaredField) -> Message:
    """What a program sends for it."""
    match declared.kind:
        case FieldKind.SWITCH:
            return Message("true or false")
        case FieldKind.CHOICE:
            return Message("one of: %(words)s", words=", ".join(word for word, _label in declared.choices))
        case FieldKind.NUMBER:
            return Message("a whole number from %(least)d to %(most)d", least=declared.least, most=declared.most)
        case FieldKind.COLOR:
            return Message("a colour like #1A2B3C")
        case FieldKind.MOMENT:
            return Message("a date, or a moment with a time zone")
        case FieldKind.FILE:
            return Message("a file, by PUT /rooms/{room_id}/%(name)s", name=declared.name)
        case FieldKind.ADDRESS:
            return Message("an http or https address of up to %(longest)d characters", longest=declared.longest)
        case FieldKind.SECRET:
            return Message("a text of up to %(longest)d characters, never shown again", longest=declared.longest)
        case FieldKind.TEXT:
            return Message("a text of up to %(longest)d characters", longest=declared.longest)


def _by_rooms() -> Iterator[tuple[str, tuple[Setting, ...]]]:
    yield Message("all rooms"), GLOBAL
    for room_type in served_types():
        yield KINDS[room_type].label, BY_ROOM_TYPE.get(room_type, ())
    labels: dict[tuple[Setting, ...], list[str]] = {}
    for key in sorted(registry.known()):
        labels.setdefault(tuple(registry.adapter(key).settings), []).append(registry.adapter(key).label)
    for settings, known in labels.items():
        yield ", ".join(known), settings
