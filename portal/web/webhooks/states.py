"""What the pages of webhooks say of the state of an endpoint and of a delivery, and what can be done with it."""

from dataclasses import dataclass
from datetime import datetime

from portal.edge.i18n import gettext as _
from portal.people.actor import Actor
from portal.webhooks.authorization import may_receive
from portal.webhooks.events import TEST, Event
from portal.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint


@dataclass(frozen=True)
class StateLabel:
    """The state in a row of a delivery or a webhook: `kind` is a CSS class, `words` the text."""

    kind: str
    words: str


def delivery_state(delivery: WebhookDelivery) -> StateLabel:
    """The state of a delivery, as its row shows it."""
    match delivery.state:
        case DeliveryState.DELIVERED:
            return StateLabel("ok", _("Delivered"))
        case DeliveryState.FAILED:
            return StateLabel("bad", _("Given up") if delivery.event != TEST else _("Failed"))
        case DeliveryState.DROPPED:
            return StateLabel("bad", _("Not sent"))
    if delivery.being_sent:
        return StateLabel("wait", _("Is being sent"))
    return StateLabel("wait", _("Waiting") if not delivery.attempts else _("Is tried again"))


def endpoint_state(endpoint: WebhookEndpoint, *, kept: bool) -> StateLabel:
    """The state of an endpoint, as its row shows it. `kept`: whether it has a valid owner."""
    if not endpoint.active:
        return StateLabel("off", _("Paused"))
    if not kept:
        return StateLabel("bad", _("Nothing is sent"))
    if endpoint.failing_since is not None:
        return StateLabel("bad", _("Fails"))
    return StateLabel("ok", _("Listens"))


def is_moving(delivery: WebhookDelivery, endpoint: WebhookEndpoint, soon: datetime) -> bool:
    """Whether the delivery's row is about to change: it is being sent, or will be before `soon`."""
    at, listening = delivery.next_attempt_at, endpoint.active or delivery.event == TEST
    return delivery.being_sent or (listening and at is not None and at < soon)


def is_repeatable(delivery: WebhookDelivery, endpoint: WebhookEndpoint, owner: Actor | None) -> bool:
    """Whether a delivery could be sent again: it has ended, its endpoint is active, and the owner may see its event."""
    ended = delivery.answered_at is not None or delivery.ended_at is not None
    if not ended or not endpoint.active or delivery.being_sent:
        return False
    return delivery.event == TEST or (owner is not None and may_receive(owner, endpoint, Event(delivery.event)))
