"""What can be permitted in an account. The values are what a membership of it stores."""

from enum import StrEnum

from portal.errors import Message
from portal.scopes import Scope


class AccountPermission(StrEnum):
    """Rights in one account."""

    ROOMS_CREATE = "rooms:create"
    ACCOUNT_EDIT = "account:edit"
    MEMBERS_MANAGE = "members:manage"
    USAGE_VIEW = "usage:view"

    @property
    def label(self) -> Message:
        """What people read."""
        return _LABELS[self]

    @property
    def scope(self) -> Scope:
        """What a program needs for it, besides its person's right."""
        return _SCOPES[self]


_LABELS = {
    AccountPermission.ROOMS_CREATE: Message("Create rooms"),
    AccountPermission.ACCOUNT_EDIT: Message("Change the account"),
    AccountPermission.MEMBERS_MANAGE: Message("Manage people"),
    AccountPermission.USAGE_VIEW: Message("See usage"),
}

_SCOPES = {
    AccountPermission.ROOMS_CREATE: Scope.ROOMS_WRITE,
    AccountPermission.ACCOUNT_EDIT: Scope.CUSTOMERS_WRITE,
    AccountPermission.MEMBERS_MANAGE: Scope.PEOPLE_WRITE,
    AccountPermission.USAGE_VIEW: Scope.CUSTOMERS_READ,
}
