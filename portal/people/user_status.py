"""Switching users off and on, and making them nobody.

A user who is off cannot sign in. Sign-ins end for good, and with them admissions and event streams; programs get
nothing while he is off. Whoever is made nobody keeps his row, to which the audit and past meetings refer, without
anything that says who he was.
"""

import sqlalchemy as sa

from portal.audit.operations import record_event
from portal.channels import channels
from portal.clock import now
from portal.db import lock, on_commit, session
from portal.errors import Message, NotAllowed
from portal.people.actor import Actor
from portal.people.models import PasswordLink, SignIn, User
from portal.people.role_holders import require_another_admin, require_authority


def deactivate_user(user: User, *, by: Actor) -> None:
    """Switch a user off. Raises `NotAllowed`, also for oneself, `Conflict` for the last administrator, `NotFound`."""
    lock(user)
    if user.deactivated_at is not None:
        return
    _require_other(by, user)
    require_another_admin(user)
    user.deactivated_at = now()
    _end_sign_ins(user)
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
    user.email, user.name = f"{user.uuid.hex}@deleted.invalid", "Deleted user"
    user.password_hash, user.timezone = None, None
    user.platform_roles = []
    session.execute(sa.delete(PasswordLink).where(PasswordLink.user_uuid == user.uuid))
    _end_sign_ins(user)
    record_event("user.anonymised", user, by=by)


def _require_other(by: Actor, user: User) -> None:
    if user.uuid == by.uuid:
        raise NotAllowed(Message("You cannot do this to yourself. Ask another administrator."))
    require_authority(by, user)


def _end_sign_ins(user: User) -> None:
    session.execute(
        sa.update(SignIn).where(SignIn.user_uuid == user.uuid, SignIn.ended_at.is_(None)).values(ended_at=now())
    )
    session.flush()
    on_commit(lambda: channels().nudge(f"user:{user.uuid}"))
