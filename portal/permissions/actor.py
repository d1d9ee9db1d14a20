"""Who acts: a user with the rights that hold everywhere. Built at the edge, passed to rules and operations."""

from dataclasses import dataclass, field
from uuid import UUID

from portal.people.models import SignIn, User
from portal.permissions.members import RoomMember
from portal.permissions.permission import StaffPermission


@dataclass(frozen=True)
class Actor:
    """A signed-in person. `memberships` holds those that a door has loaded, by room."""

    user: User
    sign_in: SignIn | None
    staff: frozenset[StaffPermission]
    memberships: dict[UUID, RoomMember | None] = field(default_factory=dict)

    @property
    def uuid(self) -> UUID:
        """The user's."""
        return self.user.uuid


def actor_of(user: User, sign_in: SignIn | None = None) -> Actor:
    """The actor that this user is, with what the platform roles say."""
    staff: set[StaffPermission] = set()
    for role in user.platform_roles:
        if role.builtin:
            staff.update(StaffPermission)
        else:
            known = set(StaffPermission) & set(role.permissions)
            staff.update(StaffPermission(word) for word in known)
    return Actor(user, sign_in, frozenset(staff))
