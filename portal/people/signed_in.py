"""Reading who is signed in, by one statement with each page; and whether somebody who acts still may.

The statement is built once, when the module is loaded, because building it takes longer than executing it.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.db import read, session
from portal.people.actor import Actor, CurrentSignIn, Who, staff_permissions
from portal.people.models import PlatformRole, SignIn, User, sign_in_counts, user_platform_roles
from portal.people.shut_out import AT, SHUT_OUT
from portal.plain_values import columns_for

WHO = columns_for(Who, User)
"""The columns of a `Who`."""
ROLE = (PlatformRole.builtin, PlatformRole.permissions)
"""The columns of a platform role of `User`, in the order that `staff_permissions` takes; null where there is none."""

_SIGN_INS = (
    sa.select(*WHO, *ROLE, SignIn.seen_at, SignIn.ended_at, User.deactivated_at, SHUT_OUT)
    .select_from(SignIn)
    .join(User, User.uuid == SignIn.user_uuid)
    .outerjoin(user_platform_roles, user_platform_roles.c.user_uuid == User.uuid)
    .outerjoin(PlatformRole, PlatformRole.uuid == user_platform_roles.c.platform_role_uuid)
)
_SIGNED_IN = _SIGN_INS.where(SignIn.uuid == sa.bindparam("sign_in", type_=sa.Uuid()))
_SIGNED_IN_AMONG = _SIGN_INS.add_columns(SignIn.uuid.label("sign_in")).where(
    SignIn.uuid.in_(sa.bindparam("sign_ins", type_=sa.Uuid(), expanding=True))
)


def signed_in(sign_in_uuid: UUID, *, at: datetime, days: int) -> Actor | None:
    """The person with this sign-in; None if it does not count at `at`, as `SignIn.valid` says."""
    rows: Sequence[Any] = read(_SIGNED_IN, {"sign_in": sign_in_uuid, AT.key: at}).all()
    return _actor_from(rows, sign_in_uuid, at=at, days=days) if rows else None


def signed_in_among(sign_in_uuids: Collection[UUID], *, at: datetime, days: int) -> list[Actor]:
    """The people with those of these sign-ins that count at `at`, by one statement."""
    by_sign_in: dict[UUID, list[Any]] = {}
    for row in read(_SIGNED_IN_AMONG, {"sign_ins": list(sign_in_uuids), AT.key: at}):
        by_sign_in.setdefault(row.sign_in, []).append(row)
    people = (_actor_from(rows, sign_in_uuid, at=at, days=days) for sign_in_uuid, rows in by_sign_in.items())
    return [actor for actor in people if actor is not None]


def _actor_from(rows: Sequence[Any], sign_in_uuid: UUID, *, at: datetime, days: int) -> Actor | None:
    """The person of one sign-in, which has a row for each of his platform roles, at least one."""
    row = rows[0]
    if not sign_in_counts(at, days, seen_at=row.seen_at, ended_at=row.ended_at, deactivated_at=row.deactivated_at):
        return None
    staff = staff_permissions((one.builtin, one.permissions) for one in rows if one.builtin is not None)
    current = CurrentSignIn(sign_in_uuid, row.seen_at)
    return Actor(Who(*row[: len(WHO)]), current, staff, shut_out=bool(row.shut_out))


def still_acts(actor: Actor) -> bool:
    """Whether the person has not been deactivated meanwhile, nor his sign-in ended."""
    own = actor.sign_in.uuid if actor.sign_in is not None else None
    ended = sa.exists().where(SignIn.uuid == own, SignIn.ended_at.is_not(None))
    query = sa.select(User.uuid).where(User.uuid == actor.uuid, User.deactivated_at.is_(None), ~ended)
    return session.scalar(query) is not None
