"""The pages of a room as tabs: where each lies, what it is called, and who sees it."""

from dataclasses import dataclass

from portal.errors import Message
from portal.media.queries import can_record, sees_recordings
from portal.people.actor import Actor
from portal.permissions.permission import Permission
from portal.permissions.rules import can
from portal.rooms.kinds import RoomTab, kind_of
from portal.rooms.models import Room


@dataclass(frozen=True)
class Tab:
    """A tab; one without a permission is for everybody who sees the room."""

    label: Message
    endpoint: str
    permission: Permission | None = None


TABS = {
    RoomTab.OVERVIEW: Tab(Message("Overview"), "rooms.show"),
    RoomTab.LINKS: Tab(Message("Links"), "links.index", Permission.TOKENS_VIEW),
    RoomTab.CODES: Tab(Message("Codes"), "codes.index", Permission.CODES_VIEW),
    RoomTab.PEOPLE: Tab(Message("People"), "people.index", Permission.MEMBERS_VIEW),
    RoomTab.SESSIONS: Tab(Message("Sessions"), "sessions.index", Permission.REPORTS_VIEW),
    RoomTab.VIDEOS: Tab(Message("Videos"), "videos.index", Permission.MEDIA_MANAGE),
    RoomTab.RECORDINGS: Tab(Message("Recordings"), "recordings.index"),
    RoomTab.WEBHOOKS: Tab(Message("Webhooks"), "webhooks.index", Permission.ROOM_EDIT),
    RoomTab.SETTINGS: Tab(Message("Settings"), "room_settings.show", Permission.ROOM_EDIT),
}


def room_tabs(actor: Actor | None, room: Room) -> dict[RoomTab, Tab]:
    """The tabs of this room's type that the actor may open, in order.

    That of recordings is there where the room's service can record, or the room has some that the actor may see.
    """
    tabs = {name: TABS[name] for name in kind_of(room).tabs}
    if not can_record(room) and not sees_recordings(room, actor):
        tabs.pop(RoomTab.RECORDINGS, None)
    return {name: tab for name, tab in tabs.items() if tab.permission is None or can(actor, tab.permission, room)}
