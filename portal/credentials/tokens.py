"""The tables of access tokens, refresh tokens and authorization codes. Only hashes of their texts are stored.

The methods with names like `check_client`, `get_scope` and `is_expired` are called by Authlib.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import now
from portal.credentials.models import REDIRECT_URI_LENGTH, Grant, OAuthClient, gives_access
from portal.credentials.secrets import HASH_LENGTH
from portal.db import Base
from portal.identifiers import new_uuid
from portal.people.models import User
from portal.scopes import Scope, in_order

CHALLENGE_LENGTH = 128


class _Issued:
    """The columns that access and refresh tokens have in common."""

    uuid: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    token_hash: Mapped[str] = mapped_column(sa.String(HASH_LENGTH), unique=True)
    grant_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("oauth_grants.uuid", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class AccessToken(_Issued, Base):
    """A token that gives access to the API, by default for a day."""

    __tablename__ = "access_tokens"

    scope_words: Mapped[list[str]] = mapped_column("scopes", default=list)
    revoked_at: Mapped[datetime | None]
    grant: Mapped[Grant] = relationship(lazy="joined", innerjoin=True)

    @property
    def client(self) -> OAuthClient:
        """The program to which it was issued."""
        return self.grant.client

    @property
    def user(self) -> User:
        """The person with whose rights it acts."""
        return self.grant.user

    @property
    def scopes(self) -> list[Scope]:
        """The scopes that it has."""
        return in_order(self.scope_words)

    def live(self, at: datetime) -> bool:
        """Whether it counts at `at`."""
        return gives_access(self, at)

    def check_client(self, client: OAuthClient) -> bool:
        """Whether it was issued to this client."""
        return self.grant.client_uuid == client.uuid

    def is_expired(self) -> bool:
        """Whether its expiry date has passed."""
        return self.expires_at <= now()

    def is_revoked(self) -> bool:
        """Whether it does not count any more, for whatever reason."""
        return not self.live(now())


class RefreshToken(_Issued, Base):
    """A token that its client can exchange once for the next pair. If it comes again after `used_at`, it was stolen."""

    __tablename__ = "refresh_tokens"

    used_at: Mapped[datetime | None]
    grant: Mapped[Grant] = relationship(lazy="joined", innerjoin=True)

    def live(self, at: datetime) -> bool:
        """Whether it counts at `at`: not used, not expired, and its grant counts."""
        return self.used_at is None and self.expires_at > at and self.grant.live(at)

    def get_scope(self) -> str:
        """The scopes of its grant, separated by spaces."""
        return " ".join(self.grant.scopes)

    def check_client(self, client: OAuthClient) -> bool:
        """Whether it was issued to this client."""
        return self.grant.client_uuid == client.uuid

    def is_expired(self) -> bool:
        """Whether its expiry date has passed."""
        return self.expires_at <= now()

    def is_revoked(self) -> bool:
        """Whether it does not count any more, for whatever reason."""
        return not self.live(now())


class AuthorizationCode(Base):
    """A code that carries a person's consent to the client. It works once, for a minute; then `grant` is set."""

    __tablename__ = "authorization_codes"

    uuid: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    code_hash: Mapped[str] = mapped_column(sa.String(HASH_LENGTH), unique=True)
    client_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("oauth_clients.uuid", ondelete="CASCADE"), index=True)
    user_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("users.uuid", ondelete="CASCADE"), index=True)
    grant_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("oauth_grants.uuid", ondelete="CASCADE"), index=True)
    redirect_uri: Mapped[str] = mapped_column(sa.String(REDIRECT_URI_LENGTH))
    scope_words: Mapped[list[str]] = mapped_column("scopes", default=list)
    code_challenge: Mapped[str] = mapped_column(sa.String(CHALLENGE_LENGTH))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)
    grant: Mapped[Grant | None] = relationship(lazy="raise_on_sql")

    code_challenge_method = "S256"

    def live(self, at: datetime) -> bool:
        """Whether it can still be exchanged."""
        changed = self.user.password_set_at
        return (
            self.grant_uuid is None
            and self.expires_at > at
            and self.user.deactivated_at is None
            and (changed is None or self.created_at > changed)
        )

    def get_redirect_uri(self) -> str:
        """The redirect address that the client sent with its request; "" if it sent none."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """The scopes that the person consented to, separated by spaces."""
        return " ".join(in_order(self.scope_words))
