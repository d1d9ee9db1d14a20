"""What bodies about users, administrators, roles and permissions have in common."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import Field

from portal.api.v1.core.request_body import AnId
from portal.db import session
from portal.edge import actor
from portal.errors import Invalid, Message
from portal.identifiers import matches_identifier
from portal.people.models import EMAIL_LENGTH, NAME_LENGTH, ROLE_DESCRIPTION_LENGTH, PlatformRole, User
from portal.people.staff import StaffPermission
from portal.people.user_status import UserStatus, activate_user, deactivate_user, find_user

Email = Annotated[str, Field(max_length=EMAIL_LENGTH)]
Name = Annotated[str, Field(max_length=NAME_LENGTH)]
Text = Annotated[str, Field(max_length=ROLE_DESCRIPTION_LENGTH)]
TimeZone = Annotated[str, Field(max_length=64, description="An IANA name.", examples=["Europe/Berlin"])]
Metadata = Annotated[
    dict[str, Any], Field(description="What programs store with a user: scalars, or one level of objects and lists.")
]
RoleIds = Annotated[list[AnId], Field(max_length=50)]
PermissionIds = Annotated[list[StaffPermission], Field(max_length=100)]


def roles_named(ids: Sequence[str]) -> list[PlatformRole]:
    """The roles with these ids, uuids or ulids. Raises `Invalid` on `roles_ids` if there is no such role."""
    if not ids:
        return []
    query = sa.select(PlatformRole).where(sa.or_(*(matches_identifier(PlatformRole, one) for one in ids)))
    roles = list(session.scalars(query))
    for one in ids:
        if not any(role.has_identifier(one) for role in roles):
            raise Invalid(roles_ids=Message("There is no role %(id)s.", id=one))
    return roles


@contextmanager
def by_permissions_ids() -> Iterator[None]:
    """Run the operation in the block, and name what it refuses of permissions by the field of the body."""
    try:
        yield
    except Invalid as invalid:
        fields = {"permissions": "permissions_ids"}
        raise Invalid(**{fields.get(name, name): message for name, message in invalid.fields.items()}) from None


def user_named(user_id: str) -> User:
    """The user with this id, uuid or ulid. Raises `Invalid` on `user_id` if there is none."""
    user = find_user(user_id)
    if user is None:
        raise Invalid(user_id=Message("There is no such user."))
    return user


def set_status(user: User, status: UserStatus | None) -> None:
    """Switch the user off or on, if the body says so."""
    if status is not None:
        (activate_user if status is UserStatus.ACTIVE else deactivate_user)(user, by=actor.someone())
