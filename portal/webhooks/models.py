"""The tables of webhook endpoints and of the deliveries to them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import vault
from portal.clock import now
from portal.column_types import enum_type
from portal.customers.models import Customer
from portal.db import Base, TimestampMixin
from portal.errors import Message
from portal.identifiers import IdentifierMixin
from portal.partial_indexes import partial_index
from portal.people.models import User
from portal.providers.fetch import LONGEST_ADDRESS, Trouble
from portal.rooms.models import Room
from portal.webhooks.events import TEST

DESCRIPTION_LENGTH = 200
SHOWN_OF_ANSWER = 500  # characters

SECRET, PAYLOAD = "webhook-secret", "webhook-payload"  # purposes of the vault


class EndpointStatus(StrEnum):
    """Whether events are sent to an endpoint."""

    ACTIVE = "active"
    PAUSED = "paused"


class PauseReason(StrEnum):
    """Why an endpoint was paused."""

    ASKED = "asked"
    GONE = "gone"
    FAILING = "failing"
    RIGHTS = "rights"

    @property
    def words(self) -> Message:
        """The reason as a sentence for people."""
        return _PAUSE_REASONS[self]


_PAUSE_REASONS = {
    PauseReason.ASKED: Message("It was paused by hand."),
    PauseReason.GONE: Message("The receiver answered that it is gone for good (410)."),
    PauseReason.FAILING: Message(
        "It kept failing: too many messages were given up, or nothing got through for three days."
    ),
    PauseReason.RIGHTS: Message("Its owner could no longer keep it here, or no longer see all that it tells."),
}


class DeliveryState(StrEnum):
    """What has become of a delivery. The first two are open: there is something to do yet."""

    WAITING = "waiting"
    """It is sent when `next_attempt_at` comes; the endpoint may be paused then."""
    SENDING = "sending"
    """A worker is sending it. If that died, another one sends it when `next_attempt_at` comes."""
    DELIVERED = "delivered"
    """The receiver has accepted it."""
    FAILED = "failed"
    """Given up after its last attempt."""
    DROPPED = "dropped"
    """Not sent, because the endpoint's owner may not see what it tells."""


class WebhookEndpoint(IdentifierMixin, TimestampMixin, Base):
    """An address to which events of one room of the customer are sent, or of all its rooms (`room` is None).

    If `customer` is None too, it belongs to the portal itself: staff keep it, and it is told of customers, accounts and
    subscriptions.

    While it is paused, no deliveries are created for it. For a day after its secret was rotated, deliveries are
    signed with the old secret as well.
    """

    __tablename__ = "webhook_endpoints"

    customer_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("customers.uuid", ondelete="CASCADE"), index=True)
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
    """How many attempts in a row failed."""
    given_up: Mapped[int] = mapped_column(default=0)
    """How many deliveries in a row were given up."""
    failing_since: Mapped[datetime | None]
    served_at: Mapped[datetime | None]
    """When an attempt last ended, with whatever outcome; at first, when the endpoint was created.

    `scheduling` orders endpoints by it. Writing it does not change `updated_at`.
    """
    slow: Mapped[bool] = mapped_column(default=True)
    """Whether the last attempt took long, or none has ended at this address yet. Writing it does not change
    `updated_at`."""
    owner_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.uuid", ondelete="SET NULL"))
    customer: Mapped[Customer | None] = relationship()
    room: Mapped[Room | None] = relationship()
    owner: Mapped[User | None] = relationship()
    """Whoever saved it last and so answers for it: nothing is sent that this person may not see."""

    @property
    def secret(self) -> str:
        """The present signing secret, in plain text."""
        return vault.unseal(self.secret_sealed, purpose=SECRET)

    @property
    def old_secret(self) -> str | None:
        """The signing secret before the last rotation, in plain text; None if it was never rotated."""
        return vault.unseal(self.old_secret_sealed, purpose=SECRET) if self.old_secret_sealed else None

    def live_secrets(self, at: datetime) -> list[str]:
        """The secrets with which deliveries are signed at `at`: the present one, then the old one for a day."""
        old = self.old_secret if self.old_secret_until is not None and at < self.old_secret_until else None
        return [self.secret, old] if old is not None else [self.secret]

    @property
    def customer_usable(self) -> bool:
        """Whether its customer may be used; while not, its people have no rights. The portal itself always may."""
        return self.customer is None or self.customer.usable

    @property
    def active(self) -> bool:
        """Whether events are sent to it."""
        return self.status is EndpointStatus.ACTIVE

    def wants(self, event: str) -> bool:
        """Whether it subscribes to events of this kind."""
        return event in self.events


_OPEN = "state IN ('waiting', 'sending')"


def _index_of_some(name: str, where: str) -> sa.Index:
    """An index of the deliveries for which `where` is true, by endpoint and next attempt. Most others are done."""
    return partial_index(f"ix_webhook_deliveries_{name}", "endpoint_uuid", "next_attempt_at", where=where)


class WebhookDelivery(IdentifierMixin, Base):
    """An event on its way to one endpoint.

    It is created in the transaction of what it tells, sent after the commit, and tried again for a day. It is due
    once `next_attempt_at` has come. The worker that claims it moves that time on and sets `claimed_at`, so that no
    other worker sends it meanwhile.
    """

    __tablename__ = "webhook_deliveries"

    endpoint_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("webhook_endpoints.uuid", ondelete="CASCADE"))
    event: Mapped[str] = mapped_column(sa.String(32))
    message_id: Mapped[str] = mapped_column(sa.String(40))
    payload_sealed: Mapped[str] = mapped_column(sa.Text)
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)
    state: Mapped[DeliveryState] = mapped_column(enum_type(DeliveryState), default=DeliveryState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    """When it is due; None once it has ended."""
    claimed_at: Mapped[datetime | None]
    """When the worker that sends it claimed it, by which its outcome is known; None if none does."""
    ended_at: Mapped[datetime | None]
    """When it was delivered, failed or was dropped; None before."""
    answered_at: Mapped[datetime | None]
    """When the last attempt ended. The fields below are its outcome."""
    answer_status: Mapped[int | None]
    answer_body: Mapped[str] = mapped_column(sa.String(SHOWN_OF_ANSWER), default="")
    answer_milliseconds: Mapped[int | None]
    trouble: Mapped[Trouble | None] = mapped_column(enum_type(Trouble))
    endpoint: Mapped[WebhookEndpoint] = relationship()

    __table_args__ = (
        sa.UniqueConstraint("endpoint_uuid", "message_id"),
        sa.Index("ix_webhook_deliveries_endpoint_uuid_created_at", "endpoint_uuid", "created_at"),
        _index_of_some("open", _OPEN),
        _index_of_some("open_tests", f"event = '{TEST}' AND {_OPEN}"),  # sent while paused, too
        _index_of_some("sending", "state = 'sending'"),
    )

    @property
    def customer_uuid(self) -> UUID | None:
        """The customer whose endpoint it is; None for one of a room, or of the portal."""
        return self.endpoint.customer_uuid

    @property
    def payload(self) -> str:
        """The JSON text that is sent."""
        return vault.unseal(self.payload_sealed, purpose=PAYLOAD)

    @classmethod
    def due(cls, at: datetime) -> sa.ColumnElement[bool]:
        """The condition that a delivery has to be sent at `at`: it waits for that, or the worker that had it died."""
        waiting: sa.ColumnElement[str] = sa.literal_column(f"'{DeliveryState.WAITING}'")  # as in the partial indexes
        sending: sa.ColumnElement[str] = sa.literal_column(f"'{DeliveryState.SENDING}'")
        return sa.and_(cls.state.in_([waiting, sending]), cls.next_attempt_at <= at)

    def end(self, state: DeliveryState, at: datetime) -> None:
        """Write how it ended, and that there is nothing more to do."""
        self.state, self.ended_at, self.next_attempt_at = state, at, None

    @hybrid_property
    def being_sent(self) -> bool:
        """Whether a worker is sending it now. If the worker died, this ends when the delivery is due again."""
        at = self.next_attempt_at
        return self.state is DeliveryState.SENDING and at is not None and at > now()

    @being_sent.inplace.expression
    @classmethod
    def _being_sent(cls) -> sa.ColumnElement[bool]:
        return sa.and_(cls.state == sa.literal_column(f"'{DeliveryState.SENDING}'"), cls.next_attempt_at > now())
