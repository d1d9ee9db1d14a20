"""What platform staff may do: the permissions that a platform role holds."""

from enum import StrEnum

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
    def scope(self) -> Scope:
        """What a program needs for it besides `admin`, without which its person counts as no staff."""
        noun, _, verb = self.removeprefix("staff:").partition(":")
        reading, writing = _SCOPES.get(noun, (Scope.ADMIN, Scope.ADMIN))
        return reading if verb == "read" else writing


_SCOPES = {
    "customers": (Scope.CUSTOMERS_READ, Scope.CUSTOMERS_WRITE),
    "accounts": (Scope.CUSTOMERS_READ, Scope.CUSTOMERS_WRITE),
    "subscriptions": (Scope.CUSTOMERS_READ, Scope.CUSTOMERS_WRITE),
    "rooms": (Scope.ROOMS_READ, Scope.ROOMS_WRITE),
    "users": (Scope.PEOPLE_READ, Scope.PEOPLE_WRITE),
}
