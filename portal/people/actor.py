"""Who acts: a person, in which way, and on whose behalf. Built at the edge, passed to rules and operations."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from portal.people.models import SignIn, User
from portal.people.staff import StaffPermission
from portal.scopes import Scope


class Membership(Protocol):
    """What a user was granted on one thing, such as a room."""

    @property
    def until(self) -> datetime | None:
        """When the grants end; None: never."""

    def granted(self, at: datetime) -> frozenset[str]:
        """The permissions that count at this time."""


@dataclass(frozen=True)
class Actor:
    """A person, or a program in that person's name.

    `memberships` holds those that a door has loaded, by the uuid of the thing; None where there is none.
    """

    user: User
    sign_in: SignIn | None
    staff: frozenset[StaffPermission]
    scopes: frozenset[Scope] | None = None
    """What a program was allowed to do; None is a browser session, which may do everything that the person may."""
    client_uuid: UUID | None = None
    """The program, if it is one."""
    on_behalf_of_uuid: UUID | None = None
    """The customer on whose things the person acts as platform staff; None for whoever acts in his own right."""
    memberships: dict[UUID, Membership | None] = field(default_factory=dict)

    @property
    def uuid(self) -> UUID:
        """The uuid of the person."""
        return self.user.uuid

    def within(self, scope: Scope) -> bool:
        """Whether the actor has this scope; a person himself has all of them."""
        return self.scopes is None or scope in self.scopes


def actor_of(
    user: User,
    sign_in: SignIn | None = None,
    scopes: frozenset[Scope] | None = None,
    client_uuid: UUID | None = None,
) -> Actor:
    """The actor for this user. A program gets the staff permissions of his roles only with the scope `admin`."""
    staff: set[StaffPermission] = set()
    for role in user.platform_roles:
        if role.builtin:
            staff.update(StaffPermission)
        else:
            known = set(StaffPermission) & set(role.permissions)
            staff.update(StaffPermission(word) for word in known)
    if scopes is not None and Scope.ADMIN not in scopes:
        staff.clear()
    return Actor(user, sign_in, frozenset(staff), scopes, client_uuid)
