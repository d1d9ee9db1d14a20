"""The answer of every entrance to somebody who has entered, and the policy that lets its form redirect there."""

from dataclasses import replace

from flask import Response, make_response, redirect, url_for
from flask.typing import ResponseReturnValue

from portal.admission.joining import Arrival, form_target
from portal.edge import admission_cookie
from portal.edge.admission_cookie import AdmissionCookie
from portal.edge.headers import let_forms_lead_to
from portal.rooms.protocols import RoomColumns, RoomLike
from portal.subscriptions.protocols import ProviderLike
from portal.subscriptions.provider_models import ServiceType


def go_in(arrival: Arrival, room: RoomLike, cookie: AdmissionCookie) -> Response:
    """Redirect somebody who has entered to where people meet, with the admission cookie for the participation."""
    inside, destination = arrival.place, arrival.destination
    address = page_of(room) if destination is None else destination.url
    cookie = replace(cookie, participation_id=inside.id, last_name=inside.name, join_ticket_uuid=None)
    return admission_cookie.write(make_response(redirect(address, 303)), room.id, cookie)


def page_of(room: RoomColumns) -> str:
    """The path of the portal's own page for whoever is in the room."""
    pages = {ServiceType.VIDEO: "watch.show", ServiceType.LIVE: "live.show"}
    return url_for(pages.get(room.room_type, "conference.show"), room_id=room.id)


def may_lead_in(answer: ResponseReturnValue, provider: ProviderLike) -> Response:
    """Let the form on this page, by which people enter a room of `provider`, redirect to the provider's service."""
    response: Response = make_response(answer)
    target = form_target(provider)
    return response if target is None else let_forms_lead_to(target.origin, response, anywhere=target.leads_on)
