"""Joining a room: judge the visitor, ask the service behind the room for a destination, then enter under the lock.

The order is the same for everybody: judge; ask the service where to, while no transaction is open; enter under the
room's lock, where everything is judged once more; redirect there. Nobody counts as in before the service has agreed:
if it refuses, nothing is written.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from portal.admission.entering import Judgement, enter, judge
from portal.admission.join_tickets import judge_join_ticket, redeem_join_ticket
from portal.admission.models import JoinTicket
from portal.admission.queries import Visitor
from portal.db import without_transaction
from portal.providers.base import Destination, Joinable, ProviderError, Visit
from portal.rooms.models import Room
from portal.status.models import Participation
from portal.status.operations import Reservation
from portal.status.service_calls import refusal_of, run_request, start_at_service
from portal.subscriptions.models import ServiceProvider
from portal.subscriptions.services import bound_service


@dataclass(frozen=True)
class Arrival:
    """A visitor who has entered. `destination` is where the service lets him in; None for the portal's own page."""

    participation: Participation
    destination: Destination | None


def arrive(
    *,
    room: Room,
    provider: ServiceProvider,
    visitor: Visitor,
    network: str,
    name: str = "",
    code: str = "",
    ticket: JoinTicket | None = None,
) -> Arrival:
    """Enter by name and code, as a member (both empty), or by a join ticket. `provider` is the room's provider now.

    Raises `Invalid` on `name` or `code`, `Throttled`, `Declined`, `JoinTicketSpent`, or `RoomNotOpened` if the service
    behind the room refuses or fails to open it.
    """
    service = bound_service(provider)
    reservation, destination = None, None
    if isinstance(service, Joinable):
        judged = (
            judge(room=room, visitor=visitor, name=name, code=code, network=network)
            if ticket is None
            else judge_join_ticket(room=room, ticket=ticket, visitor=visitor, network=network)
        )
        reservation, destination = _promise(service, judged, provider)
    if ticket is None:
        inside = enter(room=room, visitor=visitor, name=name, code=code, network=network, reservation=reservation)
    else:
        inside = redeem_join_ticket(room=room, ticket=ticket, visitor=visitor, network=network, reservation=reservation)
    return Arrival(inside, destination)


def service_origin(provider: ServiceProvider) -> str | None:
    """The origin to which forms that enter rooms of this provider redirect; None if that is the portal itself."""
    service = bound_service(provider)
    return service.origin if isinstance(service, Joinable) else None


def _promise(service: Joinable, judged: Judgement, provider: ServiceProvider) -> tuple[Reservation, Destination]:
    """Ask the service for a run, which it starts if needed, and for this visitor's destination in it.

    Raises `RoomNotOpened`.
    """
    request = run_request(judged.door.room, provider)
    visit = Visit(
        participant_id=judged.participation_id,
        name=judged.name,
        role=judged.role.value,
        return_url=request.return_url,
    )
    external = start_at_service(service, request, provider=provider)
    try:
        with without_transaction():
            destination = service.destination(external, visit)
        if _origin_of(destination.url) != service.origin:
            raise ProviderError("the destination lies elsewhere than the service said", permanent=True)
    except Exception as error:
        raise refusal_of(error, provider) from error
    return Reservation(provider=provider, external=external, participation_id=visit.participant_id), destination


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
