"""What can be permitted. The values are what is stored, and what the form for granting is drawn from."""

from enum import StrEnum

from portal.errors import Message


class Permission(StrEnum):
    """Rights on one room."""

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

    @property
    def label(self) -> Message:
        """What people read."""
        return _LABELS[self]


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
}

IMPLIED = {
    Permission.TOKENS_MANAGE: Permission.TOKENS_VIEW,
    Permission.CODES_MANAGE: Permission.CODES_VIEW,
    Permission.MEMBERS_MANAGE: Permission.MEMBERS_VIEW,
}
"""Whoever manages something sees it too."""


class StaffPermission(StrEnum):
    """Rights of platform staff, on every room."""

    ROOMS_READ = "staff:rooms:read"
    ROOMS_CREATE = "staff:rooms:create"
    ROOMS_UPDATE = "staff:rooms:update"
    ROOMS_DELETE = "staff:rooms:delete"
