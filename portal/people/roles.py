"""Platform roles: named sets of staff permissions. The built-in role `admin` holds all, and nobody changes it.

A name never changes, because programs know a role by it. Every role holds `dashboard:access`, and with a permission to
write that to read the same. Nobody adds to a role, or takes from it, a permission that he lacks himself.
"""

import re
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.audit.operations import record_event
from portal.channels import channels
from portal.db import lock, on_commit, session
from portal.errors import Conflict, Invalid, Message, NotAllowed
from portal.identifiers import matches_identifier
from portal.people.actor import Actor
from portal.people.models import NAME_LENGTH, ROLE_DESCRIPTION_LENGTH, PlatformRole, User, user_platform_roles
from portal.people.names import clean_name
from portal.people.password_links import end_password_links_of_holders
from portal.people.staff import READ_OF, StaffPermission

_KEBAB_CASE = re.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*")


def find_role(role_id: str) -> PlatformRole | None:
    """The role with this id, uuid or ulid; None if there is none."""
    return session.scalar(sa.select(PlatformRole).where(matches_identifier(PlatformRole, role_id)))


def all_roles() -> list[PlatformRole]:
    """All roles by name, the built-in one first."""
    query = sa.select(PlatformRole).order_by(PlatformRole.builtin.desc(), PlatformRole.name)
    return list(session.scalars(query))


def holders_of(role: PlatformRole, *, limit: int) -> list[User]:
    """The people who hold the role, active or not, by name."""
    held = sa.select(user_platform_roles.c.user_uuid).where(user_platform_roles.c.platform_role_uuid == role.uuid)
    query = sa.select(User).where(User.uuid.in_(held)).order_by(User.name, User.uuid).limit(limit)
    return list(session.scalars(query).unique())


def create_role(
    *, name: str, by: Actor, permissions: Collection[StaffPermission], display_name: str = "", description: str = ""
) -> PlatformRole:
    """A new role. `display_name` is made from the name when it is empty.

    Raises `Invalid` on `name`, `display_name`, `description` or `permissions`, or `NotAllowed`.
    """
    name = name.strip()
    if not _KEBAB_CASE.fullmatch(name) or len(name) > NAME_LENGTH:
        raise Invalid(name=Message("Use small letters, digits and single hyphens between them, like sales-team."))
    require_held(by, permissions)
    role = PlatformRole(
        name=name,
        display_name=_display_name(display_name or name.replace("-", " ").capitalize()),
        description=_description(description),
        permissions=complete(permissions),
    )
    try:
        with session.begin_nested():
            session.add(role)
    except IntegrityError:
        raise Invalid(name=Message("There is a role with this name already.")) from None
    record_event("role.created", role, by=by, name=role.name, permissions=" ".join(role.permissions))
    return role


def change_role(
    role: PlatformRole,
    *,
    by: Actor,
    display_name: str | None = None,
    description: str | None = None,
    permissions: Collection[StaffPermission] | None = None,
) -> None:
    """Change what is given of a role. Its holders may do from their next request on what it holds then.

    Raises `Conflict` for the built-in role, `Invalid` on the field, `NotAllowed` or `NotFound`.
    """
    lock(role)
    _require_changeable(role)
    wanted: dict[str, str | list[str]] = {}
    if display_name is not None:
        wanted["display_name"] = _display_name(display_name)
    if description is not None:
        wanted["description"] = _description(description)
    if permissions is not None:
        wanted["permissions"] = complete(permissions)
        require_held(by, permissions_of(role) ^ {StaffPermission(word) for word in wanted["permissions"]})
    changes: dict[str, Any] = {}
    for field, value in wanted.items():
        before = getattr(role, field)
        if before != value:
            changes |= {f"{field}_before": _told(before), f"{field}_after": _told(value)}
            setattr(role, field, value)
    if not changes:
        return
    session.flush()
    if "permissions_after" in changes:
        end_password_links_of_holders(role)
    record_event("role.changed", role, by=by, name=role.name, **changes)
    holders = sa.select(user_platform_roles.c.user_uuid).where(user_platform_roles.c.platform_role_uuid == role.uuid)
    topics = [f"user:{uuid}" for uuid in session.scalars(holders)]
    on_commit(lambda: channels().nudge(*topics))


def delete_role(role: PlatformRole, *, by: Actor) -> None:
    """Delete a role that nobody holds. Raises `Conflict` if somebody does, or for the built-in role, or `NotFound`."""
    lock(role)  # whoever gives it locks it, too
    _require_changeable(role)
    held = sa.exists().where(user_platform_roles.c.platform_role_uuid == role.uuid)
    if session.scalar(sa.select(held)):
        raise Conflict(Message("Somebody holds this role. Take it from everybody first."))
    require_held(by, permissions_of(role))
    record_event("role.deleted", role, by=by, name=role.name, permissions=" ".join(role.permissions))
    session.delete(role)
    session.flush()


def permissions_of(role: PlatformRole) -> frozenset[StaffPermission]:
    """What the role holds; the built-in one everything."""
    return frozenset(StaffPermission if role.builtin else (one for one in StaffPermission if one in role.permissions))


def complete(permissions: Collection[StaffPermission]) -> list[str]:
    """What a role with these permissions stores: them and `dashboard:access`, in the order of the enum.

    Raises `Invalid` on `permissions` if one to write is there without that to read.
    """
    for one in permissions:
        needed = READ_OF.get(one)
        if needed is not None and needed not in permissions:
            raise Invalid(permissions=Message("“%(one)s” needs “%(needed)s”, too.", one=one.label, needed=needed.label))
    chosen = {StaffPermission.DASHBOARD_ACCESS, *permissions}
    return [one.value for one in StaffPermission if one in chosen]


def holds_all(by: Actor, permissions: Collection[StaffPermission]) -> bool:
    """Whether `by` holds all these permissions himself, and a program of his has the scopes for them."""
    return all(one in by.staff and by.within(one.scope) for one in permissions)


def require_held(by: Actor, permissions: Collection[StaffPermission]) -> None:
    """Raise `NotAllowed` if `by` lacks one of these permissions himself."""
    for one in StaffPermission:
        if one in permissions and not holds_all(by, {one}):
            raise NotAllowed(
                Message("You cannot give or take “%(right)s”, because you do not have it yourself.", right=one.label)
            )


def _require_changeable(role: PlatformRole) -> None:
    if role.builtin:
        raise Conflict(Message("The built-in role holds everything, and can be neither changed nor deleted."))


def _display_name(text: str) -> str:
    return clean_name(text, field="display_name", longest=NAME_LENGTH)


def _description(text: str) -> str:
    return clean_name(text, field="description", longest=ROLE_DESCRIPTION_LENGTH, required=False)


def _told(value: str | list[str]) -> str:
    return value if isinstance(value, str) else " ".join(value)
