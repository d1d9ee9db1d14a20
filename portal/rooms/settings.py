"""Room settings: their declarations, from which forms, validation and documentation are drawn, and their validation.

Every room has the global settings; its type and its provider declare more. API clients may store values of
their own under keys that begin with `x_`; the portal keeps them and never acts on them.
"""

import math
from collections.abc import Mapping
from typing import Any, Literal

from portal.errors import Invalid, Message
from portal.providers import registry
from portal.providers.base import FieldKind, Setting, SettingScope
from portal.rooms.live_settings import LIVE_SETTINGS
from portal.rooms.protocols import RoomColumns, RoomLike
from portal.subscriptions.declared_values import (
    NAME_SHOWN,
    FieldValue,
    checked_text,
    checked_value,
    checked_values,
    value_path,
)
from portal.subscriptions.provider_models import ServiceType

DESCRIPTION_LENGTH = 2000
ADDRESS_LENGTH = 2000
WITHIN = "room_settings"
FEATURED_IMAGE, HERO_IMAGE = "featured_image", "hero_image"
FREE_PREFIX = "x_"
FREE_KEYS, FREE_KEY_LENGTH, FREE_LENGTH = 50, 100, 2000

WAIT_FOR_HOST = "wait_for_host"
GUEST_POLICY = "guest_policy"
MUTE_ON_START = "mute_on_start"
HIDE_USER_LIST = "hide_user_list"
WEBCAMS_ONLY_FOR_MODERATOR = "webcams_only_for_moderator"
END_WHEN_NO_MODERATOR = "end_when_no_moderator"
END_WHEN_NO_MODERATOR_TIMEOUT = "end_when_no_moderator_timeout"
WELCOME_MESSAGE = "welcome_message"
MODERATOR_ONLY_MESSAGE = "moderator_only_message"

ASK_NAME = "ask_name"
ALLOW_DOWNLOAD = "allow_download"

GuestPolicy = Literal["accept", "ask", "refuse"]

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
        name=FEATURED_IMAGE,
        kind=FieldKind.ADDRESS,
        scope=SettingScope.GLOBAL,
        label=Message("Featured image"),
        help=Message("Address of a picture (JPEG, PNG or WebP). It is fetched once, and seen before people join."),
        read_by="join page, room page",
        longest=ADDRESS_LENGTH,
    ),
    Setting(
        name=HERO_IMAGE,
        kind=FieldKind.ADDRESS,
        scope=SettingScope.GLOBAL,
        label=Message("Hero image"),
        help=Message("Address of a large picture (JPEG, PNG or WebP). It is fetched once."),
        read_by="watch page",
        longest=ADDRESS_LENGTH,
    ),
)


def _switch(name: str, label: Message, explained: Message, *, read_by: str) -> Setting:
    """A switch of a room type, off by default: `is_on` reads it without the declaration."""
    return Setting(
        name=name,
        kind=FieldKind.SWITCH,
        scope=SettingScope.ROOM_TYPE,
        label=label,
        help=explained,
        read_by=read_by,
        default=False,
    )


_ASK_NAME = _switch(
    ASK_NAME,
    Message("Ask viewers for their name"),
    Message("Whoever watches gives a name first. Without this they are viewers among others."),
    read_by="join page",
)

BY_ROOM_TYPE: dict[ServiceType, tuple[Setting, ...]] = {
    ServiceType.MEET: (
        _switch(
            WAIT_FOR_HOST,
            Message("Wait for a moderator"),
            Message("Attendees and guests wait at the door until a moderator is in."),
            read_by="admission",
        ),
        Setting(
            name=GUEST_POLICY,
            kind=FieldKind.CHOICE,
            scope=SettingScope.ROOM_TYPE,
            label=Message("Guests"),
            help=Message("Whether anybody may come in with a guest link, or as a guest of a public room."),
            read_by="admission",
            default="accept",
            choices=(
                ("accept", Message("May come in")),
                ("ask", Message("Wait until a moderator lets them in")),
                ("refuse", Message("Are not let in")),
            ),
        ),
        _switch(
            MUTE_ON_START,
            Message("Microphones are off at first"),
            Message("Everybody comes in with the microphone off and switches it on to speak."),
            read_by="player",
        ),
        _switch(
            HIDE_USER_LIST,
            Message("Only moderators see who is in"),
            Message("Attendees and guests read the names of moderators, and of whom they see or hear."),
            read_by="conference",
        ),
        _switch(
            WEBCAMS_ONLY_FOR_MODERATOR,
            Message("Only moderators see the cameras of others"),
            Message("Attendees and guests do not see one another's cameras. Everybody sees those of moderators."),
            read_by="conference",
        ),
        _switch(
            END_WHEN_NO_MODERATOR,
            Message("End when no moderator is left"),
            Message("The conversation ends for everyone some time after the last moderator has left."),
            read_by="conference",
        ),
        Setting(
            name=END_WHEN_NO_MODERATOR_TIMEOUT,
            kind=FieldKind.NUMBER,
            scope=SettingScope.ROOM_TYPE,
            label=Message("Minutes until it ends without a moderator"),
            help=Message("So long a moderator may be away before the conversation ends."),
            read_by="conference",
            default=1,
            least=1,
            most=1440,
        ),
        Setting(
            name=WELCOME_MESSAGE,
            kind=FieldKind.TEXT,
            scope=SettingScope.ROOM_TYPE,
            label=Message("Welcome"),
            help=Message("What everybody reads on coming in."),
            read_by="player",
            longest=DESCRIPTION_LENGTH,
        ),
        Setting(
            name=MODERATOR_ONLY_MESSAGE,
            kind=FieldKind.TEXT,
            scope=SettingScope.ROOM_TYPE,
            label=Message("For moderators only"),
            help=Message("What moderators alone read on coming in."),
            read_by="player",
            longest=DESCRIPTION_LENGTH,
        ),
    ),
    ServiceType.LIVE: (_ASK_NAME, *LIVE_SETTINGS),
    ServiceType.VIDEO: (
        _ASK_NAME,
        _switch(
            ALLOW_DOWNLOAD,
            Message("Viewers may download"),
            Message("Whoever watches a video may also save the file that was uploaded."),
            read_by="watch page",
        ),
    ),
}


def declared(room_type: ServiceType, provider_type: str) -> dict[str, Setting]:
    """Name → setting, for rooms of this type with this type of provider."""
    by_provider = registry.adapter(provider_type).settings
    return {setting.name: setting for setting in (*GLOBAL, *BY_ROOM_TYPE.get(room_type, ()), *by_provider)}


def features_needed(provider_type: str) -> frozenset[str]:
    """The codes of the features without which some settings of this type of provider do nothing."""
    return frozenset(setting.feature for setting in registry.adapter(provider_type).settings if setting.feature)


def setting_of(room: RoomLike, name: str, provider_type: str | None = None) -> FieldValue:
    """What is set on the room, or the default of what is not; "" where its type and provider know no such thing.

    `provider_type` is that of the provider that is asked for; the plan's default, unless it is given.
    """
    setting = declared(room.room_type, provider_type or room.subscription.provider.provider_type).get(name)
    return set_value(setting, room.room_settings) if setting is not None else ""


def is_on(room: RoomColumns, name: str) -> bool:
    """Whether a switch of the room's type is on that is off by default."""
    return room.room_settings.get(name) is True


def asks_name(room: RoomColumns) -> bool:
    """Whether whoever comes into the room by a link gives a name: where people watch, only if that is set."""
    return room.room_type not in {ServiceType.VIDEO, ServiceType.LIVE} or is_on(room, ASK_NAME)


def is_live(room: RoomColumns) -> bool:
    """Whether one person sends in this room and the others watch."""
    return room.room_type is ServiceType.LIVE


def needs_host(room: RoomColumns) -> bool:
    """Whether attendees and guests wait at the door: until a moderator is in, or in a live room until a run begins."""
    return is_live(room) or is_on(room, WAIT_FOR_HOST)


def guest_policy_of(room: RoomColumns) -> GuestPolicy:
    """Whether guests may come in, wait for a moderator's answer, or are refused."""
    policy = room.room_settings.get(GUEST_POLICY)
    return policy if policy in ("ask", "refuse") else "accept"


def end_without_moderator_minutes(room_settings: Mapping[str, Any]) -> int:
    """How many minutes after the last moderator has left a conversation ends, where the room is set to end then."""
    minutes = room_settings.get(END_WHEN_NO_MODERATOR_TIMEOUT)
    return minutes if isinstance(minutes, int) else 1


def set_value(setting: Setting, room_settings: Mapping[str, Any]) -> FieldValue:
    """What is set of this, or its default.

    What was set under another declaration, before the provider was switched, counts only if it fits this one.
    """
    value = room_settings.get(setting.name)
    if value is None:
        return setting.default
    try:
        return checked_value(setting, value, within=WITHIN)
    except Invalid:
        return setting.default


def merged_settings(
    stored: Mapping[str, Any], changes: Mapping[str, Any], *, declared: Mapping[str, Setting]
) -> dict[str, Any]:
    """`stored` with `changes` laid over it; None (and an empty text) removes a key.

    Raises `Invalid` on `room_settings.<key>` for every key that is bad or that nobody declared.
    """
    checked = checked_values(changes, declared=declared, within=WITHIN, undeclared=_checked_free)
    result = {name: value for name, value in (dict(stored) | checked).items() if value is not None}
    free = sorted(name for name in result if name.startswith(FREE_PREFIX))
    if len(free) > FREE_KEYS:
        words = Message("A room keeps at most %(most)d settings of others.", most=FREE_KEYS)
        raise Invalid(**{value_path(WITHIN, free[-1]): words})
    return result


def _checked_free(name: str, value: object) -> str | int | float | bool | None:
    path = value_path(WITHIN, name)
    if not name.startswith(FREE_PREFIX):
        raise Invalid(**{path: Message("There is no setting %(name)s.", name=name[:NAME_SHOWN])})
    if value is None or value == "":
        return None
    if len(name) > FREE_KEY_LENGTH or not name.isprintable():
        raise Invalid(**{path: Message("A key has at most %(most)d visible characters.", most=FREE_KEY_LENGTH)})
    if isinstance(value, str):
        return checked_text(path, value, FREE_LENGTH)
    if isinstance(value, (bool, int)) and len(f"{value:x}") <= FREE_LENGTH // 2:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise Invalid(**{path: Message("Use a text, a number, true or false.")})
