"""Giving roles to people and taking them away, so that there is always an active holder of the built-in role.

Nobody changes his own roles, nor gives or takes a role that holds a permission which he lacks; and whoever lacks a
permission of somebody's does not touch that person's sign-in either, by which he could get it.
"""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from portal.audit.operations import record_event
from portal.clock import now
from portal.db import lock, session
from portal.errors import Conflict, Message, NotAllowed
from portal.people.actor import Actor
from portal.people.models import PlatformRole, User, user_platform_roles
from portal.people.operations import create_user, end_sign_ins, find_by_email
from portal.people.password_links import IssuedPasswordLink, end_password_link, issue_password_link
from portal.people.roles import holds_all, permissions_of, require_held
from portal.people.staff import StaffPermission


@dataclass(frozen=True)
class StaffMember:
    """Somebody who was made a member of the staff; `link` is for the first password, None if there was none to make."""

    user: User
    link: IssuedPasswordLink | None


def make_staff_member(*, email: str, name: str, roles: Collection[PlatformRole], by: Actor) -> StaffMember:
    """Give roles to the user with this e-mail, who is made if there is none. A user keeps the own name.

    A user who was there gets a link only from staff who may change people, because it opens all that he has. Raises
    `Invalid` on `email` or `name`, `NotAllowed` if he may do more than `by`, or `NotFound`.
    """
    user, links = find_by_email(email), StaffPermission.USERS_UPDATE in by.staff
    if user is None:
        user, links = create_user(email=email, name=name, by=by), True
    else:
        lock(user)
        require_authority(by, user)
    change_roles(user, by=by, give=roles)
    asks = links and user.password_hash is None and user.deactivated_at is None
    return StaffMember(user, issue_password_link(user, by=by) if asks else None)


def change_roles(
    user: User, *, by: Actor, give: Collection[PlatformRole] = (), take: Collection[PlatformRole] = ()
) -> None:
    """Give these roles and take those, as far as that changes anything.

    He signs in anew. A link to set his first password ends: whoever made it may have less power than he has from now.

    Raises `NotAllowed`, `Conflict` if the last active holder would lose the built-in role, or `NotFound`.
    """
    lock(user)
    held = {role.uuid for role in user.platform_roles}
    given = [role for role in give if role.uuid not in held]
    taken = [role for role in user.platform_roles if role.uuid in {one.uuid for one in take}]
    if not given and not taken:
        return
    if user.uuid == by.uuid:
        raise NotAllowed(Message("You cannot change your own roles. Ask another administrator."))
    for role in sorted((*given, *taken), key=lambda role: role.uuid):
        lock(role)  # nobody deletes it meanwhile, nor gives it other permissions
        require_held(by, permissions_of(role))
    if any(role.builtin for role in taken):
        require_another_admin(user)
    before = _names(user)
    kept = [role for role in user.platform_roles if role not in taken]
    user.platform_roles = [*kept, *given]
    user.updated_at = now()
    end_password_link(user)
    session.flush()
    record_event("user.roles_changed", user, by=by, roles_before=before, roles_after=_names(user))
    end_sign_ins(user)


def set_roles(user: User, roles: Collection[PlatformRole], *, by: Actor) -> None:
    """Let the user hold exactly these roles. Raises as `change_roles` does."""
    lock(user)
    wanted = {role.uuid for role in roles}
    change_roles(user, by=by, give=roles, take=[role for role in user.platform_roles if role.uuid not in wanted])


def has_authority(by: Actor, user: User) -> bool:
    """Whether `by` holds all permissions of the user's roles himself, and may use them in the way in which he acts."""
    return all(holds_all(by, permissions_of(role)) for role in user.platform_roles)


def require_authority(by: Actor, user: User) -> None:
    """Raise `NotAllowed` unless `by` has authority over the user."""
    if not has_authority(by, user):
        raise NotAllowed(Message("%(name)s may do more here than you. Ask another administrator.", name=user.name))


def require_another_admin(user: User) -> None:
    """Raise `Conflict` if nobody but this user, who is active, is an active holder of the built-in role.

    Locks the role until the transaction ends, so of two administrators who remove each other one is refused.
    """
    admin = next((role for role in user.platform_roles if role.builtin), None)
    if admin is None or user.deactivated_at is not None:
        return
    lock(admin)
    another = sa.exists().where(
        user_platform_roles.c.platform_role_uuid == admin.uuid,
        user_platform_roles.c.user_uuid == User.uuid,
        User.uuid != user.uuid,
        User.deactivated_at.is_(None),
    )
    if not session.scalar(sa.select(another)):
        raise Conflict(
            Message("%(name)s is the last active administrator. Give somebody else the role first.", name=user.name)
        )


def _names(user: User) -> str:
    return " ".join(sorted(role.name for role in user.platform_roles))
