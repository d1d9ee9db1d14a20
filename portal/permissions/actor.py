"""Who acts: a user with the rights that hold everywhere. Built at the edge, passed to rules and operations."""

from dataclasses import dataclass, field
from uuid import UUID

from portal.credentials.scopes import Scope
from portal.people.models import SignIn, User
from portal.permissions.members import RoomMember
from portal.permissions.permission import StaffPermission


@dataclass(frozen=True)
class Actor:
    """A person, or a program in that person's name. `memberships` holds those that a door has loaded, by room."""

    user: User
    sign_in: SignIn | None
    staff: frozenset[StaffPermission]
    scopes: frozenset[Scope] | None = None
    """What a program was allowed to do; None is a browser session, which may do everything that the person may."""
    memberships: dict[UUID, RoomMember | None] = field(default_factory=dict)

    @property
    def uuid(self) -> UUID:
        """The user's."""
        return self.user.uuid

    def within(self, scope: Scope) -> bool:
        """Whether the scopes, if there are any, allow this."""
        return self.scopes is None or scope in self.scopes


def actor_of(user: User, sign_in: SignIn | None = None, scopes: frozenset[Scope] | None = None) -> Actor:
    """The actor that this user is, with what the platform roles say; a program needs `admin` for those."""
    staff: set[StaffPermission] = set()
    for role in user.platform_roles:
        if role.builtin:
            staff.update(StaffPermission)
        else:
            known = set(StaffPermission) & set(role.permissions)
            staff.update(StaffPermission(word) for word in known)
    if scopes is not None and Scope.ADMIN not in scopes:
        staff.clear()
    return Actor(user, sign_in, frozenset(staff), scopes)
