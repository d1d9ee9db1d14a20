"""The table of the audit: one line for each thing that was done. Lines are only added, never changed."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import now
from portal.db import Base
from portal.identifiers import new_uuid


class AuditEvent(Base):
    """One line of the audit: who did what to which thing. `details` never hold a token, a code or a password."""

    __tablename__ = "audit_events"

    uuid: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    actor_uuid: Mapped[UUID | None]
    """The user who acted; None for the portal itself, and for guests."""
    client_uuid: Mapped[UUID | None]
    """The program through which he acted; None for a browser."""
    on_behalf_of_uuid: Mapped[UUID | None]
    """The customer on whose things he acted as platform staff only; None for whoever acted in his own right."""
    action: Mapped[str] = mapped_column(sa.String(64))
    thing: Mapped[str] = mapped_column(sa.String(32))
    thing_uuid: Mapped[UUID | None] = mapped_column(index=True)
    room_uuid: Mapped[UUID | None] = mapped_column(index=True)
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
