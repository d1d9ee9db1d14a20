"""Join tickets: addresses that let one person in once. The API issues one for a visitor who may enter.

Issuing judges as pressing Join does, with code and throttle; a use of the link counts only when the ticket is
redeemed. A ticket can be opened for a minute, and redeemed by a button for ten minutes more. It works once: of several
people who press the button, one gets in.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal import vault
from portal.admission.case import Enter, Reason
from portal.admission.decision import Decision, decide
from portal.admission.entering import (
    Judgement,
    admit,
    checked_name,
    count_wrong_code,
    matching_code,
    record_refusal,
    require_entry,
)
from portal.admission.locked_door import lock_door
from portal.admission.models import JoinTicket
from portal.admission.queries import case_of
from portal.admission.visitor import Visitor
from portal.clock import now
from portal.db import session
from portal.errors import Conflict, Message
from portal.people.models import User
from portal.rooms.protocols import RoomLike
from portal.status.arrivals import Place, Reservation
from portal.token_format import TokenFormat

OPENING_TIME = timedelta(seconds=60)
REDEEMING_TIME = timedelta(minutes=10)  # between opening it, which changes nothing, and pressing the button
RETENTION = timedelta(days=1)  # how long a spent ticket is kept, so that its address can say so
_SECRET = TokenFormat("en_", random_bytes=24)


class JoinTicketSpent(Conflict):
    """The ticket was redeemed already, or has expired."""

    default = Message("This entry has been used, or its time is over. Ask for a new one where you got it.")


def issue_join_ticket(
    *, room: RoomLike, visitor: Visitor, name: str, code: str = "", network: str, access_token_uuid: UUID | None = None
) -> tuple[Decision, str | None]:
    """Decide about a visitor. Returns the decision, and if it is `Enter` the secret of a new ticket, else None.

    A wrong or missing code is the decision's reason; a wrong one is counted as a wrong guess. Nothing else is
    used up. The ticket ends with the access token `access_token_uuid`, if one is given. Raises `Invalid` on `name`, and
    `Throttled`.
    """
    name = checked_name(visitor, name, room)
    door = lock_door(room, visitor, network=network)
    at = now()
    case = case_of(door.room, door.visitor, occupancy=door.occupancy, at=at)
    typed = case.code_needed and case.code_valid and bool(code.strip())
    matching = matching_code(door, code, at) if typed else None
    decision = decide(replace(case, code="right" if matching else "wrong" if typed else "missing"))
    if decision.reason is Reason.CODE_WRONG:
        count_wrong_code(door, network)
    if not isinstance(decision.result, Enter):
        record_refusal(room=room, visitor=door.visitor, decision=decision)
        return decision, None
    member, secret = visitor.member, _SECRET.new()
    session.add(
        JoinTicket(
            room_uuid=room.uuid,
            secret_hash=vault.lookup_hash(secret, purpose="join-ticket"),
            token_uuid=visitor.token.uuid if visitor.token else None,
            user_uuid=member.uuid if member is not None else None,
            access_code_uuid=matching.uuid if matching is not None else None,
            scope_words=sorted(member.scopes) if member is not None and member.scopes is not None else None,
            access_token_uuid=access_token_uuid,
            name=name,
            expires_at=at + OPENING_TIME,
        )
    )
    session.flush()
    return decision, secret


def find_join_ticket(room: RoomLike, text: str) -> JoinTicket | None:
    """The ticket of this room whose secret stands in the text, also a spent one; None if there is none."""
    secret = _SECRET.find(text)
    if secret is None:
        return None
    hashes = vault.lookup_hashes(secret, purpose="join-ticket")
    return session.scalar(_join_tickets(room).where(JoinTicket.secret_hash.in_(hashes)))


def find_opened_join_ticket(room: RoomLike, join_ticket_uuid: object) -> JoinTicket | None:
    """The ticket of this room that an admission cookie names by its uuid; None if there is none."""
    return session.scalar(_join_tickets(room).where(JoinTicket.uuid == join_ticket_uuid)) if join_ticket_uuid else None


def can_be_opened(ticket: JoinTicket, at: datetime) -> bool:
    """Whether the ticket's address can still be opened at `at`."""
    return ticket.stands(at) and at < ticket.expires_at


def can_be_redeemed(ticket: JoinTicket, at: datetime) -> bool:
    """Whether the ticket can still be redeemed at `at`, by the button."""
    return ticket.stands(at) and at < ticket.expires_at + REDEEMING_TIME


def judge_join_ticket(*, room: RoomLike, ticket: JoinTicket, visitor: Visitor, network: str) -> Judgement:
    """Decide under the room's lock whether the ticket's `visitor`, on this device, may enter now. Changes nothing.

    Everything is judged again but the code, which was right when the ticket was issued; it must still be valid if
    the role needs one. Raises `JoinTicketSpent` or `Declined`.
    """
    door = lock_door(room, visitor, network=network)
    at = now()
    if not can_be_redeemed(ticket, at):
        raise JoinTicketSpent
    proven = next((code for code in door.codes if code.uuid == ticket.access_code_uuid and not code.expired(at)), None)
    case = case_of(door.room, door.visitor, occupancy=door.occupancy, at=at)
    decision = decide(replace(case, code="right" if proven is not None else "missing"))
    counted = proven if decision.case.code_needed else None
    return require_entry(Judgement(door, decision, ticket.name, counted, at))


def redeem_join_ticket(
    *, room: RoomLike, ticket: JoinTicket, visitor: Visitor, network: str, reservation: Reservation | None = None
) -> Place:
    """Enter the room by a ticket, once: of several people who press its button at the same time, one gets in.

    `reservation` is what the service behind the room has reserved; None if people meet on the portal's own page. Raises
    `JoinTicketSpent` or `Declined`.
    """
    judged = judge_join_ticket(room=room, ticket=ticket, visitor=visitor, network=network)
    redeemed = session.execute(
        sa.update(JoinTicket)
        .where(
            JoinTicket.uuid == ticket.uuid,
            JoinTicket.used_at.is_(None),
            JoinTicket.expires_at > judged.at - REDEEMING_TIME,
        )
        .values(used_at=judged.at)
        .returning(JoinTicket.uuid)
    ).first()
    if redeemed is None:
        raise JoinTicketSpent
    return admit(judged, network=network, reservation=reservation)


def sweep_join_tickets() -> int:
    """Housekeeping: delete tickets that expired more than a day ago. Returns how many."""
    swept = session.execute(
        sa.delete(JoinTicket).where(JoinTicket.expires_at < now() - RETENTION).returning(JoinTicket.uuid)
    )
    return len(swept.all())


def _join_tickets(room: RoomLike) -> sa.Select[JoinTicket]:
    return (
        sa.select(JoinTicket)
        .where(JoinTicket.room_uuid == room.uuid)
        .options(
            joinedload(JoinTicket.token),
            joinedload(JoinTicket.access_token),
            joinedload(JoinTicket.access_code),
            joinedload(JoinTicket.user).joinedload(User.platform_roles),
        )
        .execution_options(populate_existing=True)
    )
