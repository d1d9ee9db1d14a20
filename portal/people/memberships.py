"""What memberships of rooms, accounts and customers have in common: permissions that somebody granted to a user."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from portal.people.models import User

GRANTED = ("permissions", "until")
"""The columns of which lines of the audit tell what they were before and after."""


class MembershipMixin:
    """A user in something, with what he may do there. `until` ends the grants."""

    user_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("users.uuid", ondelete="CASCADE"), index=True)
    permissions: Mapped[list[str]] = mapped_column(default=list)
    until: Mapped[datetime | None]

    @declared_attr
    def user(cls) -> Mapped[User]:  # noqa: N805  (a class method, as SQLAlchemy declares it)
        """Who is the member."""
        return relationship()

    def words(self, at: datetime) -> frozenset[str]:
        """What is stored as granted, unless it has ended at this time."""
        return words_granted(self.permissions, self.until, at)

    @classmethod
    def grants(cls, permission: str) -> sa.ColumnElement[bool]:
        """The condition that this right was given, whatever its end: rights are stored as a JSON list."""
        return sa.cast(cls.permissions, sa.String).contains(f'"{permission}"')

    @classmethod
    def lasts(cls, at: datetime | sa.BindParameter[datetime]) -> sa.ColumnElement[bool]:
        """The condition that the grants have not ended at this time."""
        return sa.or_(cls.until.is_(None), cls.until > at)


def words_granted(permissions: list[str], until: datetime | None, at: datetime) -> frozenset[str]:
    """What these columns of a membership grant at this time."""
    return frozenset() if until is not None and at >= until else frozenset(permissions)


@dataclass(frozen=True, slots=True)
class MembershipRead:
    """What somebody was granted in something, from the columns of his membership."""

    permissions: list[str]
    until: datetime | None

    @classmethod
    def of(cls, permissions: list[str] | None, until: datetime | None) -> Self | None:
        """The membership in these columns of a row; None if they are empty, because he is no member."""
        return cls(permissions, until) if permissions is not None else None

    def granted(self, at: datetime) -> frozenset[str]:
        """What is granted at `at`."""
        return words_granted(self.permissions, self.until, at)
