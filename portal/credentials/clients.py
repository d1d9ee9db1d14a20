"""Creating, finding and revoking OAuth clients: the programs that may use the API."""

from collections.abc import Collection
from datetime import datetime, timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.audit.operations import record_event
from portal.clock import now
from portal.credentials.models import DESCRIPTION_LENGTH, REDIRECT_URI_LENGTH, ClientKind, GrantType, OAuthClient
from portal.credentials.secrets import CLIENT, hash_of
from portal.db import session
from portal.errors import Conflict, Invalid, Message, NotFound
from portal.identifiers import new_id
from portal.ip_spelling import is_ip_in_disguise
from portal.people.actor import Actor
from portal.people.models import NAME_LENGTH, User
from portal.people.names import clean_name
from portal.scopes import Scope

USED_STEP = timedelta(hours=1)  # how exact "last used" is; more exact would be a write per call
MOST_REDIRECT_URIS = 10

_GRANT_TYPES = {
    ClientKind.CREDENTIAL: [GrantType.CLIENT_CREDENTIALS],
    ClientKind.FIRST_PARTY: [GrantType.PASSWORD, GrantType.REFRESH_TOKEN],
    ClientKind.THIRD_PARTY: [GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN],
}


def offered_scopes(user: User) -> list[Scope]:
    """The scopes that this person can give to a program. `admin` is offered to platform staff only."""
    staff = any(role.builtin or role.permissions for role in user.platform_roles)
    return [scope for scope in Scope if staff or scope is not Scope.ADMIN]


def create_client(
    *,
    user: User,
    name: str,
    scopes: Collection[Scope],
    by: Actor,
    kind: ClientKind = ClientKind.CREDENTIAL,
    description: str = "",
    redirect_uris: Collection[str] = (),
    expires_at: datetime | None = None,
    client_id: str | None = None,
) -> tuple[OAuthClient, str]:
    """Create a client and return it with its secret, of which only the hash is stored.

    `client_id` is an id that a form reserved when it was shown; raises `Conflict` if a client has it already, so
    that a form sent twice creates one client. Raises `Invalid` on `name`, `description`, `scopes`, `expires_at` or
    `redirect_uris`.
    """
    secret = CLIENT.new()
    client = OAuthClient(
        id=client_id or new_id(),
        user=user,
        name=clean_name(name, field="name", longest=NAME_LENGTH),
        description=clean_name(description, field="description", longest=DESCRIPTION_LENGTH, required=False),
        kind=kind,
        secret_hash=hash_of(secret),
        redirect_uris=_checked_uris(redirect_uris, kind),
        grant_types=[one.value for one in _GRANT_TYPES[kind]],
        scope_words=[scope.value for scope in _checked_scopes(scopes, user)],
        expires_at=expires_at,
    )
    if expires_at is not None and expires_at <= now():
        raise Invalid(expires_at=Message("This time has passed. Choose a later one, or none."))
    try:
        with session.begin_nested():
            session.add(client)
    except IntegrityError:
        raise Conflict(Message("This was made already, and its secret was shown then. Make another one.")) from None
    record_event("client.created", client, by=by, name=client.name, kind=kind.value, scopes=" ".join(client.scopes))
    return client, secret


def revoke_client(client: OAuthClient, *, by: Actor) -> None:
    """Revoke a client for good. None of its tokens counts any more."""
    client.revoked_at = client.revoked_at or now()
    session.flush()
    record_event("client.revoked", client, by=by, name=client.name)


def clients_of(user: User) -> list[OAuthClient]:
    """The clients that this person created, the newest first; at most 500."""
    query = sa.select(OAuthClient).where(OAuthClient.user_uuid == user.uuid).order_by(OAuthClient.uuid.desc())
    return list(session.scalars(query.limit(500)).unique())


def ending_with_password(user: User) -> list[OAuthClient]:
    """The credentials of this person that work now, and end when the password is changed."""
    at = now()
    return [one for one in clients_of(user) if one.kind is ClientKind.CREDENTIAL and one.usable(at)]


def ended_with_password() -> list[OAuthClient]:
    """The credentials that ended only because their person's password was changed since, by name."""
    at = now()
    query = (
        sa.select(OAuthClient)
        .join(OAuthClient.user)
        .where(OAuthClient.kind == ClientKind.CREDENTIAL, OAuthClient.revoked_at.is_(None))
        .where(User.deactivated_at.is_(None), User.password_set_at.is_not(None))
        .order_by(OAuthClient.name, OAuthClient.uuid)
    )
    return [one for one in session.scalars(query).unique() if one.outdated and not one.expired(at)]


def find_own_client(user: User, client_id: str) -> OAuthClient:
    """The client with this id that this person created. Raises `NotFound`, also if somebody else created it."""
    client = session.scalars(
        sa.select(OAuthClient).where(OAuthClient.id == client_id, OAuthClient.user_uuid == user.uuid)
    ).unique()
    found = client.one_or_none()
    if found is None:
        raise NotFound
    return found


def find_client(client_id: str) -> OAuthClient | None:
    """The client with this public id; None if there is none, or if it may not ask for tokens now."""
    if not client_id.isascii() or not client_id.isalnum():
        return None
    client = session.scalars(sa.select(OAuthClient).where(OAuthClient.id == client_id)).unique().one_or_none()
    return client if client is not None and client.usable(now()) else None


def due(last_used_at: datetime | None) -> bool:
    """Whether a client's `last_used_at` is an hour old, so that `mark_used` should be called."""
    return last_used_at is None or now() - last_used_at >= USED_STEP


def mark_used(client_uuid: UUID) -> None:
    """Set `last_used_at` to now, at most once an hour, however many requests call this at once."""
    at = now()
    stale = sa.or_(OAuthClient.last_used_at.is_(None), OAuthClient.last_used_at <= at - USED_STEP)
    session.execute(
        sa.update(OAuthClient)
        .where(OAuthClient.uuid == client_uuid, stale)
        .values(last_used_at=at, updated_at=OAuthClient.updated_at)
    )


def _checked_scopes(scopes: Collection[Scope], user: User) -> list[Scope]:
    if not scopes:
        raise Invalid(scopes=Message("Choose at least one: a program that may do nothing is of no use."))
    offered = offered_scopes(user)
    if not set(scopes) <= set(offered):
        raise Invalid(scopes=Message("The scope admin is for programs of platform staff."))
    return [scope for scope in offered if scope in scopes]


def _checked_uris(uris: Collection[str], kind: ClientKind) -> list[str]:
    if kind is not ClientKind.THIRD_PARTY and uris:
        raise Invalid(redirect_uris=Message("Only a third-party application has addresses to return to."))
    if kind is ClientKind.THIRD_PARTY and not 1 <= len(uris) <= MOST_REDIRECT_URIS:
        raise Invalid(
            redirect_uris=Message("Name 1 to %(most)d addresses to which it may return.", most=MOST_REDIRECT_URIS)
        )
    for uri in uris:
        if not _safe(uri):
            raise Invalid(
                redirect_uris=Message(
                    "An address to return to is complete, begins with https:// (on this machine http://), "
                    "and has no user name and no #."
                )
            )
    return list(uris)


def _safe(uri: str) -> bool:
    plain = uri.isascii() and uri.isprintable() and not set(uri) & set(' "\\#<>^`{|}*')
    if not plain or len(uri) > REDIRECT_URI_LENGTH:
        return False
    try:
        parts = urlsplit(uri)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or is_ip_in_disguise(host):
        return False
    if parts.scheme == "https":
        return True
    try:
        return parts.scheme == "http" and ip_address(host).is_loopback
    except ValueError:
        return False
