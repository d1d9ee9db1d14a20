"""Entering a room: preview the decision, judge under the room's lock, open the participation, count uses and codes.

This is the hot path of the product: it takes few statements, and none waits for anything else while the room is
locked. Because of the lock, guesses at a code come one after the other; a wrong one is counted and committed before
the lock is released, a right one is not counted.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from portal import throttling
from portal.admission.automatic_tokens import automatic_token
from portal.admission.case import Enter, Reason
from portal.admission.codes import use_of_code
from portal.admission.decision import Decision, decide
from portal.admission.links import CodeLike, LinkLike
from portal.admission.locked_door import LockedDoor, lock_door
from portal.admission.models import RoomToken
from portal.admission.occupancy import Occupancy
from portal.admission.queries import case_of, occupancy_for
from portal.admission.secrets import normal_code, same_code
from portal.admission.throttle_buckets import automatic_token_bucket, code_buckets
from portal.admission.tokens import count_use_on_chain
from portal.admission.visitor import Visitor
from portal.audit.operations import record_event
from portal.clock import now
from portal.core_writes import Write
from portal.db import session
from portal.errors import Invalid, Message, Refused, Throttled
from portal.identifiers import new_id
from portal.people.models import NAME_LENGTH
from portal.people.names import clean_name
from portal.rooms.models import Role
from portal.rooms.protocols import RoomColumns, RoomLike
from portal.rooms.settings import asks_name
from portal.status.arrivals import ArrivalOutdated, Place, Reservation, enter_session


class Declined(Refused):
    """The visitor may not enter: the decision is `Wait` or `Refuse`."""

    default = Message("You cannot come in.")

    def __init__(self, decision: Decision) -> None:
        super().__init__()
        self.decision = decision


def preview(room: RoomLike, visitor: Visitor, occupancy: Occupancy | None = None) -> Decision:
    """The decision that a page shows before Join, as if the code were right. Changes nothing.

    `occupancy` is given if the caller has read it already.
    """
    case = case_of(room, visitor, occupancy=occupancy or occupancy_for(room, visitor))
    return decide(replace(case, code="unasked"))


@dataclass(frozen=True)
class Judgement:
    """The decision about a visitor of a locked room. `name` is the one that he will have in the room.

    `code` is the access code that was right, if one was needed. `at` is the time of the decision.
    """

    door: LockedDoor
    decision: Decision
    name: str
    code: CodeLike | None
    at: datetime

    @property
    def role(self) -> Role:
        """The role of the decision, which must be `Enter`: `require_entry` makes sure of that."""
        assert isinstance(self.decision.result, Enter)
        return self.decision.result.role

    @property
    def participation_id(self) -> str:
        """The id of this device's open participation by the same right, or a new id."""
        visitor = self.door.visitor
        right = (visitor.token.uuid if visitor.token else None, visitor.member.uuid if visitor.member else None)
        own = self.door.here.own
        return own.id if own is not None and (own.token_uuid, own.user_uuid) == right else new_id()


def enter(
    *,
    room: RoomLike,
    visitor: Visitor,
    name: str,
    code: str,
    network: str,
    reservation: Reservation | None = None,
    returning: bool = False,
) -> Place:
    """Enter the room: open a participation for the visitor, under the room's lock.

    Counts a use of link and code and sets their last_usage; a visitor of a public room without a link gets an
    automatic one. `network` is the visitor's address. `reservation` is what the service has promised to which people
    are sent; None if they meet on the portal. Raises `Invalid` on `name` or `code`, `Throttled`, or `Declined`.
    """
    judged = judge(room=room, visitor=visitor, name=name, code=code, network=network, returning=returning)
    return admit(judged, network=network, reservation=reservation)


def judge(
    *, room: RoomLike, visitor: Visitor, name: str, code: str, network: str, returning: bool = False
) -> Judgement:
    """Decide under the room's lock whether the visitor may enter now. Changes nothing but the count of wrong codes.

    `returning`: the device comes back by itself after it lost the connection, so nothing is typed. The code by which
    it was in counts if it is still valid; else the reason is that the code is missing. Raises `Invalid` on `name` or
    `code`, `Throttled`, or `Declined`.
    """
    door = lock_door(room, visitor, network=network)
    room, visitor, at = door.room, door.visitor, now()
    case = case_of(room, visitor, occupancy=door.occupancy, at=at)
    code_asked = case.code_needed and case.code_valid
    name = _checked_fields(visitor, room, name=name, code=code, code_needed=code_asked and not returning)
    matching = None
    if code_asked:
        matching = _earlier_code(door, at) if returning else matching_code(door, code, at)
    decision = decide(replace(case, code="right" if matching else "missing" if returning else "wrong"))
    if decision.reason is Reason.CODE_WRONG:
        count_wrong_code(door, network)
        raise _with_refusal_recorded(_wrong_code(room), door, decision)
    return require_entry(Judgement(door, decision, name, matching, at))


def require_entry(judged: Judgement) -> Judgement:
    """Return `judged` if the decision is `Enter`. Raises `Declined`, which writes a line to the audit."""
    if not isinstance(judged.decision.result, Enter):
        raise _with_refusal_recorded(Declined(judged.decision), judged.door, judged.decision)
    return judged


def admit(judged: Judgement, *, network: str, reservation: Reservation | None = None) -> Place:
    """Open the participation for a decision `Enter`, while the room is still locked, and count the uses."""
    door, code, at = judged.door, judged.code, judged.at
    if reservation is not None and (judged.name, judged.role) != (reservation.name, reservation.role):
        raise ArrivalOutdated  # the service has been told otherwise
    visitor = door.visitor
    token, uses = _count_use(door, network, at)
    if code is not None:  # a device uses it once in a run, too
        uses.append(use_of_code(code, at, uses=int(code.uuid != door.occupancy.code_uuid)))
    member = visitor.member
    place = enter_session(
        here=door.here,
        reservation=reservation,
        name=judged.name,
        role=judged.role,
        device=visitor.device or "",
        token_uuid=token.uuid if token else None,
        access_code_uuid=code.uuid if code is not None else None,
        by=member,
        uses=uses,
    )
    room_uuid, webhooks = door.room.uuid, door.room.customer.webhooks
    what = "participant.took_over" if place.took_over else "participant.joined"
    record_event(what, place, by=member, room=room_uuid, webhooks=webhooks, role=place.role.value)
    if token is not None and not door.occupancy.used:
        record_event("token.used", token, by=member, room=room_uuid, webhooks=webhooks)
    if code is not None and code.uuid != door.occupancy.code_uuid:
        record_event("code.used", code, by=member, room=room_uuid, webhooks=webhooks)
    session.flush()
    return place


def matching_code(door: LockedDoor, code: str, at: datetime) -> CodeLike | None:
    """The valid code of the visitor's role that equals `code`, or None. Raises `Throttled`.

    All codes are compared, so that the time it takes tells nothing.
    """
    retry_after = door.retry_after[1 if door.known else 0]
    if retry_after is not None:
        raise Throttled(retry_after=throttling.seconds_until(retry_after))
    typed = normal_code(code[:200])
    equal = [known for known in door.codes if typed and same_code(normal_code(known.code), typed)]
    return equal[0] if equal and not equal[0].expired(at) else None


def _earlier_code(door: LockedDoor, at: datetime) -> CodeLike | None:
    """The code by which this device was in a moment ago, if it is still one of its role's valid ones."""
    return next(
        (code for code in door.codes if code.uuid == door.occupancy.code_uuid and not code.expired(at)),
        None,
    )


NAMELESS = "Viewer"
"""What somebody is called who gives no name, in a room that asks for none."""


def checked_name(visitor: Visitor, name: str, room: RoomColumns) -> str:
    """The name that the visitor will have in the room: the fixed one, else `name`. Raises `Invalid` on `name`."""
    if visitor.fixed_name:
        return visitor.fixed_name
    if not name.strip() and not asks_name(room):
        return NAMELESS
    return clean_name(name, field="name", longest=NAME_LENGTH)


def _checked_fields(visitor: Visitor, room: RoomColumns, *, name: str, code: str, code_needed: bool) -> str:
    """The name that the visitor will have in the room. Raises one `Invalid` for everything wrong with name and code."""
    problems: dict[str, Message] = {}
    try:
        name = checked_name(visitor, name, room)
    except Invalid as invalid:
        problems |= invalid.fields
    if code_needed and not code.strip():
        problems["code"] = Message("This link needs an access code. It came with your invitation.")
    if problems:
        raise Invalid(**problems)
    return name


def count_wrong_code(door: LockedDoor, network: str) -> None:
    """Count a wrong code and commit that, so that it stays counted and the next guess sees it. Raises `Throttled`."""
    visitor = door.visitor
    known = visitor.device if door.known else None
    throttling.reserve(*code_buckets(room=door.room, role=visitor.role, network=network, known_device=known))
    session.commit()


_LINKS: Any = RoomToken.__table__
_USE_LINK = (
    sa.update(_LINKS)
    .where(_LINKS.c.uuid == sa.bindparam("link"))
    .values(
        last_usage=sa.bindparam("at"),
        updated_at=sa.bindparam("updated_at"),
        use_count=_LINKS.c.use_count + sa.bindparam("uses"),
    )
)


def _count_use(door: LockedDoor, network: str, at: datetime) -> tuple[LinkLike | None, list[Write]]:
    """The link by which the visitor enters, and its use, to be written. In a public room he may get an automatic link.

    A device uses a link once in a run, however often it enters by it; see `Occupancy.used`.
    """
    visitor, token = door.visitor, door.visitor.token
    fresh = token is None or not door.occupancy.used
    if visitor.member is None and (token is None or token.automatic):
        assert visitor.device is not None
        if token is None:
            throttling.reserve(automatic_token_bucket(room=door.room, network=network))
        return automatic_token(door.room, visitor.device, at=at, uses=int(fresh)), []
    if token is None:
        return None, []
    if fresh and token.max_uses is not None:
        count_use_on_chain(token)
    return token, [Write(_USE_LINK, {"link": token.uuid, "at": at, "updated_at": at, "uses": int(fresh)})]


def _wrong_code(room: RoomLike) -> Invalid:
    text = "That code does not fit this link. Check it, or ask %(host)s for the current one."
    return Invalid(code=Message(text, host=room.owner_name))


def record_refusal(*, room: RoomLike, visitor: Visitor, decision: Decision) -> None:
    """Write a refusal to the audit, without token and code. Does nothing if the decision is `Enter`.

    A missing code is a field to fill in and no refusal, so it is not recorded.
    """
    if not isinstance(decision.result, Enter) and decision.reason is not Reason.CODE_MISSING:
        _refusal_recorder(room, visitor, decision)()


def _with_refusal_recorded(refused: Refused, door: LockedDoor, decision: Decision) -> Refused:
    """Let the refusal write a line of the audit after the rollback, and return it."""
    refused.after_rollback = _refusal_recorder(door.room, door.visitor, decision)
    return refused


def _refusal_recorder(room: RoomLike, visitor: Visitor, decision: Decision) -> Callable[[], None]:
    """A function that writes the line of the audit. Its data is read now: after the rollback the link may be gone."""
    member, room_uuid, role = visitor.member, room.uuid, visitor.role.value
    reason = decision.reason.value if decision.reason else "wait"
    webhooks = room.customer.webhooks
    return lambda: record_event(
        "participant.refused", room, by=member, room=room_uuid, webhooks=webhooks, role=role, reason=reason
    )
