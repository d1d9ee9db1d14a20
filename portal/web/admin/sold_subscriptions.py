"""The subscriptions of a customer as its page shows them, with what is used of each."""

from dataclasses import dataclass

from portal.clock import now
from portal.customers.models import Customer
from portal.edge.i18n import last_day
from portal.status.subscription_usage import Counted, Usage, counted_each, usage_of
from portal.subscriptions.dates import zone_of
from portal.subscriptions.endings import end_of
from portal.subscriptions.phases import Phase, phase_of
from portal.subscriptions.queries import subscriptions_of


@dataclass(frozen=True)
class SoldSubscription:
    """A subscription of the customer. `last_day` is "" if it does not end."""

    id: str
    name: str
    package_name: str
    phase: Phase
    last_day: str
    counted: Counted
    usage: tuple[Usage, ...]
    """What is used of each of its limits."""

    @property
    def over(self) -> bool:
        """Whether nothing can be used of it any more."""
        return self.phase.over


def sold_subscriptions(customer: Customer) -> list[SoldSubscription]:
    """The customer's subscriptions by name, at most 100."""
    at, zone, found = now(), zone_of(customer), subscriptions_of(customer)
    counts = counted_each(found)
    return [
        SoldSubscription(
            id=one.id,
            name=one.name,
            package_name=one.package.name,
            phase=phase_of(one, at),
            last_day=last_day(end, zone) if (end := end_of(one)) is not None else "",
            counted=counts[one.uuid],
            usage=tuple(usage_of(one, counts[one.uuid])),
        )
        for one in found
    ]
