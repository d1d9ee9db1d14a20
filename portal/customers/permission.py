"""What can be permitted at a customer. The values are what a membership of it stores."""

from enum import StrEnum

from portal.errors import Message
from portal.scopes import Scope


class CustomerPermission(StrEnum):
    """Rights at one customer. Those that an account knows, too, hold in each of the customer's accounts."""

    ROOMS_CREATE = "rooms:create"
    ACCOUNT_EDIT = "account:edit"
    MEMBERS_MANAGE = "members:manage"
    USAGE_VIEW = "usage:view"
    CUSTOMER_EDIT = "customer:edit"
    ACCOUNTS_CREATE = "accounts:create"
    ACCOUNTS_DELETE = "accounts:delete"

    @property
    def label(self) -> Message:
        """What people read."""
        return _LABELS[self]

    @property
    def scope(self) -> Scope:
        """What a program needs for it, besides its person's right."""
        return _SCOPES[self]


_LABELS = {
    CustomerPermission.ROOMS_CREATE: Message("Create rooms"),
    CustomerPermission.ACCOUNT_EDIT: Message("Change accounts"),
    CustomerPermission.MEMBERS_MANAGE: Message("Manage people"),
    CustomerPermission.USAGE_VIEW: Message("See usage"),
    CustomerPermission.CUSTOMER_EDIT: Message("Change the customer"),
    CustomerPermission.ACCOUNTS_CREATE: Message("Create accounts"),
    CustomerPermission.ACCOUNTS_DELETE: Message("Delete accounts"),
}

_SCOPES = {
    CustomerPermission.ROOMS_CREATE: Scope.ROOMS_WRITE,
    CustomerPermission.ACCOUNT_EDIT: Scope.CUSTOMERS_WRITE,
    CustomerPermission.MEMBERS_MANAGE: Scope.PEOPLE_WRITE,
    CustomerPermission.USAGE_VIEW: Scope.CUSTOMERS_READ,
    CustomerPermission.CUSTOMER_EDIT: Scope.CUSTOMERS_WRITE,
    CustomerPermission.ACCOUNTS_CREATE: Scope.CUSTOMERS_WRITE,
    CustomerPermission.ACCOUNTS_DELETE: Scope.CUSTOMERS_WRITE,
}
