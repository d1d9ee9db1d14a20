"""The tables of OAuth clients (programs that act for people) and of grants (what a person let a client do).

All tokens that come of one grant are its family. Whether a token counts is decided by its grant when it is
used, so a family ends by one UPDATE of one row, and no race can leave half of it alive.
"""

from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import now
from portal.column_types import enum_type
from portal.credentials.secrets import HASH_LENGTH, matches_hash
from portal.db import Base, TimestampMixin
from portal.identifiers import IdentifierMixin, new_uuid
from portal.people.models import NAME_LENGTH, User
from portal.scopes import Scope, in_order

DESCRIPTION_LENGTH = 500
REDIRECT_URI_LENGTH = 500


class ClientKind(StrEnum):
    """Whose program a client is. This decides how it gets its tokens."""

    CREDENTIAL = "credential"
    """A machine that acts for the user who made it."""
    FIRST_PARTY = "first_party"
    """The operator's own application: people may type their password into it."""
    THIRD_PARTY = "third_party"
    """Somebody else's application: people are asked for their consent."""


class GrantType(StrEnum):
    """The ways in which a client can get a token."""

    CLIENT_CREDENTIALS = "client_credentials"
    PASSWORD = "password"  # noqa: S105  (the word of RFC 6749)
    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105


class PersonStanding(Protocol):
    """What decides whether a person's programs count."""

    @property
    def deactivated_at(self) -> datetime | None: ...
    @property
    def password_set_at(self) -> datetime | None: ...


class ClientStanding(Protocol):
    """What decides whether a client is usable, which `user` created."""

    @property
    def kind(self) -> ClientKind: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def revoked_at(self) -> datetime | None: ...
    @property
    def user(self) -> PersonStanding: ...


class GrantStanding(Protocol):
    """What decides whether a grant of `user` to `client` counts."""

    @property
    def created_at(self) -> datetime: ...
    @property
    def revoked_at(self) -> datetime | None: ...
    @property
    def client(self) -> ClientStanding: ...
    @property
    def user(self) -> PersonStanding: ...


def is_outdated(client: ClientStanding) -> bool:
    """Whether its user has changed the password since the client was made, which ends whatever acts with his rights.

    An application carries no rights of whoever registered it, so it goes on.
    """
    changed = client.user.password_set_at
    return client.kind is ClientKind.CREDENTIAL and changed is not None and client.created_at <= changed


def is_usable(client: ClientStanding, at: datetime) -> bool:
    """Whether it may ask for tokens and use those it has: it has not ended, and its user is not deactivated."""
    expired = client.expires_at is not None and client.expires_at <= at
    ended = client.revoked_at is not None or expired or is_outdated(client)
    return not ended and client.user.deactivated_at is None


def is_live(grant: GrantStanding, at: datetime) -> bool:
    """Whether the grant's tokens count at `at`.

    They do not after it was revoked, while its client is not usable, when the person is deactivated, and if the
    person has changed the password since.
    """
    changed = grant.user.password_set_at
    return (
        grant.revoked_at is None
        and is_usable(grant.client, at)
        and grant.user.deactivated_at is None
        and (changed is None or grant.created_at > changed)
    )


class TokenStanding(Protocol):
    """What decides whether an access token counts."""

    @property
    def revoked_at(self) -> datetime | None: ...
    @property
    def expires_at(self) -> datetime: ...
    @property
    def grant(self) -> GrantStanding: ...


def gives_access(token: TokenStanding, at: datetime) -> bool:
    """Whether an access token counts at `at`: not revoked, not expired, and its grant counts."""
    return token.revoked_at is None and token.expires_at > at and is_live(token.grant, at)


class OAuthClient(IdentifierMixin, TimestampMixin, Base):
    """A program that uses the API. `user` created it; a client of kind `credential` acts with that user's rights."""

    __tablename__ = "oauth_clients"

    user_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("users.uuid", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    description: Mapped[str] = mapped_column(sa.String(DESCRIPTION_LENGTH), default="")
    kind: Mapped[ClientKind] = mapped_column(enum_type(ClientKind))
    secret_hash: Mapped[str] = mapped_column(sa.String(HASH_LENGTH))
    redirect_uris: Mapped[list[str]] = mapped_column(default=list)
    grant_types: Mapped[list[str]] = mapped_column(default=list)
    scope_words: Mapped[list[str]] = mapped_column("scopes", default=list)
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)

    @property
    def client_id(self) -> str:
        """The public id by which the program identifies itself: its `id`."""
        return self.id

    @property
    def scopes(self) -> list[Scope]:
        """The scopes that it may be granted at most."""
        return in_order(self.scope_words)

    def expired(self, at: datetime) -> bool:
        """Whether its expiry date has passed at `at`."""
        return self.expires_at is not None and self.expires_at <= at

    @property
    def outdated(self) -> bool:
        """Whether a new password of its user has ended it: see `is_outdated`."""
        return is_outdated(self)

    def usable(self, at: datetime) -> bool:
        """Whether it may ask for tokens and use those it has: see `is_usable`."""
        return is_usable(self, at)

    # The methods that Authlib calls:

    def get_client_id(self) -> str:
        """The client's public id."""
        return self.client_id

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether this is its secret, in constant time."""
        return matches_hash(client_secret, self.secret_hash)

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """Whether `method` is one of the two ways to send a secret: in a header or in the body."""
        return method in {"client_secret_basic", "client_secret_post"}

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it may get tokens by this grant type."""
        return grant_type in self.grant_types

    def check_response_type(self, response_type: str) -> bool:
        """Whether people may be asked to let it act for them."""
        return response_type == "code" and GrantType.AUTHORIZATION_CODE in self.grant_types

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether it registered exactly this address (RFC 9700, section 2.1)."""
        return redirect_uri in self.redirect_uris

    def get_default_redirect_uri(self) -> str | None:
        """The registered address, if there is exactly one; else None."""
        return self.redirect_uris[0] if len(self.redirect_uris) == 1 else None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """The scopes it gets: those in `scope`, or all of its own if that is empty; None if it asks for more."""
        asked = set((scope or "").split()) or set(self.scope_words)
        return " ".join(in_order(asked)) if asked <= set(self.scope_words) else None


class Grant(Base):
    """What a person let a client do, and the family of all tokens that came of it."""

    __tablename__ = "oauth_grants"

    uuid: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    client_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("oauth_clients.uuid", ondelete="CASCADE"), index=True)
    user_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("users.uuid", ondelete="CASCADE"), index=True)
    scope_words: Mapped[list[str]] = mapped_column("scopes", default=list)
    created_at: Mapped[datetime] = mapped_column(default=now)
    revoked_at: Mapped[datetime | None]
    client: Mapped[OAuthClient] = relationship(lazy="joined", innerjoin=True)
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)

    @property
    def scopes(self) -> list[Scope]:
        """The scopes that were granted. A token of the grant may have fewer."""
        return in_order(self.scope_words)

    def live(self, at: datetime) -> bool:
        """Whether the grant's tokens count at `at`: see `is_live`."""
        return is_live(self, at)
