"""The tables of users, of the roles that make some of them staff, of sign-ins, and of links to set a password."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import now
from portal.db import Base, TimestampMixin
from portal.identifiers import IdentifierMixin, new_uuid

NAME_LENGTH = 80
EMAIL_LENGTH = 254
ROLE_DESCRIPTION_LENGTH = 250

user_platform_roles = sa.Table(
    "user_platform_roles",
    Base.metadata,
    sa.Column("user_uuid", sa.ForeignKey("users.uuid", ondelete="CASCADE"), primary_key=True),
    sa.Column("platform_role_uuid", sa.ForeignKey("platform_roles.uuid", ondelete="CASCADE"), primary_key=True),
)


class PlatformRole(IdentifierMixin, TimestampMixin, Base):
    """A named set of staff permissions. The built-in role `admin` holds all of them, also future ones."""

    __tablename__ = "platform_roles"

    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH), unique=True)
    display_name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH), default="")
    description: Mapped[str] = mapped_column(sa.String(ROLE_DESCRIPTION_LENGTH), default="")
    builtin: Mapped[bool] = mapped_column(default=False)
    permissions: Mapped[list[str]] = mapped_column(default=list)

    @property
    def title(self) -> str:
        """What people call it: its `display_name`, or the name if it has none."""
        return self.display_name or self.name


ROLE_TITLE = sa.func.coalesce(sa.func.nullif(PlatformRole.display_name, ""), PlatformRole.name)
"""`PlatformRole.title` in SQL."""


class User(IdentifierMixin, TimestampMixin, Base):
    """A person who signs in. `email` is canonical (see `emails.py`). Without a `password_hash` they cannot sign in."""

    __tablename__ = "users"

    email: Mapped[str] = mapped_column(sa.String(EMAIL_LENGTH), unique=True)
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    password_hash: Mapped[str | None] = mapped_column(sa.String(255))
    password_is_public: Mapped[bool] = mapped_column(default=False)
    """Whether everybody knows the password, as in the demo. The server does not listen on a network then."""
    timezone: Mapped[str | None] = mapped_column(sa.String(64))
    user_metadata: Mapped[dict[str, Any]] = mapped_column(default=dict)
    password_set_at: Mapped[datetime | None]
    """When a password was last replaced by another. What programs were granted before that has ended."""
    deactivated_at: Mapped[datetime | None]
    platform_roles: Mapped[list[PlatformRole]] = relationship(secondary=user_platform_roles, lazy="joined")


class PasswordLink(Base):
    """A link by which somebody who has no password sets the first one. A person has one at most.

    Only a keyed hash of its token is stored. The row is deleted when it is used.
    """

    __tablename__ = "password_links"

    user_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("users.uuid", ondelete="CASCADE"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    issued_by_uuid: Mapped[UUID | None]
    """The user who issued it, and so may know it; None: the portal itself."""
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)

    def works(self, at: datetime) -> bool:
        """Whether a password can be set by it at `at`."""
        return at < self.expires_at and self.user.password_hash is None and self.user.deactivated_at is None


class SignIn(Base):
    """One browser in which somebody is signed in. Ending the row signs that browser out."""

    __tablename__ = "sign_ins"

    uuid: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    user_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("users.uuid", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)

    def valid(self, at: datetime, *, days: int) -> bool:
        """Whether it still counts at `at`."""
        return sign_in_counts(
            at, days, seen_at=self.seen_at, ended_at=self.ended_at, deactivated_at=self.user.deactivated_at
        )


def sign_in_counts(
    at: datetime, days: int, *, seen_at: datetime, ended_at: datetime | None, deactivated_at: datetime | None
) -> bool:
    """Whether a sign-in counts at `at`: not ended, used within `days`, and the person not deactivated."""
    return ended_at is None and deactivated_at is None and at - seen_at < timedelta(days=days)
