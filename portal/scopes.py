"""The scopes of the API: what a program may do in a person's name. A scope narrows that person's rights only."""

from collections.abc import Iterable
from enum import StrEnum

from portal.errors import Message


class Scope(StrEnum):
    """The scopes of the API."""

    ROOMS_READ = "rooms.read"
    ROOMS_WRITE = "rooms.write"
    ACCESS_READ = "access.read"
    ACCESS_WRITE = "access.write"
    STATUS_READ = "status.read"
    PEOPLE_READ = "people.read"
    PEOPLE_WRITE = "people.write"
    CUSTOMERS_READ = "customers.read"
    CUSTOMERS_WRITE = "customers.write"
    ADMIN = "admin"

    @property
    def label(self) -> Message:
        """What it allows, as a phrase for the person who decides about it."""
        return _LABELS[self]


_LABELS = {
    Scope.ROOMS_READ: Message("See your rooms and their settings"),
    Scope.ROOMS_WRITE: Message("Create, change and delete rooms, and moderate in them"),
    Scope.ACCESS_READ: Message("See links and access codes: with them anybody can enter"),
    Scope.ACCESS_WRITE: Message("Make, change and revoke links and access codes"),
    Scope.STATUS_READ: Message("See what is live and who is in"),
    Scope.PEOPLE_READ: Message("See the people of rooms and their rights"),
    Scope.PEOPLE_WRITE: Message("Add people to rooms, change their rights and remove them"),
    Scope.CUSTOMERS_READ: Message("See customers, accounts and subscriptions"),
    Scope.CUSTOMERS_WRITE: Message("Change customers, accounts and subscriptions"),
    Scope.ADMIN: Message("Use your rights as platform staff, on everybody's rooms"),
}


def in_order(words: Iterable[str]) -> list[Scope]:
    """These texts as scopes, in the order of the enum. Unknown ones are left out."""
    wanted = set(words)
    return [scope for scope in Scope if scope in wanted]
