"""The table of chat messages, which are kept for as long as the run in which they were written."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import now
from portal.db import Base
from portal.identifiers import IdentifierMixin
from portal.status.models import Participation

MESSAGE_LENGTH = 2000
KEY_LENGTH = 64


class ChatMessage(IdentifierMixin, Base):
    """One message of a participant, to everybody in the run, or to `receiver` alone.

    `key` is made by the sender's page: what it sends again, because no answer came, is written once.
    """

    __tablename__ = "chat_messages"

    session_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("room_sessions.uuid", ondelete="CASCADE"))
    sender_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("participations.uuid", ondelete="CASCADE"))
    receiver_uuid: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("participations.uuid", ondelete="CASCADE"), index=True
    )
    key: Mapped[str] = mapped_column(sa.String(KEY_LENGTH))
    text: Mapped[str] = mapped_column(sa.String(MESSAGE_LENGTH))
    sent_at: Mapped[datetime] = mapped_column(default=now)
    sender: Mapped[Participation] = relationship(foreign_keys=[sender_uuid])
    receiver: Mapped[Participation | None] = relationship(foreign_keys=[receiver_uuid])

    __table_args__ = (
        sa.Index("ix_chat_messages_session_uuid_uuid", "session_uuid", "uuid"),
        sa.UniqueConstraint("sender_uuid", "key", name="uq_chat_messages_sender_uuid_key"),
    )
