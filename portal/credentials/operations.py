"""Issuing, rotating, finding and revoking access tokens, refresh tokens and authorization codes.

A refresh token or code that is used a second time was stolen from somebody. That revokes the grant with all its
tokens, in a committed step of its own, because the request is refused and everything else is rolled back.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.audit.operations import AuditedUser, record_event
from portal.clock import now
from portal.credentials.models import ClientKind, Grant, OAuthClient
from portal.credentials.secrets import ACCESS, CODE, REFRESH, hash_of
from portal.credentials.tokens import AccessToken, AuthorizationCode, RefreshToken
from portal.db import committed_step, session
from portal.people.actor import Actor, actor_of
from portal.people.models import User
from portal.scopes import Scope, in_order

CODE_LIFE = timedelta(seconds=60)
RETENTION = timedelta(days=1)  # dead tokens stay so long, for whoever wonders what happened


@dataclass(frozen=True)
class TokenPair:
    """A new access token and, unless None, a new refresh token: their texts, lifetimes and scopes."""

    access: str
    access_life: timedelta
    scopes: Collection[Scope]
    refresh: str | None = None
    refresh_life: timedelta = timedelta()


@dataclass(frozen=True)
class Authorised:
    """A third-party application that may act for a person: the union of that person's grants to it."""

    client: OAuthClient
    scopes: list[Scope]
    since: datetime


def issue(*, client: OAuthClient, user: User, pair: TokenPair) -> Grant:
    """Create a grant with this first pair of tokens."""
    grant = Grant(client=client, user=user, scope_words=_scope_values(pair.scopes))
    _add(pair, grant)
    record_event(
        "grant.issued", grant, by=AuditedUser(user.uuid, client.uuid), client=client.id, scopes=" ".join(grant.scopes)
    )
    return grant


def rotate(token: RefreshToken, *, pair: TokenPair) -> None:
    """Use up a refresh token, which `find_refresh_token` found, and store the next pair of its grant."""
    token.used_at = now()
    _add(pair, token.grant)
    grant = token.grant
    record_event("grant.refreshed", grant, by=AuditedUser(grant.user_uuid, grant.client_uuid), client=grant.client.id)


def redeem(code: AuthorizationCode, *, client: OAuthClient, pair: TokenPair) -> None:
    """Use up an authorization code, which `find_code` found, and create a grant with this first pair of tokens."""
    code.grant = issue(client=client, user=code.user, pair=pair)
    session.flush()


def consent(
    *, code: str, client: OAuthClient, user: User, scopes: Collection[Scope], redirect_uri: str, code_challenge: str
) -> AuthorizationCode:
    """Store that `user` allows the client these scopes. The client can redeem `code` once, within a minute."""
    consented = AuthorizationCode(
        code_hash=hash_of(code),
        client_uuid=client.uuid,
        user=user,
        redirect_uri=redirect_uri,
        scope_words=_scope_values(scopes),
        code_challenge=code_challenge,
        expires_at=now() + CODE_LIFE,
    )
    session.add(consented)
    session.flush()
    by, granted = AuditedUser(user.uuid), " ".join(consented.scope_words)
    record_event("grant.consented", consented, by=by, client=client.id, scopes=granted)
    return consented


def find_refresh_token(text: str, *, client: OAuthClient) -> RefreshToken | None:
    """This client's refresh token with this text, if it counts. One that was used before revokes its grant.

    The row is locked, so a second request with the same token waits and then sees that it was used.
    """
    if not REFRESH.fits(text):
        return None
    query = sa.select(RefreshToken).where(RefreshToken.token_hash == hash_of(text)).with_for_update(of=RefreshToken)
    token = session.scalars(query.execution_options(populate_existing=True)).unique().one_or_none()
    if token is None or not token.check_client(client):
        return None
    if token.used_at is not None:
        _stolen(token.grant_uuid, token.grant.user_uuid, client)
    return token if token.live(now()) else None


def find_code(text: str, *, client: OAuthClient) -> AuthorizationCode | None:
    """This client's authorization code, locked, if it counts. One that was used before revokes its grant."""
    if not CODE.fits(text):
        return None
    query = sa.select(AuthorizationCode).where(AuthorizationCode.code_hash == hash_of(text))
    query = query.with_for_update(of=AuthorizationCode).execution_options(populate_existing=True)
    code = session.scalars(query).unique().one_or_none()
    if code is None or code.client_uuid != client.uuid:
        return None
    if code.grant_uuid is not None:
        _stolen(code.grant_uuid, code.user_uuid, client)
    return code if code.live(now()) else None


def find_any(text: str) -> AccessToken | RefreshToken | None:
    """The access or refresh token with this text, whether it still counts or not; None if there is none."""
    found: AccessToken | RefreshToken | None = None
    if ACCESS.fits(text):
        query = sa.select(AccessToken).where(AccessToken.token_hash == hash_of(text))
        found = session.scalars(query).unique().one_or_none()
    elif REFRESH.fits(text):
        refresh_query = sa.select(RefreshToken).where(RefreshToken.token_hash == hash_of(text))
        found = session.scalars(refresh_query).unique().one_or_none()
    return found


def get_access_token(uuid: UUID) -> AccessToken:
    """The access token with this uuid, which a request has presented, to change it."""
    return session.get_one(AccessToken, uuid)


def revoke_token(token: AccessToken | RefreshToken) -> None:
    """Revoke an access token; or, given a refresh token, its grant with all tokens (RFC 7009, section 2.1)."""
    grant = token.grant
    if isinstance(token, RefreshToken):
        return revoke_grant(grant, by=actor_of(grant.user, client_uuid=grant.client_uuid))
    token.revoked_at = token.revoked_at or now()
    session.flush()
    by = AuditedUser(grant.user_uuid, grant.client_uuid)
    record_event("access_token.revoked", token, by=by, client=grant.client.id)
    return None


def revoke_grant(grant: Grant, *, by: Actor) -> None:
    """Revoke a grant: none of its tokens counts any more."""
    grant.revoked_at = grant.revoked_at or now()
    session.flush()
    record_event("grant.revoked", grant, by=by, client=grant.client.id)


def authorised(user: User) -> list[Authorised]:
    """The third-party applications that may act for this person now, sorted by name."""
    grants: dict[UUID, list[Grant]] = {}
    for grant in _living_grants(user):
        grants.setdefault(grant.client_uuid, []).append(grant)
    found = [
        Authorised(
            client=each[0].client,
            scopes=in_order(word for grant in each for word in grant.scope_words),
            since=min(grant.created_at for grant in each),
        )
        for each in grants.values()
    ]
    return sorted(found, key=lambda one: one.client.name.casefold())


def withdraw(user: User, client: OAuthClient, *, by: Actor) -> None:
    """Revoke every grant of this person to the client."""
    for grant in _living_grants(user):
        if grant.client_uuid == client.uuid:
            revoke_grant(grant, by=by)


def sweep_tokens() -> None:
    """Housekeeping: delete tokens and codes that expired a day ago, then grants without any token."""
    over = now() - RETENTION
    for kind in (AccessToken, RefreshToken, AuthorizationCode):
        session.execute(sa.delete(kind).where(kind.expires_at < over))
    alone = [sa.exists().where(kind.grant_uuid == Grant.uuid) for kind in (AccessToken, RefreshToken)]
    session.execute(sa.delete(Grant).where(Grant.created_at < over, *(~one for one in alone)))


def _add(pair: TokenPair, grant: Grant) -> None:
    at = now()
    session.add(
        AccessToken(
            token_hash=hash_of(pair.access),
            grant=grant,
            scope_words=_scope_values(pair.scopes),
            expires_at=at + pair.access_life,
        )
    )
    if pair.refresh is not None:
        session.add(RefreshToken(token_hash=hash_of(pair.refresh), grant=grant, expires_at=at + pair.refresh_life))
    session.flush()


def _stolen(grant_uuid: UUID, user_uuid: UUID, client: OAuthClient) -> None:
    with committed_step():
        ended = session.scalars(
            sa.update(Grant)
            .where(Grant.uuid == grant_uuid, Grant.revoked_at.is_(None))
            .values(revoked_at=now())
            .returning(Grant)
        ).unique()
        for grant in ended:
            record_event("grant.stolen", grant, by=AuditedUser(user_uuid, client.uuid), client=client.id)


def _living_grants(user: User) -> list[Grant]:
    at = now()
    query = (
        sa.select(Grant)
        .join(Grant.client)
        .where(
            Grant.user_uuid == user.uuid,
            Grant.revoked_at.is_(None),
            OAuthClient.kind == ClientKind.THIRD_PARTY,
            sa.or_(
                sa.exists().where(
                    RefreshToken.grant_uuid == Grant.uuid, RefreshToken.used_at.is_(None), RefreshToken.expires_at > at
                ),
                sa.exists().where(
                    AccessToken.grant_uuid == Grant.uuid, AccessToken.revoked_at.is_(None), AccessToken.expires_at > at
                ),
            ),
        )
    )
    return [grant for grant in session.scalars(query).unique() if grant.live(at)]


def _scope_values(scopes: Iterable[Scope]) -> list[str]:
    return [scope.value for scope in in_order(scopes)]
