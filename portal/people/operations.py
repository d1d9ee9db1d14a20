"""Signing in and out, and making users."""

import zoneinfo
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal import tries
from portal.audit.operations import note
from portal.channels import channels
from portal.clock import now
from portal.db import afterwards, apart, session
from portal.errors import Invalid, Message
from portal.people import passwords
from portal.people.models import EMAIL_LENGTH, NAME_LENGTH, PlatformRole, SignIn, User
from portal.people.names import readable
from portal.tries import Bucket

SEEN_STEP = timedelta(hours=1)  # how exact "last seen" is; more exact would be a write per page
ADMIN_ROLE = "admin"


def sign_in(*, email: str, password: str, network: str, timezone: str | None = None) -> SignIn:
    """A new sign-in for whom this e-mail and password belong to.

    Throttled per account and per network; the answer and its time do not tell which accounts exist.
    Raises `Throttled`, or `Invalid` without naming the field.
    """
    email = email.strip().casefold()[:EMAIL_LENGTH]
    buckets = (
        Bucket.of("sign-in", email, limit=10, window=60),
        Bucket.of("sign-in", network, limit=30, window=60),
    )
    with apart():
        tries.reserve(*buckets)
    with apart():
        user = session.scalar(sa.select(User).where(User.email == email))
    good = passwords.matches(password, user.password_hash if user else None)
    if not good or user is None or user.deactivated_at is not None:
        raise Invalid(Message("E-mail or password is wrong. Check both, then try again."))
    tries.hand_back(*buckets)
    if user.timezone is None and timezone in zoneinfo.available_timezones():
        user.timezone = timezone
    started = SignIn(user=user)
    session.add(started)
    session.flush()
    note("user.signed_in", user, by=user.uuid)
    return started


def sign_out(sign_in: SignIn) -> None:
    """End this sign-in; admissions and streams that hang on it end with it."""
    sign_in.ended_at = now()
    note("user.signed_out", sign_in.user, by=sign_in.user_uuid)
    _tell_streams(sign_in.user_uuid)


def set_password(user: User, password: str, *, by: UUID | None = None) -> None:
    """Replace the password and sign the user out everywhere. Raises `Invalid`."""
    user.password_hash = _hash_of_good(password)
    session.execute(
        sa.update(SignIn).where(SignIn.user_uuid == user.uuid, SignIn.ended_at.is_(None)).values(ended_at=now())
    )
    note("user.password_changed", user, by=by)
    _tell_streams(user.uuid)


def create_user(*, email: str, name: str, password: str | None = None, by: UUID | None = None) -> User:
    """A new user. Raises `Invalid` on `email`, `name` or `password`."""
    email = email.strip().casefold()
    if len(email) > EMAIL_LENGTH or "@" not in email[1:-1] or any(c.isspace() for c in email):
        raise Invalid(email=Message("This is not an e-mail address."))
    user = User(email=email, name=readable(name, field="name", longest=NAME_LENGTH))
    if password is not None:
        user.password_hash = _hash_of_good(password)
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError:
        raise Invalid(email=Message("Somebody has this e-mail address already.")) from None
    note("user.created", user, by=by)
    return user


def change_profile(user: User, *, name: str, timezone: str) -> None:
    """What a person may change about themselves. Raises `Invalid`."""
    if timezone not in zoneinfo.available_timezones():
        raise Invalid(timezone=Message("Choose one of the time zones."))
    user.name = readable(name, field="name", longest=NAME_LENGTH)
    user.timezone = timezone
    note("user.changed", user, by=user.uuid)


def make_admin(user: User) -> None:
    """Give the built-in platform role, which holds every staff permission."""
    role = session.scalar(sa.select(PlatformRole).where(PlatformRole.name == ADMIN_ROLE))
    if role is None:
        role = PlatformRole(name=ADMIN_ROLE, builtin=True)
        session.add(role)
    if role not in user.platform_roles:
        user.platform_roles.append(role)
    session.flush()
    note("user.made_admin", user, by=None)


def signed_in(sign_in_uuid: UUID) -> SignIn | None:
    """The sign-in with its user and roles, if it still counts, or None."""
    return session.get(SignIn, sign_in_uuid)


def find_by_email(email: str) -> User | None:
    """The user with this address, however it is capitalised."""
    return session.scalar(sa.select(User).where(User.email == email.strip().casefold()))


def _hash_of_good(password: str) -> str:
    if not passwords.MIN_LENGTH <= len(password) <= passwords.MAX_LENGTH:
        raise Invalid(password=Message("A password has at least %(least)d characters.", least=passwords.MIN_LENGTH))
    return passwords.hashed(password)


def _tell_streams(user_uuid: UUID) -> None:
    afterwards(lambda: channels().nudge(f"user:{user_uuid}"))
