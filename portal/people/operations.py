"""Signing in and out, and creating and changing users."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal import throttling
from portal.audit.changes import changes_since, values_of
from portal.audit.operations import record_event
from portal.channels import channels
from portal.clock import now
from portal.db import committed_step, on_commit, session
from portal.errors import Invalid, Message, Throttled
from portal.people import passwords
from portal.people.actor import Actor, actor_of
from portal.people.emails import canonical_email, is_reserved
from portal.people.known_devices import KnownDevice
from portal.people.models import EMAIL_LENGTH, NAME_LENGTH, PasswordLink, PlatformRole, SignIn, User
from portal.people.names import clean_name
from portal.people.throttle_buckets import password_buckets
from portal.people.timezones import time_zones
from portal.throttling import Bucket

SEEN_STEP = timedelta(hours=1)  # how exact "last seen" is; more exact would be a write per page
SEEN_BY_READING_STEP = timedelta(days=1)  # how exact "last seen" is for somebody who only reads pages
SIGN_IN_RETENTION = timedelta(days=90)
ADMIN_ROLE = "admin"


def sign_in(
    *, email: str, password: str, network: str, device: KnownDevice | None = None, timezone: str | None = None
) -> SignIn:
    """Create a sign-in for the user with this e-mail and password. `timezone` is stored if the user has none yet.

    `network` is the visitor's network, `device` the browser if anybody has signed in there before. Raises `Throttled`,
    or `Invalid` without naming the field.
    """
    user = authenticate(email=email, password=password, network=network, device=device)
    return start_sign_in(user, network=network, timezone=timezone)


def start_sign_in(user: User, *, network: str, timezone: str | None = None) -> SignIn:
    """Create a sign-in for a user who has proven who he is. `timezone` is stored if he has none yet.

    `network` is the visitor's network, for the audit.
    """
    if user.timezone is None and timezone in time_zones():
        user.timezone = timezone
    started = SignIn(user=user)
    session.add(started)
    session.flush()
    record_event("user.signed_in", user, by=replace(actor_of(user, started), network=network))
    return started


def authenticate(*, email: str, password: str, network: str, device: KnownDevice | None = None) -> User:
    """Find the user with this e-mail and password.

    Throttled as `portal.people.throttle_buckets` says; the answer and its time do not tell which accounts exist.
    Raises `Throttled`, or `Invalid` without naming the field.
    """
    with committed_step():
        user = find_by_email(email)
    known = device if device is not None and user is not None and device.knows(user) else None
    buckets = _count_try(
        password_buckets(email=canonical_email(email) or email[:EMAIL_LENGTH], network=network, known_device=known)
    )
    good = passwords.matches(password, user.password_hash if user else None)
    if not good or user is None or user.deactivated_at is not None:
        raise Invalid(Message("E-mail or password is wrong. Check both, then try again."))
    throttling.release(*buckets)
    return user


def _count_try(choices: tuple[tuple[Bucket, ...], ...]) -> tuple[Bucket, ...]:
    """Count a try in the first of `choices` that has one left, and return that. Raises `Throttled` as the last does."""
    *earlier, last = choices
    for buckets in earlier:
        try:
            with committed_step():
                throttling.reserve(*buckets)
        except Throttled:
            continue
        return buckets
    with committed_step():
        throttling.reserve(*last)
    return last


def sign_out(actor: Actor) -> None:
    """End the sign-in by which somebody acts, and with it the admissions and event streams that depend on it."""
    if actor.sign_in is None:
        return
    session.get_one(SignIn, actor.sign_in.uuid).ended_at = now()
    record_event("user.signed_out", user_of(actor), by=actor)
    _tell_streams(actor.uuid)


def set_password(user: User, password_hash: passwords.Hash, *, by: Actor | None = None) -> None:
    """Replace the password, sign the user out everywhere, and end what programs were granted.

    A first password replaces none, so nothing was derived from it. `by` is None for the portal itself.
    """
    if user.password_hash is not None:
        user.password_set_at = now()
    user.password_hash, user.password_is_public = password_hash, False
    session.execute(sa.delete(PasswordLink).where(PasswordLink.user_uuid == user.uuid))
    end_sign_ins(user)
    record_event("user.password_changed", user, by=by)


def end_sign_ins(user: User) -> None:
    """Sign the user out everywhere, and end the admissions and event streams that depend on it."""
    session.execute(
        sa.update(SignIn).where(SignIn.user_uuid == user.uuid, SignIn.ended_at.is_(None)).values(ended_at=now())
    )
    _tell_streams(user.uuid)


def create_user(
    *,
    email: str,
    name: str,
    password_hash: passwords.Hash | None = None,
    password_is_public: bool = False,
    by: Actor | None = None,
) -> User:
    """A new user. `by` is None for the portal itself. Raises `Invalid` on `email` or `name`."""
    user = User(
        email=_required_email(email),
        name=clean_name(name, field="name", longest=NAME_LENGTH),
        password_hash=password_hash,
        password_is_public=password_is_public,
    )
    with _unless_taken():
        session.add(user)
    record_event("user.created", user, by=by)
    return user


def change_email(user: User, *, email: str, by: Actor | None = None) -> None:
    """Change the address for signing in. `by` is None for the portal itself. Raises `Invalid` on `email`."""
    before = values_of(user, ("email",))
    set_email(user, email)
    record_event("user.changed", user, by=by, changes=changes_since(before, user))


def set_email(user: User, email: str) -> None:
    """Set the address for signing in; the caller tells the audit. Raises `Invalid` on `email`."""
    with _unless_taken():
        user.email = _required_email(email)


def change_profile(user: User, *, name: str, timezone: str, by: Actor) -> None:
    """Change a user's own name and time zone. Raises `Invalid` on `name` or `timezone`."""
    before = values_of(user, ("name", "timezone"))
    rename_user(user, name=name, timezone=timezone)
    record_event("user.changed", user, by=by, changes=changes_since(before, user))


def rename_user(user: User, *, name: str | None, timezone: str | None) -> None:
    """Set what is given; the caller tells the audit. Raises `Invalid` on `name` or `timezone`."""
    if timezone is not None:
        if timezone not in time_zones():
            raise Invalid(timezone=Message("Choose one of the time zones."))
        user.timezone = timezone
    if name is not None:
        user.name = clean_name(name, field="name", longest=NAME_LENGTH)


def make_admin(user: User, *, by: Actor | None = None) -> None:
    """Give the built-in platform role, which holds every staff permission. `by` is None for the portal itself."""
    role = session.scalar(sa.select(PlatformRole).where(PlatformRole.name == ADMIN_ROLE))
    if role is None:
        role = PlatformRole(
            name=ADMIN_ROLE,
            display_name="Administrator",
            description="Holds every permission, also future ones.",
            builtin=True,
        )
        session.add(role)
    if role not in user.platform_roles:
        user.platform_roles.append(role)
    session.flush()
    record_event("user.made_admin", user, by=by)


def mark_seen(sign_in_uuid: UUID, *, at: datetime, step: timedelta) -> None:
    """Set the sign-in's `seen_at` to `at`, unless it was set within `step`."""
    session.execute(
        sa.update(SignIn).where(SignIn.uuid == sign_in_uuid, SignIn.seen_at <= at - step).values(seen_at=at)
    )


def user_of(actor: Actor) -> User:
    """The row of whoever acts, to change it or to relate something to it."""
    return session.get_one(User, actor.uuid)


def find_by_email(email: str) -> User | None:
    """The user with this e-mail address, in whatever way it is written. None if there is none any more."""
    canonical = canonical_email(email)
    if canonical is None or is_reserved(canonical):
        return None
    return session.scalar(sa.select(User).where(User.email == canonical))


def find_by_stored_email(email: str) -> User | None:
    """The user whose address is stored exactly like this, canonical or not: one of `ambiguous_emails`, say."""
    return session.scalar(sa.select(User).where(User.email == email))


def ambiguous_emails() -> list[str]:
    """Stored addresses that are not canonical: somebody else has the canonical form, or it is no address today.

    Nobody can be found by them, so nobody signs in with them. They are older than the canonical form.
    """
    return [email for email in session.scalars(sa.select(User.email)) if canonical_email(email) != email]


def anybody() -> bool:
    """Whether there is any user at all."""
    return bool(session.scalar(sa.select(sa.exists().where(User.uuid.is_not(None)))))


def any_public_password() -> bool:
    """Whether any active user has a password that everybody knows."""
    open_to_all = sa.and_(User.password_is_public, User.deactivated_at.is_(None))
    return bool(session.scalar(sa.select(sa.exists().where(open_to_all))))


def sweep_sign_ins() -> None:
    """Housekeeping: delete sign-ins that were not used for 90 days."""
    session.execute(sa.delete(SignIn).where(SignIn.seen_at < now() - SIGN_IN_RETENTION))


def _required_email(text: str) -> str:
    email = canonical_email(text)
    if email is None or is_reserved(email):
        raise Invalid(email=Message("This is not an e-mail address."))
    return email


@contextmanager
def _unless_taken() -> Iterator[None]:
    try:
        with session.begin_nested():
            yield
    except IntegrityError:
        raise Invalid(email=Message("Somebody has this e-mail address already.")) from None


def _tell_streams(user_uuid: UUID) -> None:
    on_commit(lambda: channels().nudge(f"user:{user_uuid}"))
