"""The place whose webhooks pages show: a room with its customer, or the portal itself."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask import url_for

from portal.customers.models import Customer
from portal.people.actor import Actor
from portal.permissions.rules import PLATFORM, can, manages_customer
from portal.rooms.models import Room
from portal.webhooks.events import ROOM_EVENTS, STAFF_EVENTS, Event
from portal.webhooks.models import WebhookEndpoint
from portal.webhooks.queries import endpoints_for, portal_endpoints


@dataclass(frozen=True)
class WebhookPlace:
    """A room with the customer above it; or without a room the portal itself."""

    room: Room | None = None

    @property
    def customer(self) -> Customer | None:
        """The room's customer."""
        return self.room.customer if self.room is not None else None

    @property
    def layout(self) -> str:
        """The template that the pages of this place extend."""
        return "manage/rooms/_layout.html" if self.room is not None else "webhooks/_portal_layout.html"

    @property
    def events(self) -> tuple[Event, ...]:
        """The events of which webhooks can be told here."""
        return ROOM_EVENTS if self.room is not None else STAFF_EVENTS

    @property
    def usual(self) -> Collection[Event]:
        """Those events that a new webhook is offered first."""
        if self.room is not None:
            return {Event.ROOM_STARTED, Event.ROOM_ENDED, Event.PARTICIPANT_JOINED, Event.PARTICIPANT_LEFT}
        return {
            Event.SUBSCRIPTION_CREATED,
            Event.SUBSCRIPTION_RENEWED,
            Event.SUBSCRIPTION_ENDING,
            Event.SUBSCRIPTION_ENDED,
        }

    def visible(self, actor: Actor | None) -> set[Event]:
        """Those events that the actor may see himself, so that he can choose them."""
        thing = self.room if self.room is not None else PLATFORM
        return {event for event in self.events if can(actor, event.needs, thing)}

    def reaches_above(self, actor: Actor) -> bool:
        """Whether the actor may also make webhooks for all rooms of the customer here."""
        return self.room is not None and manages_customer(actor, self.room.customer)

    def endpoints(self, actor: Actor) -> list[WebhookEndpoint]:
        """The webhooks that the actor finds here, the oldest first."""
        return endpoints_for(actor, self.room) if self.room is not None else portal_endpoints()

    def url(self, page: str, **ids: Any) -> str:
        """The address of a page: `url("show", endpoint_id=…)`."""
        if self.room is not None:
            return url_for(f"webhooks.{page}", room_id=self.room.id, **ids)
        return url_for(f"admin_webhooks.{page}", **ids)
