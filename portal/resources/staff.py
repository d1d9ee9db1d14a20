"""What only staff is shown: users of the portal with their status, administrators, roles and permissions."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from portal.moments import iso_datetime
from portal.people.emails import canonical_email
from portal.people.models import PlatformRole, User
from portal.people.password_links import IssuedPasswordLink
from portal.people.roles import permissions_of
from portal.people.staff import READ_OF, StaffPermission
from portal.people.user_status import UserStatus
from portal.public_url import public_url
from portal.resources.columns import Column, worded
from portal.resources.declaring import OMITTED, Id, IdentifiedResource, Included, Read, Resource, serializer


class PlatformPermissionSchema(Resource):
    """What staff may do. Its id is its name."""

    object: Literal["Permission"]
    id: Annotated[StaffPermission, Read(lambda permission, _: permission.value)]
    name: Annotated[str, Read(lambda permission, _: permission.value)]
    display_name: Annotated[str, Read(lambda permission, _: str(permission.label))]
    needs: Annotated[
        StaffPermission | None,
        Field(description="The permission without which a role cannot hold this one."),
        Read(lambda permission, _: READ_OF.get(permission)),
    ]


class PlatformRoleSchema(IdentifiedResource):
    """A set of permissions that is given to people, who belong to the staff by it."""

    object: Literal["Role"]
    name: Annotated[
        str, Field(description="Unique, in kebab-case, and never changed."), Column(PlatformRole.name), Read("name")
    ]
    display_name: Annotated[str, worded(PlatformRole.display_name), Read("title")]
    description: str
    builtin: Annotated[
        bool,
        Field(description="Whether it holds everything, also future permissions, and cannot be changed."),
        Column(PlatformRole.builtin),
    ]
    permissions: Included[list[PlatformPermissionSchema]] | None = None


serialize_permission = serializer(PlatformPermissionSchema)
"""A permission of staff."""


class PlatformUserSchema(IdentifiedResource):
    """A person who signs in, as staff is shown him."""

    object: Literal["User"]
    name: Annotated[str, worded(User.name)]
    email: Annotated[str, Column(User.email, stored=lambda text: canonical_email(text) or text)]
    status: Annotated[UserStatus, Read(lambda user, _: UserStatus.of(user).value)]
    timezone: str | None
    metadata: Annotated[dict[str, Any], Read("user_metadata")]
    password_set: Annotated[
        bool,
        Field(description="Whether there is a password to sign in with."),
        Read(lambda user, _: user.password_hash is not None),
    ]
    password_link: Annotated[
        Annotated[str, Field(description="Sets the first password, once. Only where it was just made.")] | None,
        Read(lambda _user, link: public_url(link.path) if link is not None else OMITTED),
    ] = None
    password_link_expires_at: Annotated[
        datetime | None, Read(lambda _user, link: iso_datetime(link.expires_at) if link is not None else OMITTED)
    ] = None
    roles: Included[list[PlatformRoleSchema]] | None = None


class AdminSchema(PlatformUserSchema):
    """A person who belongs to the staff: a `User` with roles."""

    object: Literal["Admin"]  # type: ignore[assignment]
    roles_ids: Annotated[list[Id], Read(lambda user, _: sorted(role.id for role in user.platform_roles))]


_serialize_role, _serialize_user = serializer(PlatformRoleSchema), serializer(PlatformUserSchema)
_serialize_admin = serializer(AdminSchema)


def serialize_role(role: PlatformRole, includes: tuple[str, ...] = ()) -> dict[str, Any]:
    """A role, with its permissions if they are among `includes`."""
    data = _serialize_role(role)
    if "permissions" in includes:
        held = permissions_of(role)
        data["permissions"] = {"data": [serialize_permission(one) for one in StaffPermission if one in held]}
    return data


def serialize_platform_user(
    user: User, includes: tuple[str, ...] = (), link: IssuedPasswordLink | None = None
) -> dict[str, Any]:
    """A user; `link` is the one for the first password, which was just made."""
    return _with_roles(_serialize_user(user, link), user, includes)


def serialize_admin(
    user: User, includes: tuple[str, ...] = (), link: IssuedPasswordLink | None = None
) -> dict[str, Any]:
    """A member of the staff; `link` is the one for the first password, which was just made."""
    return _with_roles(_serialize_admin(user, link), user, includes)


def _with_roles(data: dict[str, Any], user: User, includes: tuple[str, ...]) -> dict[str, Any]:
    if "roles" in includes:
        roles = sorted(user.platform_roles, key=lambda role: role.name)
        data["roles"] = {"data": [serialize_role(role) for role in roles]}
    return data
