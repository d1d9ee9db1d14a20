"""Links by which somebody who has no password sets the first one: issued, opened, used once, swept away.

Whoever makes a user hands out such a link, so that nobody but the person ever knows the password.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from portal import throttling, vault
from portal.audit.operations import record_event
from portal.clock import now
from portal.db import committed_step, session
from portal.errors import Conflict, Message, NotFound
from portal.people import passwords
from portal.people.actor import Actor
from portal.people.models import PasswordLink, SignIn, User
from portal.people.operations import set_password, start_sign_in
from portal.throttling import Bucket
from portal.token_format import TokenFormat

LIFE = timedelta(days=7)
_TOKEN = TokenFormat("pw_", random_bytes=24)
_PURPOSE = "password-link"


@dataclass(frozen=True)
class IssuedPasswordLink:
    """A new link: the path to open below the portal's address, and when it ends. It cannot be shown again."""

    path: str
    expires_at: datetime


def issue_password_link(user: User, *, by: Actor | None = None) -> IssuedPasswordLink:
    """Make a link by which `user` sets the first password within a week. An older one ends.

    `by` is None for the portal itself. Raises `Conflict` if the user has a password, or is deactivated.
    """
    if user.password_hash is not None:
        raise Conflict(Message("%(email)s has a password already.", email=user.email))
    if user.deactivated_at is not None:
        raise Conflict(Message("%(email)s is deactivated.", email=user.email))
    token, expires_at = _TOKEN.new(), now() + LIFE
    session.execute(sa.delete(PasswordLink).where(PasswordLink.user_uuid == user.uuid))
    token_hash = vault.lookup_hash(token, purpose=_PURPOSE)
    session.add(PasswordLink(user_uuid=user.uuid, token_hash=token_hash, expires_at=expires_at))
    session.flush()
    record_event("user.password_link_issued", user, by=by)
    return IssuedPasswordLink(f"/set-password?token={token}", expires_at)


def find_password_link(token: str) -> PasswordLink:
    """The link with this token. Raises `NotFound`, also for one that was used or is over."""
    link = None
    if _TOKEN.fits(token):
        hashes = vault.lookup_hashes(token, purpose=_PURPOSE)
        link = session.scalars(sa.select(PasswordLink).where(PasswordLink.token_hash.in_(hashes))).unique().first()
    if link is None or not link.works(now()):
        raise NotFound
    return link


def use_password_link(*, token: str, password: str, network: str, timezone: str | None = None) -> SignIn:
    """Set the password and sign in. Of several who use one link at the same time, one does.

    `network` is the visitor's address, by which tries are throttled. `timezone` is stored if the user has none yet.
    Raises `NotFound`, `Invalid` on `password`, or `Throttled`.
    """
    bucket = Bucket.of("password-link", network, limit=30, window=60)
    with committed_step():
        throttling.reserve(bucket)
    with committed_step():
        find_password_link(token)
    password_hash = passwords.checked_hash(password)
    link = find_password_link(token)
    user = link.user
    used = sa.delete(PasswordLink).where(PasswordLink.token_hash == link.token_hash)
    if session.execute(used.returning(PasswordLink.user_uuid)).first() is None:
        raise NotFound
    set_password(user, password_hash)
    throttling.release(bucket)
    return start_sign_in(user, timezone=timezone)


def find_link_of(user: User) -> PasswordLink | None:
    """The user's link, if it still works; only its hash is stored, so that nobody can show it again."""
    link = session.get(PasswordLink, user.uuid)
    return link if link is not None and link.works(now()) else None


def can_get_in(user: User) -> bool:
    """Whether the user can sign in: there is a password, or a link to set one that still works."""
    if user.deactivated_at is not None or user.password_hash is not None:
        return user.deactivated_at is None
    return find_link_of(user) is not None


def sweep_password_links() -> None:
    """Housekeeping: delete links that are over."""
    session.execute(sa.delete(PasswordLink).where(PasswordLink.expires_at <= now()))
