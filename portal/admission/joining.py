"""Joining a room: judge the visitor, ask the service behind the room for a destination, then enter under the lock.

The order is the same for everybody: judge; ask the service where to, while no transaction is open; enter under the
room's lock, where everything is judged once more; redirect there. Nobody counts as in before the service has agreed:
if it refuses, nothing is written.
"""

import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from portal import throttling
from portal.admission.entering import Judgement, enter, judge
from portal.admission.join_tickets import judge_join_ticket, redeem_join_ticket
from portal.admission.models import JoinTicket
from portal.admission.queries import find_door
from portal.admission.throttle_buckets import service_bucket
from portal.admission.visitor import Visitor
from portal.broadcasts.hosting import open_broadcast
from portal.db import committed_step, session, without_transaction
from portal.errors import NotFound
from portal.identifiers import new_id
from portal.media.capacity import has_place_for_recording
from portal.people.signed_in import still_acts
from portal.permissions.rules import member_role
from portal.permissions.visibility import find_room
from portal.providers.base import Destination, Embeddable, Joinable, ProviderError, TakesIngest, Visit
from portal.rooms.protocols import RoomLike
from portal.status.arrivals import ArrivalOutdated, Place, Reservation
from portal.status.service_calls import recording_mode, refusal_of, run_request, settings_for, start_at_service
from portal.status.services import current_provider
from portal.subscriptions.protocols import ProviderLike
from portal.subscriptions.services import bound_service

LONGEST_URL = 8_000


@dataclass(frozen=True)
class Arrival:
    """A visitor who has entered. `destination` is where the service lets him in; None for the portal's own page."""

    place: Place
    destination: Destination | None


def arrive(
    *,
    room: RoomLike,
    provider: ProviderLike,
    visitor: Visitor,
    network: str,
    name: str = "",
    code: str = "",
    ticket: JoinTicket | None = None,
    returning: bool = False,
) -> Arrival:
    """Enter by name and code, as a member (both empty), or by a join ticket. `provider` is the room's provider now.

    `returning`: the device comes back after it lost the connection, see `judge`.

    Raises `Invalid` on `name` or `code`, `Throttled`, `Declined`, `JoinTicketSpent`, or `RoomNotOpened` if the service
    behind the room refuses or fails to open it.
    """
    way = _WayIn(room=room, visitor=visitor, network=network, name=name, code=code, ticket=ticket, returning=returning)
    try:
        return _arrive(way, provider)
    except ArrivalOutdated:  # something changed meanwhile: all is read, and the service asked, once more
        session.rollback()
        room, visitor = _renewed(visitor, room.id)
        return _arrive(replace(way, room=room, visitor=visitor), current_provider(room))


@dataclass(frozen=True, kw_only=True)
class _WayIn:
    """Who wants to enter which room, and how."""

    room: RoomLike
    visitor: Visitor
    network: str
    name: str
    code: str
    ticket: JoinTicket | None
    returning: bool


def _arrive(way: _WayIn, provider: ProviderLike) -> Arrival:
    room, visitor, network, ticket = way.room, way.visitor, way.network, way.ticket
    try:
        service = bound_service(provider)
    except ProviderError as error:
        raise refusal_of(error, provider) from error
    reservation, destination = None, None
    if isinstance(service, Joinable):
        if visitor.member is None:
            with committed_step():
                throttling.reserve(service_bucket(room=room, network=network))
        judged = (
            judge(room=room, visitor=visitor, name=way.name, code=way.code, network=network, returning=way.returning)
            if ticket is None
            else judge_join_ticket(room=room, ticket=ticket, visitor=visitor, network=network)
        )
        reservation, destination = _promise(service, judged, provider)
        room, visitor = _renewed(visitor, room.id)
    elif isinstance(service, TakesIngest):
        judged = (
            judge(room=room, visitor=visitor, name=way.name, code=way.code, network=network, returning=way.returning)
            if ticket is None
            else judge_join_ticket(room=room, ticket=ticket, visitor=visitor, network=network)
        )
        reservation = _place_in_broadcast(judged, provider)
    if ticket is None:
        inside = enter(
            room=room,
            visitor=visitor,
            name=way.name,
            code=way.code,
            network=network,
            reservation=reservation,
            returning=way.returning,
        )
    else:
        inside = redeem_join_ticket(room=room, ticket=ticket, visitor=visitor, network=network, reservation=reservation)
    if isinstance(service, TakesIngest):
        open_broadcast(inside.session_uuid, service.ingest_plan(settings_for(room, provider)))
    return Arrival(inside, destination)


def _place_in_broadcast(judged: Judgement, provider: ProviderLike) -> Reservation:
    """A place in the run of a live room: in the running one, or in a new one, which a moderator alone can open."""
    run = judged.door.here.run
    return Reservation(
        provider=provider,
        external=run.external if run is not None else new_id(),
        participation_id=judged.participation_id,
        name=judged.name,
        role=judged.role,
        run_uuid=run.uuid if run is not None else None,
    )


@dataclass(frozen=True)
class FormTarget:
    """Where forms that enter rooms of a service are redirected to: its origin, and by that to others if it leads on."""

    origin: str
    leads_on: bool


def form_target(provider: ProviderLike) -> FormTarget | None:
    """Where forms that enter rooms of this provider are redirected to; None if that is the portal itself."""
    try:
        service = bound_service(provider)
    except ProviderError:
        return None
    return FormTarget(service.origin, service.leads_on) if isinstance(service, Joinable) else None


def meets_here(provider: ProviderLike) -> bool:
    """Whether people meet on a page of the portal itself, so that it can try their camera and microphone before."""
    try:
        return isinstance(bound_service(provider), Embeddable)
    except ProviderError:
        return False


def _promise(service: Joinable, judged: Judgement, provider: ProviderLike) -> tuple[Reservation, Destination]:
    """Ask the service for a run, which it starts if needed, and for this visitor's destination in it.

    Raises `RoomNotOpened`.
    """
    room = judged.door.room
    has_place = has_place_for_recording(room)
    request = run_request(room, provider, has_place=has_place)
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
        if not _leads_to(destination.url, service.origin):
            raise ProviderError("the destination lies elsewhere than the service said", permanent=True)
    except Exception as error:
        raise refusal_of(error, provider) from error
    run = judged.door.here.run
    reservation = Reservation(
        provider=provider,
        external=external,
        participation_id=visit.participant_id,
        name=judged.name,
        role=judged.role,
        run_uuid=run.uuid if run is not None else None,
        recording=recording_mode(room, provider, has_place=has_place),
    )
    return reservation, destination


def _renewed(visitor: Visitor, room_id: str) -> tuple[RoomLike, Visitor]:
    """The room and the visitor with the rights of now: asking the service took a while, and nothing was held meanwhile.

    Whatever this session has read before is read anew from here on. Raises `NotFound` if the room or the member's
    right to see it is gone.
    """
    session.expire_all()
    door = find_door(room_id, visitor.token.uuid if visitor.token is not None else None)
    if door is None:
        raise NotFound
    member = visitor.member
    if member is None:
        return door.room, visitor
    room = find_room(member, room_id) if still_acts(member) else None
    role = member_role(member, room) if room is not None else None
    if role is None:
        raise NotFound
    return door.room, replace(visitor, member_role=role)


def _leads_to(url: str, origin: str) -> bool:
    """Whether this is an address that a browser can be sent to, at this origin."""
    if not isinstance(url, str) or not url.isascii() or len(url) > LONGEST_URL or re.search(r"[\x00-\x20\x7f]", url):
        return False
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and f"{parts.scheme}://{parts.netloc}" == origin
