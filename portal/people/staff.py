"""What platform staff may do: the permissions that a platform role holds."""

from enum import StrEnum


class StaffPermission(StrEnum):
    """Rights of platform staff, on every room."""

    ROOMS_READ = "staff:rooms:read"
    ROOMS_CREATE = "staff:rooms:create"
    ROOMS_UPDATE = "staff:rooms:update"
    ROOMS_DELETE = "staff:rooms:delete"
