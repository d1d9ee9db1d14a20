"""The tokens of a grant, and the code that carries a consent to its client. Only hashes of them are stored.

Authlib asks them questions, by methods whose names are its.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import now
from portal.credentials.models import REDIRECT_URI_LENGTH, Grant, OAuthClient
from portal.credentials.secrets import HASH_LENGTH
from portal.db import Base
from portal.identifiers import new_uuid
from portal.people.models import User
from portal.scopes import Scope, in_order

CHALLENGE_LENGTH = 128


class _Issued:
    """What every token of a family has. Only its hash is stored."""

    uuid: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    token_hash: Mapped[str] = mapped_column(sa.String(HASH_LENGTH), unique=True)
    grant_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("oauth_grants.uuid", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class AccessToken(_Issued, Base):
    """What opens the API, for a day."""

    __tablename__ = "access_tokens"

    scope_words: Mapped[list[str]] = mapped_column("scopes", default=list)
    revoked_at: Mapped[datetime | None]
    grant: Mapped[Grant] = relationship(lazy="joined", innerjoin=True)

    @property
    def client(self) -> OAuthClient:
        """The program that carries it."""
        return self.grant.client

    @property
    def user(self) -> User:
        """With whose rights it acts."""
        return self.grant.user

    @property
    def scopes(self) -> list[Scope]:
        """What it allows."""
        return in_order(self.scope_words)

    def live(self, at: datetime) -> bool:
        """Whether it counts."""
        return self.revoked_at is None and self.expires_at > at and self.grant.live(at)

    def check_client(self, client: OAuthClient) -> bool:
        """Whether it was issued to this client."""
        return self.grant.client_uuid == client.uuid

    def is_expired(self) -> bool:
        """Whether its time is over."""
        return self.expires_at <= now()

    def is_revoked(self) -> bool:
        """Whether it was ended before its time."""
        return not self.live(now())


class RefreshToken(_Issued, Base):
    """What gets the next pair of tokens, once: `used_at` tells a thief from the owner when it comes again."""

    __tablename__ = "refresh_tokens"

    used_at: Mapped[datetime | None]
    grant: Mapped[Grant] = relationship(lazy="joined", innerjoin=True)

    def live(self, at: datetime) -> bool:
        """Whether it counts."""
        return self.used_at is None and self.expires_at > at and self.grant.live(at)

    def get_scope(self) -> str:
        """What its family was granted."""
        return " ".join(self.grant.scopes)

    def check_client(self, client: OAuthClient) -> bool:
        """Whether it was issued to this client."""
        return self.grant.client_uuid == client.uuid

    def is_expired(self) -> bool:
        """Whether its time is over."""
        return self.expires_at <= now()

    def is_revoked(self) -> bool:
        """Whether it was used or ended."""
        return not self.live(now())


class AuthorizationCode(Base):
    """A person's consent on its way to the client, for a minute. `grant` is what it became: it works once."""

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
        """The address that the client named when it asked; "" if it left that to us."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What the person consented to."""
        return " ".join(in_order(self.scope_words))
