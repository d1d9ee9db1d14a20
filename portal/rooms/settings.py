"""What can be set on a room: declared once, as data, for forms, validation and documentation alike."""

import unicodedata
from dataclasses import dataclass
from typing import Any

from portal.errors import Invalid, Message

DESCRIPTION_LENGTH = 2000
WAIT_FOR_HOST = "wait_for_host"


@dataclass(frozen=True)
class Setting:
    """One setting: its name, what it holds, and what it is for."""

    name: str
    kind: type[str] | type[bool]
    label: Message
    help: Message
    longest: int = 200


SETTINGS: dict[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting(
            "description",
            str,
            Message("Description"),
            Message("A few words that people read before they join."),
            longest=DESCRIPTION_LENGTH,
        ),
        Setting(
            WAIT_FOR_HOST,
            bool,
            Message("Wait for a moderator"),
            Message("Attendees and guests wait at the door until a moderator is in."),
        ),
    )
}


def merged_settings(stored: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`stored` with `changes` laid over it; None removes a key. Raises `Invalid` naming a bad key."""
    result = dict(stored)
    for name, value in changes.items():
        setting = SETTINGS.get(name)
        if setting is None:
            raise Invalid(**{name: Message("There is no setting %(name)s.", name=name)})
        if value is None or value == "":
            result.pop(name, None)
            continue
        result[name] = _checked(setting, value)
    return result


def _checked(setting: Setting, value: object) -> str | bool:
    if not isinstance(value, setting.kind):
        raise Invalid(**{setting.name: Message("This is of the wrong kind.")})
    if isinstance(value, str):
        value = value.replace("\r\n", "\n").strip()
        if len(value) > setting.longest:
            raise Invalid(
                **{setting.name: Message("This is too long: at most %(longest)d characters.", longest=setting.longest)}
            )
        if any(unicodedata.category(char) == "Cc" and char not in "\n\t" for char in value):
            raise Invalid(**{setting.name: Message("Remove the invisible characters.")})
    return value  # type: ignore[return-value]
