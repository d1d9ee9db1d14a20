"""What every entrance answers to somebody who has come in, and what its page needs so that its form may lead there."""

from dataclasses import replace

from flask import Response, make_response, redirect, url_for
from flask.typing import ResponseReturnValue

from portal.admission.arrival import Arrival, service_origin
from portal.edge import admission_cookie
from portal.edge.admission_cookie import AdmissionCookie
from portal.edge.headers import let_forms_lead_to
from portal.rooms.models import Room
from portal.subscriptions.models import ServiceProvider


def go_in(arrival: Arrival, room: Room, cookie: AdmissionCookie) -> Response:
    """One 303 to where people meet, with the admission cookie of somebody who is in."""
    inside, destination = arrival.participation, arrival.destination
    address = url_for("conference.show", room_id=room.id) if destination is None else destination.url
    cookie = replace(cookie, participation_id=inside.id, last_name=inside.name, join_ticket_uuid=None)
    return admission_cookie.write(make_response(redirect(address, 303)), room.id, cookie)


def may_lead_in(answer: ResponseReturnValue, provider: ServiceProvider) -> Response:
    """This answer, whose form lets people into a room that `provider` holds: it may lead to its service as well."""
    response: Response = make_response(answer)
    origin = service_origin(provider)
    return response if origin is None else let_forms_lead_to(origin, response)
