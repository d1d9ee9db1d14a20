"""The permissions on a room, and those of platform staff. Their values are what the database stores for a member."""

from enum import StrEnum

from portal.errors import Message
from portal.scopes import Scope


class Permission(StrEnum):
    """A permission on one room."""

    ROOM_VIEW = "room:view"
    ROOM_EDIT = "room:edit"
    ROOM_DELETE = "room:delete"
    ROOM_MODERATE = "room:moderate"
    STATUS_VIEW = "status:view"
    TOKENS_VIEW = "tokens:view"
    TOKENS_MANAGE = "tokens:manage"
    CODES_VIEW = "codes:view"
    CODES_MANAGE = "codes:manage"
    MEMBERS_VIEW = "members:view"
    MEMBERS_MANAGE = "members:manage"
    MEDIA_MANAGE = "media:manage"
    RECORDINGS_VIEW = "recordings:view"
    RECORDINGS_MANAGE = "recordings:manage"
    REPORTS_VIEW = "reports:view"

    @property
    def label(self) -> Message:
        """The permission as a phrase for people."""
        return _LABELS[self]

    @property
    def scope(self) -> Scope:
        """The scope that a program needs to use this permission of its person."""
        return _SCOPES[self]


_LABELS = {
    Permission.ROOM_VIEW: Message("See the room"),
    Permission.ROOM_EDIT: Message("Change settings"),
    Permission.ROOM_DELETE: Message("Delete the room"),
    Permission.ROOM_MODERATE: Message("Moderate"),
    Permission.STATUS_VIEW: Message("See who is in"),
    Permission.TOKENS_VIEW: Message("See links"),
    Permission.TOKENS_MANAGE: Message("Manage links"),
    Permission.CODES_VIEW: Message("See codes"),
    Permission.CODES_MANAGE: Message("Manage codes"),
    Permission.MEMBERS_VIEW: Message("See people"),
    Permission.MEMBERS_MANAGE: Message("Manage people"),
    Permission.MEDIA_MANAGE: Message("Manage media"),
    Permission.RECORDINGS_VIEW: Message("See recordings"),
    Permission.RECORDINGS_MANAGE: Message("Manage recordings"),
    Permission.REPORTS_VIEW: Message("See sessions"),
}

_SCOPES = {
    Permission.ROOM_VIEW: Scope.ROOMS_READ,
    Permission.ROOM_EDIT: Scope.ROOMS_WRITE,
    Permission.ROOM_DELETE: Scope.ROOMS_WRITE,
    Permission.ROOM_MODERATE: Scope.ROOMS_WRITE,
    Permission.STATUS_VIEW: Scope.STATUS_READ,
    Permission.TOKENS_VIEW: Scope.ACCESS_READ,
    Permission.TOKENS_MANAGE: Scope.ACCESS_WRITE,
    Permission.CODES_VIEW: Scope.ACCESS_READ,
    Permission.CODES_MANAGE: Scope.ACCESS_WRITE,
    Permission.MEMBERS_VIEW: Scope.PEOPLE_READ,
    Permission.MEMBERS_MANAGE: Scope.PEOPLE_WRITE,
    Permission.MEDIA_MANAGE: Scope.ROOMS_WRITE,
    Permission.RECORDINGS_VIEW: Scope.ROOMS_READ,
    Permission.RECORDINGS_MANAGE: Scope.ROOMS_WRITE,
    Permission.REPORTS_VIEW: Scope.STATUS_READ,
}

IMPLIED = {
    Permission.TOKENS_MANAGE: Permission.TOKENS_VIEW,
    Permission.CODES_MANAGE: Permission.CODES_VIEW,
    Permission.MEMBERS_MANAGE: Permission.MEMBERS_VIEW,
    Permission.RECORDINGS_MANAGE: Permission.RECORDINGS_VIEW,
}
"""Permission → the one that it implies: whoever manages something may see it."""
