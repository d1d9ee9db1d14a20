"""Room tokens (people call them links) and access codes."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import vault
from portal.credentials.models import Grant
from portal.db import Base, TimestampMixin, enum_type
from portal.identifiers import IdentifierMixin, new_uuid
from portal.people.models import NAME_LENGTH, User
from portal.rooms.models import Role, Room
from portal.scopes import Scope, in_order

LABEL_LENGTH = 80


class RoomToken(IdentifierMixin, TimestampMixin, Base):
    """A link into one room with one role. Stored sealed, found by keyed hash; never revealed by a dump."""

    __tablename__ = "room_tokens"

    room_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("rooms.uuid", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    token_sealed: Mapped[str] = mapped_column(sa.Text)
    role: Mapped[Role] = mapped_column(enum_type(Role))
    label: Mapped[str] = mapped_column(sa.String(LABEL_LENGTH), default="")
    person: Mapped[str] = mapped_column(sa.String(NAME_LENGTH), default="")
    not_before: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    max_uses: Mapped[int | None]
    use_count: Mapped[int] = mapped_column(default=0)
    last_usage: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_by_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.uuid", ondelete="SET NULL"))
    automatic: Mapped[bool] = mapped_column(default=False)
    device: Mapped[str | None] = mapped_column(sa.String(64))
    rotated_to_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("room_tokens.uuid", ondelete="SET NULL"))
    grace_until: Mapped[datetime | None]
    room: Mapped[Room] = relationship()
    created_by: Mapped[User | None] = relationship()
    rotated_to: Mapped["RoomToken | None"] = relationship(remote_side="RoomToken.uuid")

    __table_args__ = (sa.UniqueConstraint("room_uuid", "device"),)

    @property
    def ends_at(self) -> datetime | None:
        """When it stops working: at its own end, or when the time is over that a rotation left it."""
        return min(filter(None, (self.expires_at, self.grace_until)), default=None)

    def expired(self, at: datetime) -> bool:
        """Whether its end has come."""
        return self.ends_at is not None and self.ends_at <= at

    @property
    def replaced(self) -> bool:
        """Whether another link has taken its place, though it may still work for a while."""
        return self.grace_until is not None

    def works(self, at: datetime) -> bool:
        """Whether it is neither revoked, paused, expired nor used up: who holds it may know the room's name."""
        used_up = self.max_uses is not None and self.use_count >= self.max_uses
        return self.revoked_at is None and self.paused_at is None and not self.expired(at) and not used_up

    @property
    def token(self) -> str:
        """The secret itself, unsealed for whoever may see the room's links."""
        return vault.unseal(self.token_sealed, purpose="room-token")


class JoinTicket(Base):
    """A join ticket: somebody whom the API let in opens it in a browser. Only a keyed hash is stored.

    Bound to the room and to a link or a user, or to nobody in a public room. `access_code_uuid`: the code
    that was right when it was made, which is not asked for again.
    """

    __tablename__ = "join_tickets"

    uuid: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    room_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("rooms.uuid", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    token_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("room_tokens.uuid", ondelete="CASCADE"))
    user_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.uuid", ondelete="CASCADE"))
    access_code_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("access_codes.uuid", ondelete="SET NULL"))
    grant_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("oauth_grants.uuid", ondelete="CASCADE"))
    scope_words: Mapped[list[str] | None] = mapped_column("scopes")
    """Of a user: what the program may in his name. It makes no more of him."""
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    token: Mapped[RoomToken | None] = relationship()
    user: Mapped[User | None] = relationship()
    access_code: Mapped["AccessCode | None"] = relationship()
    grant: Mapped[Grant | None] = relationship()

    @property
    def scopes(self) -> frozenset[Scope] | None:
        """See `Actor.scopes`."""
        return None if self.scope_words is None else frozenset(in_order(self.scope_words))

    def stands(self, at: datetime) -> bool:
        """Whether it was not used, and the program that made it still has what it was granted."""
        return self.used_at is None and (self.grant is None or self.grant.live(at))


class AccessCode(IdentifierMixin, TimestampMixin, Base):
    """A code that people with a link of the same role type. Visible to whoever may see the room's codes."""

    __tablename__ = "access_codes"

    room_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("rooms.uuid", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(sa.String(64))
    normal: Mapped[str] = mapped_column(sa.String(192))
    role: Mapped[Role] = mapped_column(enum_type(Role))
    label: Mapped[str] = mapped_column(sa.String(LABEL_LENGTH), default="")
    expires_at: Mapped[datetime | None]
    use_count: Mapped[int] = mapped_column(default=0)
    last_usage: Mapped[datetime | None]
    created_by_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.uuid", ondelete="SET NULL"))
    room: Mapped[Room] = relationship()
    created_by: Mapped[User | None] = relationship()

    __table_args__ = (sa.UniqueConstraint("room_uuid", "normal"),)

    def expired(self, at: datetime) -> bool:
        """Whether its end has come."""
        return self.expires_at is not None and self.expires_at <= at
