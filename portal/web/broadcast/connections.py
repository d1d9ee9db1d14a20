"""What a broadcaster's page sends: a connection is opened, chunks come by it, and the broadcast is stopped."""

from http import HTTPStatus

from flask import Blueprint, Response, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from portal.broadcasts.connections import find_own_connection, open_connection, received, stop_broadcast
from portal.conference import signal_rate
from portal.edge.admissions import Participant
from portal.edge.broadcast_guard import airs, brings_chunk
from portal.errors import Invalid, Message, Refused
from portal.web.broadcast.answers import refuse
from portal.web.conference.sent import json_body
from portal.web.conference.signals import refuse_proof

bp = Blueprint("sending", __name__, url_prefix="/rooms/<id:room_id>/-/live")
bp.register_error_handler(Refused, refuse)
bp.register_error_handler(CSRFError, refuse_proof)


@bp.post("/connections")
@airs
def create(participant: Participant) -> ResponseReturnValue:
    """Let this moderator send: `mime`, `width` and `height` of what is recorded, `take_over` from somebody else."""
    signal_rate.take(signal_rate.HEARTBEATS, signal_rate.visitor_of(participant.participation))
    body = json_body()
    connection = open_connection(
        participant.participation,
        mime=str(body.get("mime") or ""),
        width=_number(body.get("width")),
        height=_number(body.get("height")),
        take_over=body.get("take_over") is True,
        by=participant.member,
    )
    address = url_for("sending.append", room_id=participant.room.id, connection_id=connection.id)
    return {"id": connection.id, "chunks": address}, HTTPStatus.CREATED


@bp.patch("/connections/<id:connection_id>")
@brings_chunk
def append(size: int) -> ResponseReturnValue:
    """Answer a chunk that was received by how much is here now."""
    return Response(status=HTTPStatus.NO_CONTENT, headers={"Upload-Offset": str(size)})


@bp.get("/connections/<id:connection_id>")
@airs
def show(participant: Participant, connection_id: str) -> ResponseReturnValue:
    """How much has come by a connection of this moderator."""
    connection = find_own_connection(participant.participation, connection_id)
    return Response(status=HTTPStatus.NO_CONTENT, headers={"Upload-Offset": str(received(connection.uuid))})


@bp.post("/ending")
@airs
def stop(participant: Participant) -> ResponseReturnValue:
    """End the broadcast for everyone."""
    stop_broadcast(participant.participation.run, by=participant.member, moderator=participant.participation)
    return "", HTTPStatus.NO_CONTENT


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid(width=Message("This is no size of a picture."))
    return value
