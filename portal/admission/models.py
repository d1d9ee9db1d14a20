"""The tables of room tokens (which pages call links), access codes, join tickets, and answers to who waits."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import vault
from portal.admission.links import CodeLife, LinkLife
from portal.clock import now
from portal.column_types import UTCSeconds, enum_type
from portal.credentials.tokens import AccessToken
from portal.db import Base, TimestampMixin
from portal.identifiers import IdentifierMixin, new_uuid
from portal.people.models import NAME_LENGTH, User
from portal.rooms.models import Role, Room
from portal.scopes import Scope, in_order
from portal.status.models import RoomSession

LABEL_LENGTH = 80


class RoomToken(LinkLife, IdentifierMixin, TimestampMixin, Base):
    """A link into one room, with one role. It is stored sealed and found by a keyed hash, so a dump reveals none."""

    __tablename__ = "room_tokens"

    room_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("rooms.uuid", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    token_sealed: Mapped[str] = mapped_column(sa.Text)
    role: Mapped[Role] = mapped_column(enum_type(Role))
    label: Mapped[str] = mapped_column(sa.String(LABEL_LENGTH), default="")
    person: Mapped[str] = mapped_column(sa.String(NAME_LENGTH), default="")
    not_before: Mapped[datetime | None]
    expires_at: Mapped[datetime | None] = mapped_column(UTCSeconds())
    max_uses: Mapped[int | None]
    use_count: Mapped[int] = mapped_column(default=0)
    last_usage: Mapped[datetime | None] = mapped_column(UTCSeconds())
    paused_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_by_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.uuid", ondelete="SET NULL"))
    automatic: Mapped[bool] = mapped_column(default=False)
    device: Mapped[str | None] = mapped_column(sa.String(64))
    rotated_to_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("room_tokens.uuid", ondelete="SET NULL"))
    grace_until: Mapped[datetime | None]
    chain_uuid: Mapped[UUID | None]
    """The first link of the chain of rotations that it belongs to; None if it replaced none, and so is the first."""
    room: Mapped[Room] = relationship()
    created_by: Mapped[User | None] = relationship()
    rotated_to: Mapped["RoomToken | None"] = relationship(remote_side="RoomToken.uuid")

    __table_args__ = (sa.UniqueConstraint("room_uuid", "device"),)

    @property
    def created_by_id(self) -> str | None:
        """The public id of whoever made it."""
        return self.created_by.id if self.created_by else None

    @property
    def token(self) -> str:
        """The secret in plain text. Only for people who may hand out links of its role."""
        return vault.unseal(self.token_sealed, purpose="room-token")


class JoinTicket(Base):
    """An address that lets one person in once, issued by the API. Only a keyed hash of its secret is stored.

    It belongs to a room and to a token or a user; in a public room it may have neither. `access_code_uuid` is the
    code that was right when it was issued and is not asked for again.
    """

    __tablename__ = "join_tickets"

    uuid: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    room_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("rooms.uuid", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    token_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("room_tokens.uuid", ondelete="CASCADE"))
    user_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.uuid", ondelete="CASCADE"))
    access_code_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("access_codes.uuid", ondelete="SET NULL"))
    access_token_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("access_tokens.uuid", ondelete="CASCADE"))
    scope_words: Mapped[list[str] | None] = mapped_column("scopes")
    """The scopes of the program that issued it, if it belongs to a user: they limit his rights in the room."""
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    token: Mapped[RoomToken | None] = relationship()
    user: Mapped[User | None] = relationship()
    access_code: Mapped["AccessCode | None"] = relationship()
    access_token: Mapped[AccessToken | None] = relationship()

    @property
    def scopes(self) -> frozenset[Scope] | None:
        """The scopes that limit the user's rights in the room; None for no limit."""
        return None if self.scope_words is None else frozenset(in_order(self.scope_words))

    def stands(self, at: datetime) -> bool:
        """Whether the ticket is unredeemed, and the access token that issued it has not been ended.

        Looks neither at `expires_at` nor at that of the access token, which may be minutes from its own.
        """
        issuer = self.access_token
        return self.used_at is None and (issuer is None or (issuer.revoked_at is None and issuer.grant.live(at)))


class AccessCode(CodeLife, IdentifierMixin, TimestampMixin, Base):
    """A code that people with a link of the same role have to type. `normal` is the form in which it is compared."""

    __tablename__ = "access_codes"

    room_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("rooms.uuid", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(sa.String(64))
    normal: Mapped[str] = mapped_column(sa.String(192))
    role: Mapped[Role] = mapped_column(enum_type(Role))
    label: Mapped[str] = mapped_column(sa.String(LABEL_LENGTH), default="")
    expires_at: Mapped[datetime | None] = mapped_column(UTCSeconds())
    use_count: Mapped[int] = mapped_column(default=0)
    last_usage: Mapped[datetime | None] = mapped_column(UTCSeconds())
    created_by_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.uuid", ondelete="SET NULL"))
    room: Mapped[Room] = relationship()
    created_by: Mapped[User | None] = relationship()

    __table_args__ = (sa.UniqueConstraint("room_uuid", "normal"),)

    @property
    def created_by_id(self) -> str | None:
        """The public id of whoever made it."""
        return self.created_by.id if self.created_by else None


class LobbyAnswer(IdentifierMixin, Base):
    """A moderator's answer to somebody who waited: admitted to the run, or turned away.

    `waiter` is the id under which he waited. He is known again by device, user, or personal link.
    """

    __tablename__ = "lobby_answers"

    session_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("room_sessions.uuid", ondelete="CASCADE"))
    waiter: Mapped[str] = mapped_column(sa.String(64))
    device: Mapped[str] = mapped_column(sa.String(64))
    user_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.uuid", ondelete="SET NULL"))
    token_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("room_tokens.uuid", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    admitted: Mapped[bool]
    answered_at: Mapped[datetime] = mapped_column(default=now)
    run: Mapped[RoomSession] = relationship()

    __table_args__ = (sa.UniqueConstraint("session_uuid", "waiter"),)
