"""The top navigation of platform staff, as one table, in the order in which it is shown."""

from dataclasses import dataclass

from portal.errors import Message
from portal.people.actor import Actor
from portal.people.staff import StaffPermission
from portal.permissions.rules import PLATFORM, can


@dataclass(frozen=True)
class NavEntry:
    """One entry. `key` is what a page's template sets as `nav` to be shown as the current one."""

    key: str
    label: Message
    endpoint: str
    permission: StaffPermission


ENTRIES = (
    NavEntry("home", Message("Home"), "admin.index", StaffPermission.DASHBOARD_ACCESS),
    NavEntry("customers", Message("Customers"), "admin_customers.index", StaffPermission.CUSTOMERS_READ),
    NavEntry("packages", Message("Packages"), "admin_packages.index", StaffPermission.PACKAGES_READ),
    NavEntry(
        "subscriptions", Message("Subscriptions"), "admin_subscriptions.index", StaffPermission.SUBSCRIPTIONS_READ
    ),
    NavEntry("services", Message("Services"), "admin_services.index", StaffPermission.PROVIDERS_READ),
    NavEntry("rooms", Message("Rooms"), "admin_rooms.index", StaffPermission.ROOMS_READ),
    NavEntry("rooms", Message("Rooms"), "rooms.index", StaffPermission.DASHBOARD_ACCESS),
    NavEntry("staff", Message("Staff"), "admin_staff.index", StaffPermission.USERS_READ),
    NavEntry("audit", Message("Audit"), "admin_audit.index", StaffPermission.AUDIT_READ),
)


def entries_for(actor: Actor) -> tuple[NavEntry, ...]:
    """The entries that the actor may open; none for whoever may not open the admin's pages at all.

    Of entries with one key it is the first: staff who may not see all rooms have a list of their own.
    """
    if not can(actor, StaffPermission.DASHBOARD_ACCESS, PLATFORM):
        return ()
    allowed = [entry for entry in ENTRIES if can(actor, entry.permission, PLATFORM)]
    return tuple(
        {entry.key: entry for entry in reversed(allowed)}[key] for key in dict.fromkeys(e.key for e in allowed)
    )


def home_endpoint(actor: Actor | None) -> str:
    """The page with which somebody begins: Home for platform staff, the rooms for others, signing in for nobody."""
    if actor is None:
        return "session.sign_in"
    return ENTRIES[0].endpoint if entries_for(actor) else "rooms.index"
