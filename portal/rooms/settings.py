"""What can be set on a room: declared once, as data, for forms, validation and documentation alike.

Global settings are in every room, others follow from its type or its provider. What somebody else wants
to keep beside a room goes under a key that begins with `x_`; the portal carries it and obeys nothing of it.
"""

import math
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from portal.errors import Invalid, Message
from portal.providers import registry
from portal.providers.base import FieldKind, Setting, SettingScope
from portal.rooms.models import Room
from portal.subscriptions.models import ServiceType, Subscription

DESCRIPTION_LENGTH = 2000
ADDRESS_LENGTH = 2000
FREE_PREFIX = "x_"
FREE_KEYS, FREE_KEY_LENGTH, FREE_LENGTH = 50, 100, 2000

WAIT_FOR_HOST = "wait_for_host"
GUEST_POLICY = "guest_policy"
MUTE_ON_START = "mute_on_start"

GLOBAL = (
    Setting(
        name="description",
        kind=FieldKind.TEXT,
        scope=SettingScope.GLOBAL,
        label=Message("Description"),
        help=Message("A few words that people read before they join."),
        read_by="join page, room page",
        longest=DESCRIPTION_LENGTH,
    ),
    Setting(
        name="featured_image",
        kind=FieldKind.ADDRESS,
        scope=SettingScope.GLOBAL,
        label=Message("Featured image"),
        help=Message("Address of a picture. Programs get it through the API; our pages load nothing from elsewhere."),
        read_by="API",
        longest=ADDRESS_LENGTH,
    ),
    Setting(
        name="hero_image",
        kind=FieldKind.ADDRESS,
        scope=SettingScope.GLOBAL,
        label=Message("Hero image"),
        help=Message(
            "Address of a large picture. Programs get it through the API; our pages load nothing from elsewhere."
        ),
        read_by="API",
        longest=ADDRESS_LENGTH,
    ),
)

BY_ROOM_TYPE: dict[ServiceType, tuple[Setting, ...]] = {
    ServiceType.MEET: (
        Setting(
            name=WAIT_FOR_HOST,
            kind=FieldKind.SWITCH,
            scope=SettingScope.ROOM_TYPE,
            label=Message("Wait for a moderator"),
            help=Message("Attendees and guests wait at the door until a moderator is in."),
            read_by="admission",
            default=False,
        ),
        Setting(
            name=GUEST_POLICY,
            kind=FieldKind.CHOICE,
            scope=SettingScope.ROOM_TYPE,
            label=Message("Guests"),
            help=Message("Whether anybody may come in with a guest link, or as a guest of a public room."),
            read_by="admission",
            default="accept",
            choices=(("accept", Message("May come in")), ("refuse", Message("Are not let in"))),
        ),
        Setting(
            name=MUTE_ON_START,
            kind=FieldKind.SWITCH,
            scope=SettingScope.ROOM_TYPE,
            label=Message("Microphones are off at first"),
            help=Message("Everybody comes in with the microphone off and switches it on to speak."),
            read_by="player",
            default=False,
        ),
    )
}


def declared(room_type: ServiceType, provider_type: str) -> dict[str, Setting]:
    """Name → setting, for rooms of this type behind this kind of provider."""
    by_provider = registry.adapter(provider_type).settings
    return {setting.name: setting for setting in (*GLOBAL, *BY_ROOM_TYPE.get(room_type, ()), *by_provider)}


def declared_for(subscription: Subscription) -> dict[str, Setting]:
    """Name → setting, for the rooms of this subscription."""
    return declared(subscription.service_type, subscription.provider.provider_type)


def setting_of(room: Room, name: str) -> str | bool:
    """What is set on the room, or the default of what is not; "" where its type and provider know no such thing."""
    setting = declared_for(room.subscription).get(name)
    if setting is None:
        return ""
    value: str | bool | None = room.room_settings.get(name)
    return setting.default if value is None else value


def merged_settings(
    stored: Mapping[str, Any], changes: Mapping[str, Any], *, declared: Mapping[str, Setting]
) -> dict[str, Any]:
    """`stored` with `changes` laid over it; None (and an empty text) removes a key.

    Raises `Invalid` on `room_settings.<key>` for every key that is bad or that nobody declared.
    """
    result = dict(stored)
    refused: dict[str, Message] = {}
    for name, value in changes.items():
        setting = declared.get(name)
        if setting is None and not name.startswith(FREE_PREFIX):
            refused[_field(name)] = Message("There is no setting %(name)s.", name=name[:FREE_KEY_LENGTH])
            continue
        if value is None or value == "":
            result.pop(name, None)
            continue
        try:
            result[name] = _checked(setting, value) if setting is not None else _checked_free(name, value)
        except Invalid as invalid:
            refused |= invalid.fields
    free = sorted(name for name in result if name.startswith(FREE_PREFIX))
    if len(free) > FREE_KEYS:
        refused[_field(free[-1])] = Message("A room keeps at most %(most)d settings of others.", most=FREE_KEYS)
    if refused:
        raise Invalid(**refused)
    return result


def _checked(setting: Setting, value: object) -> str | bool:
    field = _field(setting.name)
    if setting.kind is FieldKind.SWITCH:
        if not isinstance(value, bool):
            raise Invalid(**{field: Message("Use true or false.")})
        return value
    if not isinstance(value, str):
        raise Invalid(**{field: Message("Use a text.")})
    if setting.kind is FieldKind.CHOICE:
        words = [word for word, _label in setting.choices]
        if value not in words:
            raise Invalid(**{field: Message("Use one of: %(words)s.", words=", ".join(words))})
        return value
    text = _text(field, value, setting.longest)
    return _address(field, text) if setting.kind is FieldKind.ADDRESS else text


def _checked_free(name: str, value: object) -> str | int | float | bool:
    field = _field(name)
    if len(name) > FREE_KEY_LENGTH or not name.isprintable():
        raise Invalid(**{field: Message("A key has at most %(most)d visible characters.", most=FREE_KEY_LENGTH)})
    if isinstance(value, str):
        return _text(field, value, FREE_LENGTH)
    if isinstance(value, (bool, int)) and len(f"{value:x}") <= FREE_LENGTH // 2:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise Invalid(**{field: Message("Use a text, a number, true or false.")})


def _text(field: str, value: str, longest: int) -> str:
    text = value.replace("\r\n", "\n").strip()
    if len(text) > longest:
        raise Invalid(**{field: Message("This is too long: at most %(longest)d characters.", longest=longest)})
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in "\n\t" for char in text):
        raise Invalid(**{field: Message("Remove the invisible characters.")})
    return text


def _address(field: str, text: str) -> str:
    """An http(s) address without user name and password: whoever reads the room would read those as well."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(char.isspace() or not char.isprintable() for char in text) or "\\" in text:
        raise Invalid(**{field: Message("Use an address that begins with https:// or http://.")})
    if "@" in parts.netloc:
        raise Invalid(**{field: Message("Leave out user name and password: everybody who sees the room would too.")})
    return text


def _field(name: str) -> str:
    return f"room_settings.{name[:FREE_KEY_LENGTH]}"
