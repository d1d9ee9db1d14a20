"""Who acts: a person, in which way, and on whose behalf. Built at the edge, passed to rules and operations."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, Self
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
class Who:
    """A person as each request reads him. To change him, or to relate something to him, load the `User`."""

    uuid: UUID
    id: str
    email: str
    name: str
    timezone: str | None

    @classmethod
    def of(cls, user: User) -> Self:
        """The person whose row is loaded already."""
        return cls(user.uuid, user.id, user.email, user.name, user.timezone)


@dataclass(frozen=True)
class CurrentSignIn:
    """The sign-in by which a person acts in a browser."""

    uuid: UUID
    seen_at: datetime


@dataclass(frozen=True)
class Actor:
    """A person, or a program in that person's name.

    `memberships` holds those that a door has loaded, by the uuid of the thing; None where there is none.
    """

    user: Who
    sign_in: CurrentSignIn | None
    staff: frozenset[StaffPermission]
    scopes: frozenset[Scope] | None = None
    """What a program was allowed to do; None is a browser session, which may do everything that the person may."""
    client_uuid: UUID | None = None
    """The program, if it is one."""
    on_behalf_of_uuid: UUID | None = None
    """The customer on whose things the person acts as platform staff; None for whoever acts in his own right."""
    memberships: dict[UUID, Membership | None] = field(default_factory=dict)
    shut_out: bool = False
    """Whether he belongs to customers, and nobody may use any of them; never said of staff. See `people.shut_out`."""
    network: str | None = None
    """From where the person acts, as `portal.networks` writes it; None outside a request."""

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
    """The actor for a user whose row is loaded already."""
    current = CurrentSignIn(sign_in.uuid, sign_in.seen_at) if sign_in is not None else None
    staff = staff_permissions(((role.builtin, role.permissions) for role in user.platform_roles), scopes)
    return Actor(Who.of(user), current, staff, scopes, client_uuid)


def staff_permissions(
    roles: Iterable[tuple[bool, list[str]]], scopes: frozenset[Scope] | None = None
) -> frozenset[StaffPermission]:
    """The permissions of platform roles, each told as (whether it is built in, its words).

    A program, which has `scopes`, gets them only with the scope `admin`.
    """
    if scopes is not None and Scope.ADMIN not in scopes:
        return frozenset()
    staff: set[StaffPermission] = set()
    for builtin, words in roles:
        staff.update(StaffPermission if builtin else (one for one in StaffPermission if one.value in words))
    return frozenset(staff)
