"""Endpoints that want to be told, and what was sent to them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import vault
from portal.clock import now
from portal.customers.models import Customer
from portal.db import Base, TimestampMixin, enum_type
from portal.errors import Message
from portal.identifiers import IdentifierMixin
from portal.people.models import User
from portal.providers.fetch import LONGEST_ADDRESS, Trouble
from portal.rooms.models import Room
from portal.webhooks.events import TEST

DESCRIPTION_LENGTH = 200
SHOWN_OF_ANSWER = 500  # characters

SECRET, PAYLOAD = "webhook-secret", "webhook-payload"  # purposes of the vault


class EndpointStatus(StrEnum):
    """Is anything sent to it?"""

    ACTIVE = "active"
    PAUSED = "paused"


class PauseReason(StrEnum):
    """Why an endpoint is paused."""

    ASKED = "asked"
    GONE = "gone"
    FAILING = "failing"
    RIGHTS = "rights"

    @property
    def words(self) -> Message:
        """What people read."""
        return _PAUSE_REASONS[self]


_PAUSE_REASONS = {
    PauseReason.ASKED: Message("It was paused by hand."),
    PauseReason.GONE: Message("The receiver answered that it is gone for good (410)."),
    PauseReason.FAILING: Message(
        "It kept failing: too many messages were given up, or nothing got through for three days."
    ),
    PauseReason.RIGHTS: Message(
        "It ran in the name of somebody who could no longer keep it here, or no longer see all that it tells."
    ),
}


class WebhookEndpoint(IdentifierMixin, TimestampMixin, Base):
    """An address that is told of events in one room of the customer, or in all of them (`room` is None).

    While it is paused, what happens is not written down for it. For a day after a rotation the older
    secret signs beside the newer one.
    """

    __tablename__ = "webhook_endpoints"

    customer_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("customers.uuid", ondelete="CASCADE"), index=True)
    room_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("rooms.uuid", ondelete="CASCADE"), index=True)
    url: Mapped[str] = mapped_column(sa.String(LONGEST_ADDRESS))
    events: Mapped[list[str]] = mapped_column(default=list)
    description: Mapped[str] = mapped_column(sa.String(DESCRIPTION_LENGTH), default="")
    secret_sealed: Mapped[str] = mapped_column(sa.Text)
    old_secret_sealed: Mapped[str | None] = mapped_column(sa.Text)
    old_secret_until: Mapped[datetime | None]
    status: Mapped[EndpointStatus] = mapped_column(enum_type(EndpointStatus), default=EndpointStatus.ACTIVE)
    paused_at: Mapped[datetime | None]
    paused_why: Mapped[PauseReason | None] = mapped_column(enum_type(PauseReason))
    failures: Mapped[int] = mapped_column(default=0)
    """Tries in a row that failed."""
    given_up: Mapped[int] = mapped_column(default=0)
    """Messages in a row that were given up."""
    failing_since: Mapped[datetime | None]
    served_at: Mapped[datetime | None]
    """When a try last ended, whatever came of it; before the first, when the endpoint was made. See `places`."""
    slow: Mapped[bool] = mapped_column(default=True)
    """Whether that try took long, or none has ended at this address. Writing either is no change of the endpoint."""
    created_by_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.uuid", ondelete="SET NULL"))
    customer: Mapped[Customer] = relationship()
    room: Mapped[Room | None] = relationship()
    created_by: Mapped[User | None] = relationship()
    """The keeper, in whose name it runs: see `standing`."""

    @property
    def secret(self) -> str:
        """The newer secret, for whoever may manage the endpoint."""
        return vault.unseal(self.secret_sealed, purpose=SECRET)

    @property
    def old_secret(self) -> str | None:
        """The older one."""
        return vault.unseal(self.old_secret_sealed, purpose=SECRET) if self.old_secret_sealed else None

    def live_secrets(self, at: datetime) -> list[str]:
        """Those that sign at this time, the newest first."""
        old = self.old_secret if self.old_secret_until is not None and at < self.old_secret_until else None
        return [self.secret, old] if old is not None else [self.secret]

    @property
    def active(self) -> bool:
        """Whether it is told anything."""
        return self.status is EndpointStatus.ACTIVE

    def wants(self, event: str) -> bool:
        """Whether it asked for events of this kind."""
        return event in self.events


def _index_of(name: str, which: str) -> sa.Index:
    """An index of those messages to an endpoint, by their next try: the many others it need not carry."""
    columns, these = ("endpoint_uuid", "next_attempt_at"), sa.text(which)
    return sa.Index(f"ix_webhook_deliveries_{name}", *columns, sqlite_where=these, postgresql_where=these)


class WebhookDelivery(IdentifierMixin, Base):
    """A message to one endpoint: written in the transaction of what it tells, sent afterwards, tried again for a day.

    It is due once `next_attempt_at` has come; that is None when there is nothing more to do. Whoever takes
    it moves that time on and sets `claimed_at`, so that nobody else sends it meanwhile.
    """

    __tablename__ = "webhook_deliveries"

    endpoint_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("webhook_endpoints.uuid", ondelete="CASCADE"))
    event: Mapped[str] = mapped_column(sa.String(32))
    message_id: Mapped[str] = mapped_column(sa.String(40))
    payload_sealed: Mapped[str] = mapped_column(sa.Text)
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    gave_up_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    """When the last try ended; what follows is what became of it."""
    answer_status: Mapped[int | None]
    answer_body: Mapped[str] = mapped_column(sa.String(SHOWN_OF_ANSWER), default="")
    answer_milliseconds: Mapped[int | None]
    trouble: Mapped[Trouble | None] = mapped_column(enum_type(Trouble))
    endpoint: Mapped[WebhookEndpoint] = relationship()

    __table_args__ = (
        sa.UniqueConstraint("endpoint_uuid", "message_id"),
        sa.Index("ix_webhook_deliveries_endpoint_uuid_created_at", "endpoint_uuid", "created_at"),
        _index_of("waiting", "next_attempt_at IS NOT NULL"),
        _index_of("waiting_tests", f"event = '{TEST}' AND next_attempt_at IS NOT NULL"),  # also while it is paused
        _index_of("taken", "claimed_at IS NOT NULL"),
    )

    @property
    def payload(self) -> str:
        """What is sent."""
        return vault.unseal(self.payload_sealed, purpose=PAYLOAD)

    @property
    def withheld(self) -> bool:
        """Whether it was given up for another reason than its last try: that ends when the message is given up."""
        return self.gave_up_at is not None and self.gave_up_at != self.answered_at

    @hybrid_property
    def being_sent(self) -> bool:
        """Whether somebody sends it right now. A worker that died holds it only until it is due again."""
        return self.claimed_at is not None and self.next_attempt_at is not None and self.next_attempt_at > now()

    @being_sent.inplace.expression
    @classmethod
    def _being_sent(cls) -> sa.ColumnElement[bool]:
        return sa.and_(cls.claimed_at.is_not(None), cls.next_attempt_at > now())
