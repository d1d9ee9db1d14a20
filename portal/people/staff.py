"""What platform staff may do: the permissions that a platform role holds."""

from enum import StrEnum

from portal.errors import Message
from portal.scopes import Scope


class StaffPermission(StrEnum):
    """Rights of platform staff: for each noun to read, create, change and delete all there are of it."""

    DASHBOARD_ACCESS = "dashboard:access"
    CUSTOMERS_READ = "staff:customers:read"
    CUSTOMERS_CREATE = "staff:customers:create"
    CUSTOMERS_UPDATE = "staff:customers:update"
    CUSTOMERS_DELETE = "staff:customers:delete"
    ACCOUNTS_READ = "staff:accounts:read"
    ACCOUNTS_CREATE = "staff:accounts:create"
    ACCOUNTS_UPDATE = "staff:accounts:update"
    ACCOUNTS_DELETE = "staff:accounts:delete"
    SUBSCRIPTIONS_READ = "staff:subscriptions:read"
    SUBSCRIPTIONS_CREATE = "staff:subscriptions:create"
    SUBSCRIPTIONS_UPDATE = "staff:subscriptions:update"
    SUBSCRIPTIONS_DELETE = "staff:subscriptions:delete"
    PACKAGES_READ = "staff:packages:read"
    PACKAGES_CREATE = "staff:packages:create"
    PACKAGES_UPDATE = "staff:packages:update"
    PACKAGES_DELETE = "staff:packages:delete"
    PROVIDERS_READ = "staff:providers:read"
    PROVIDERS_CREATE = "staff:providers:create"
    PROVIDERS_UPDATE = "staff:providers:update"
    PROVIDERS_DELETE = "staff:providers:delete"
    ROOMS_READ = "staff:rooms:read"
    ROOMS_CREATE = "staff:rooms:create"
    ROOMS_UPDATE = "staff:rooms:update"
    ROOMS_DELETE = "staff:rooms:delete"
    USERS_READ = "staff:users:read"
    USERS_CREATE = "staff:users:create"
    USERS_UPDATE = "staff:users:update"
    USERS_DELETE = "staff:users:delete"
    ROLES_READ = "staff:roles:read"
    ROLES_CREATE = "staff:roles:create"
    ROLES_UPDATE = "staff:roles:update"
    ROLES_DELETE = "staff:roles:delete"
    AUDIT_READ = "staff:audit:read"

    @property
    def noun(self) -> str:
        """What it is about: `customers`, or `dashboard`."""
        return self.removeprefix("staff:").partition(":")[0]

    @property
    def verb(self) -> str:
        """What may be done: `read`, `create`, `update`, `delete`, or `access`."""
        return self.rpartition(":")[2]

    @property
    def label(self) -> Message:
        """The permission as a phrase for people: "Customers: create"."""
        return Message("%(noun)s: %(verb)s", noun=NOUN_LABELS[self.noun], verb=VERB_LABELS[self.verb])

    @property
    def scope(self) -> Scope:
        """What a program needs for it besides `admin`, without which its person counts as no staff."""
        reading, writing = _SCOPES.get(self.noun, (Scope.ADMIN, Scope.ADMIN))
        return reading if self.verb == "read" else writing


VERBS = ("read", "create", "update", "delete")
"""What may be done with each noun."""

NOUN_LABELS = {
    "dashboard": Message("Admin pages"),
    "customers": Message("Customers"),
    "accounts": Message("Accounts"),
    "subscriptions": Message("Subscriptions"),
    "packages": Message("Packages"),
    "providers": Message("Services"),
    "rooms": Message("Rooms"),
    "users": Message("People"),
    "roles": Message("Roles"),
    "audit": Message("Audit"),
}
VERB_LABELS = {
    "access": Message("open"),
    "read": Message("read"),
    "create": Message("create"),
    "update": Message("change"),
    "delete": Message("delete"),
}
READ_OF = {one: StaffPermission(f"staff:{one.noun}:read") for one in StaffPermission if one.verb in {*VERBS} - {"read"}}
"""The permission to read that each permission to write needs, because nobody changes what he cannot see."""


_SCOPES = {
    "customers": (Scope.CUSTOMERS_READ, Scope.CUSTOMERS_WRITE),
    "accounts": (Scope.CUSTOMERS_READ, Scope.CUSTOMERS_WRITE),
    "subscriptions": (Scope.CUSTOMERS_READ, Scope.CUSTOMERS_WRITE),
    "rooms": (Scope.ROOMS_READ, Scope.ROOMS_WRITE),
    "users": (Scope.PEOPLE_READ, Scope.PEOPLE_WRITE),
    "roles": (Scope.PEOPLE_READ, Scope.PEOPLE_WRITE),
}
