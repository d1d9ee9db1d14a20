"""The access token that a program presents with each request, and who acts by it, read by one statement.

The statement is built once, when the module is loaded, because building it takes longer than executing it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal.clock import now
from portal.credentials.models import ClientKind, Grant, OAuthClient, gives_access
from portal.credentials.secrets import ACCESS, hash_of
from portal.credentials.tokens import AccessToken
from portal.db import read
from portal.people.actor import Actor, Who, staff_permissions
from portal.people.models import PlatformRole, User, user_platform_roles
from portal.people.shut_out import AT, SHUT_OUT
from portal.people.signed_in import ROLE, WHO
from portal.scopes import in_order


@dataclass(frozen=True)
class PresentedToken:
    """An access token that counts, and the person or program that acts by it."""

    uuid: UUID
    token_hash: str
    actor: Actor
    client_uuid: UUID
    client_id: str
    """The public id of the client to which it was issued."""
    client_used_at: datetime | None
    """When it was noted last that the client was used."""


@dataclass(frozen=True)
class _Person:
    deactivated_at: datetime | None
    password_set_at: datetime | None


@dataclass(frozen=True)
class _Client:
    kind: ClientKind
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    user: _Person


@dataclass(frozen=True)
class _Grant:
    created_at: datetime
    revoked_at: datetime | None
    client: _Client
    user: _Person


@dataclass(frozen=True)
class _Token:
    expires_at: datetime
    revoked_at: datetime | None
    grant: _Grant


_MAKER = aliased(User)  # who created the client
_PRESENTED = (
    sa.select(
        *WHO,
        *ROLE,
        User.deactivated_at,
        User.password_set_at,
        AccessToken.uuid.label("token_uuid"),
        AccessToken.scope_words.label("scope_words"),
        AccessToken.expires_at,
        AccessToken.revoked_at,
        Grant.created_at.label("granted_at"),
        Grant.revoked_at.label("grant_revoked_at"),
        OAuthClient.uuid.label("client_uuid"),
        OAuthClient.id.label("client_id"),
        OAuthClient.kind,
        OAuthClient.created_at.label("client_created_at"),
        OAuthClient.expires_at.label("client_expires_at"),
        OAuthClient.revoked_at.label("client_revoked_at"),
        OAuthClient.last_used_at,
        _MAKER.deactivated_at.label("maker_deactivated_at"),
        _MAKER.password_set_at.label("maker_password_set_at"),
        SHUT_OUT,
    )
    .select_from(AccessToken)
    .join(Grant, Grant.uuid == AccessToken.grant_uuid)
    .join(OAuthClient, OAuthClient.uuid == Grant.client_uuid)
    .join(_MAKER, _MAKER.uuid == OAuthClient.user_uuid)
    .join(User, User.uuid == Grant.user_uuid)
    .outerjoin(user_platform_roles, user_platform_roles.c.user_uuid == User.uuid)
    .outerjoin(PlatformRole, PlatformRole.uuid == user_platform_roles.c.platform_role_uuid)
    .where(AccessToken.token_hash == sa.bindparam("hash", type_=sa.String()))
)


def find_access_token(text: str) -> PresentedToken | None:
    """The access token with this text, if it counts now."""
    if not ACCESS.fits(text):
        return None
    token_hash, at = hash_of(text), now()
    rows: Sequence[Any] = read(_PRESENTED, {"hash": token_hash, AT.key: at}).all()
    if not rows:
        return None
    row = rows[0]
    if not gives_access(_Token(row.expires_at, row.revoked_at, _grant(row)), at):
        return None
    scopes = frozenset(in_order(row.scope_words))
    staff = staff_permissions(((one.builtin, one.permissions) for one in rows if one.builtin is not None), scopes)
    return PresentedToken(
        uuid=row.token_uuid,
        token_hash=token_hash,
        actor=Actor(Who(*row[: len(WHO)]), None, staff, scopes, row.client_uuid, shut_out=bool(row.shut_out)),
        client_uuid=row.client_uuid,
        client_id=row.client_id,
        client_used_at=row.last_used_at,
    )


def _grant(row: Any) -> _Grant:
    maker = _Person(row.maker_deactivated_at, row.maker_password_set_at)
    client = _Client(row.kind, row.client_created_at, row.client_expires_at, row.client_revoked_at, maker)
    return _Grant(row.granted_at, row.grant_revoked_at, client, _Person(row.deactivated_at, row.password_set_at))
