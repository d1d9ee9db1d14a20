"""The table of the audit: one line for each thing that was done. Lines are only added, never changed."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import now
from portal.db import Base
from portal.identifiers import new_uuid
from portal.partial_indexes import partial_index

NETWORK_LENGTH = 45
"""An IPv6 address in full is as long."""


FEW = "thing <> 'participations' AND thing <> 'room_tokens'"
"""The SQL condition for lines about kinds of things that have few.

Those left out are written whenever people enter, who would wait for the index, too; and there are so many of them that
the newest are found soon without it.
"""


class AuditEvent(Base):
    """One line of the audit: who did what to which thing. `details` never hold a token, a code or a password."""

    __tablename__ = "audit_events"

    uuid: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    at: Mapped[datetime] = mapped_column(default=now)
    actor_uuid: Mapped[UUID | None]
    """The user who acted; None for the portal itself, and for guests."""
    client_uuid: Mapped[UUID | None]
    """The program through which he acted; None for a browser."""
    on_behalf_of_uuid: Mapped[UUID | None]
    """The customer on whose things he acted as platform staff only; None for whoever acted in his own right."""
    network: Mapped[str | None] = mapped_column(sa.String(NETWORK_LENGTH))
    """From where he acted, as `portal.networks` writes it; None for the portal itself, and for guests."""
    action: Mapped[str] = mapped_column(sa.String(64))
    thing: Mapped[str] = mapped_column(sa.String(32))
    thing_uuid: Mapped[UUID | None] = mapped_column(index=True)
    room_uuid: Mapped[UUID | None]
    customer_uuid: Mapped[UUID | None]
    """The customer to whom the thing belonged, or which it is; None for what belongs to none, such as packages.

    Kept with the line, because the thing may be deleted, and nothing else tells then whose it was.
    """
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What else is known of it. `changes` in it are fields with their values before and after."""

    __table_args__ = (  # pages of the audit: of everybody, of those that have another column, and of few kinds
        sa.Index("ix_audit_events_at_uuid", "at", "uuid"),
        *(
            partial_index(f"ix_audit_events_{column}_at_uuid", column, "at", "uuid", where=f"{column} IS NOT NULL")
            for column in ("actor_uuid", "customer_uuid", "room_uuid")
        ),
        partial_index("ix_audit_events_thing_at_uuid", "thing", "at", "uuid", where=FEW),
        partial_index(
            "ix_audit_events_few_customer_uuid_at_uuid", "customer_uuid", "at", "uuid",
            where=f"customer_uuid IS NOT NULL AND {FEW}",
        ),
    )  # fmt: skip
