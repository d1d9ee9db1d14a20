"""What staff does with users: changing them, switching them off and on, making them nobody.

A user who is off cannot sign in. Sign-ins end for good, and with them admissions and event streams; programs get
nothing while he is off. Whoever is made nobody keeps his row, to which the audit and past meetings refer, without
anything that says who he was.
"""

from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from portal.audit.operations import record_event
from portal.clock import now
from portal.db import lock, session
from portal.errors import Message, NotAllowed
from portal.identifiers import matches_identifier
from portal.metadata import checked_metadata
from portal.people.actor import Actor
from portal.people.emails import DELETED_DOMAIN
from portal.people.models import PasswordLink, User
from portal.people.operations import end_sign_ins, rename_user, set_email
from portal.people.role_holders import require_another_admin, require_authority


class UserStatus(StrEnum):
    """Whether a user can sign in."""

    ACTIVE = "active"
    INACTIVE = "inactive"

    @classmethod
    def of(cls, user: User) -> "UserStatus":
        """The status of this user."""
        return cls.ACTIVE if user.deactivated_at is None else cls.INACTIVE


def known_users() -> sa.Select[User]:
    """A SELECT of all users who were not made nobody."""
    return sa.select(User).where(User.email.not_like(f"%@{DELETED_DOMAIN}"))


def find_user(user_id: str) -> User | None:
    """The user with this id, uuid or ulid; None if there is none, or if he was made nobody."""
    return session.scalars(known_users().where(matches_identifier(User, user_id))).unique().one_or_none()


def change_user(
    user: User,
    *,
    by: Actor,
    name: str | None = None,
    email: str | None = None,
    timezone: str | None = None,
    metadata: object = None,
) -> None:
    """Change what is given of a user. Raises `NotAllowed`, `NotFound`, or `Invalid` on the field."""
    lock(user)
    if user.uuid != by.uuid:
        require_authority(by, user)
    before = {field: getattr(user, field) for field in ("name", "timezone", "email", "user_metadata")}
    if name is not None or timezone is not None:
        rename_user(user, name=name, timezone=timezone)
    if email is not None:
        set_email(user, email)
    if metadata is not None:
        user.user_metadata = checked_metadata(metadata, field="metadata")
    session.flush()
    changes: dict[str, Any] = {}
    for field, value in before.items():
        if getattr(user, field) != value:
            changes |= {f"{field}_before": value, f"{field}_after": getattr(user, field)}
    if changes:
        record_event("user.changed", user, by=by, **changes)


def deactivate_user(user: User, *, by: Actor) -> None:
    """Switch a user off. Raises `NotAllowed`, also for oneself, `Conflict` for the last administrator, `NotFound`."""
    lock(user)
    if user.deactivated_at is not None:
        return
    _require_other(by, user)
    require_another_admin(user)
    user.deactivated_at = now()
    end_sign_ins(user)
    session.flush()
    record_event("user.deactivated", user, by=by, status_before="active", status_after="inactive")


def activate_user(user: User, *, by: Actor) -> None:
    """Let a user sign in again. Raises `NotAllowed` or `NotFound`."""
    lock(user)
    if user.deactivated_at is None:
        return
    require_authority(by, user)
    user.deactivated_at = None
    session.flush()
    record_event("user.activated", user, by=by, status_before="inactive", status_after="active")


def anonymise_user(user: User, *, by: Actor) -> None:
    """Take from a user's row everything that says who he was, and every way in.

    What belongs to him elsewhere is for the caller. Raises as `deactivate_user` does.
    """
    lock(user)
    _require_other(by, user)
    require_another_admin(user)
    user.deactivated_at = user.deactivated_at or now()
    user.email, user.name = f"{user.uuid.hex}@{DELETED_DOMAIN}", "Deleted user"
    user.password_hash, user.timezone, user.user_metadata = None, None, {}
    user.platform_roles = []
    session.execute(sa.delete(PasswordLink).where(PasswordLink.user_uuid == user.uuid))
    end_sign_ins(user)
    session.flush()
    record_event("user.anonymised", user, by=by)


def _require_other(by: Actor, user: User) -> None:
    if user.uuid == by.uuid:
        raise NotAllowed(Message("You cannot do this to yourself. Ask another administrator."))
    require_authority(by, user)
