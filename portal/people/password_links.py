"""Links by which somebody who has no password sets the first one: issued, opened, used once, swept away.

Whoever makes a user hands out such a link, so that nobody but the person ever knows the password. But he knows the
link, by which he could act as that person, and was judged by what the person had when he issued it. So a link ends
whenever its person gains a right: every operation that gives roles, ownership or membership calls `end_password_link`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from portal import throttling, vault
from portal.audit.operations import record_event
from portal.clock import now
from portal.db import committed_step, lock, session
from portal.errors import Conflict, Message, NotFound
from portal.people import passwords
from portal.people.actor import Actor
from portal.people.models import PasswordLink, PlatformRole, SignIn, User, user_platform_roles
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

    `by` is None for the portal itself. Whoever judges first whether `by` may do so locks the user before, so that
    nobody gives him anything meanwhile. Raises `Conflict` if the user has a password, or is deactivated.
    """
    if user.password_hash is not None:
        raise Conflict(Message("%(email)s has a password already.", email=user.email))
    if user.deactivated_at is not None:
        raise Conflict(Message("%(email)s is deactivated.", email=user.email))
    token, expires_at = _TOKEN.new(), now() + LIFE
    session.execute(sa.delete(PasswordLink).where(PasswordLink.user_uuid == user.uuid))
    token_hash = vault.lookup_hash(token, purpose=_PURPOSE)
    issued_by_uuid = by.uuid if by is not None else None
    session.add(
        PasswordLink(user_uuid=user.uuid, token_hash=token_hash, expires_at=expires_at, issued_by_uuid=issued_by_uuid)
    )
    session.flush()
    record_event("user.password_link_issued", user, by=by)
    return IssuedPasswordLink(f"/set-password?token={token}", expires_at)


def end_password_link(user: User, *, unless_issued_by: Actor | None = None) -> None:
    """End the user's open link, because he gains a right.

    `unless_issued_by` is who gives it, where nobody gives more than he has himself: by his own link he then gets
    nothing new. Where somebody gives what he could not take, such as ownership, it is None. A link whose issuer is not
    known ends in any case.
    """
    lock(user)
    links = sa.delete(PasswordLink).where(PasswordLink.user_uuid == user.uuid)
    if unless_issued_by is not None:
        links = links.where(PasswordLink.issued_by_uuid.is_distinct_from(unless_issued_by.uuid))
    session.execute(links)


def end_password_links_of_holders(role: PlatformRole) -> None:
    """End the open links of all who hold this role, because they gain a right by it."""
    holders = sa.select(user_platform_roles.c.user_uuid).where(user_platform_roles.c.platform_role_uuid == role.uuid)
    session.execute(sa.delete(PasswordLink).where(PasswordLink.user_uuid.in_(holders)))


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
    lock(user)  # before the link, as whoever gives him something does
    used = sa.delete(PasswordLink).where(PasswordLink.token_hash == link.token_hash)
    if session.execute(used.returning(PasswordLink.user_uuid)).first() is None:
        raise NotFound
    set_password(user, password_hash)
    throttling.release(bucket)
    return start_sign_in(user, network=network, timezone=timezone)


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
