"""Coming in: the decision is made once more under a lock, and what it allows is done."""

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from portal import tries
from portal.admission.decision import Decision, Enter, Reason, decide
from portal.admission.models import AccessCode, RoomToken
from portal.admission.queries import Visitor, case_of, codes_of, find_door, standing
from portal.admission.secrets import normal_code, same_code
from portal.admission.throttle import automatic_token_bucket, code_buckets
from portal.admission.tokens import automatic_token
from portal.audit.operations import note
from portal.clock import now
from portal.db import apart, session
from portal.errors import Invalid, Message, NotFound, Refused
from portal.people.models import NAME_LENGTH
from portal.people.names import readable
from portal.rooms.models import Role, Room
from portal.status.models import Participation
from portal.status.operations import enter_session
from portal.subscriptions.models import Subscription


class Declined(Refused):
    """The decision was not `Enter`."""

    default = Message("You cannot come in.")

    def __init__(self, decision: Decision) -> None:
        super().__init__()
        self.decision = decision


def look(room: Room, visitor: Visitor) -> Decision:
    """What the page shows before Join: the decision as if the code were right. Changes nothing."""
    at = now()
    case = case_of(room, visitor, how=standing(room, visitor, at), at=at)
    return decide(replace(case, code="unasked"))


def enter(*, room: Room, visitor: Visitor, name: str, code: str, network: str) -> Participation:
    """Open a participation, or raise: `Invalid` (name, code), `Throttled`, or `Declined`.

    Sets last_usage and counts a use of link and code; a public room's visitor gets a guest link.
    """
    name = visitor.fixed_name or readable(name, field="name", longest=NAME_LENGTH)
    tried = _reserve_tries(room, visitor, code, network)

    _lock(room)
    found = find_door(room.id, visitor.token.uuid if visitor.token else None)
    if found is None:
        raise NotFound
    room, visitor = found[0], replace(visitor, token=found[1])
    at = now()
    how = standing(room, visitor, at)
    matching = _matching(room, visitor.role, code) if tried else None
    right = matching is not None and not matching.expired(at)
    decision = decide(replace(case_of(room, visitor, how=how, at=at), code="right" if right else "wrong"))
    if decision.reason is Reason.CODE_WRONG:
        raise Invalid(
            code=Message(
                "That code does not fit this link. Check it, or ask %(host)s for the current one.",
                host=room.owner.name,
            )
        )
    if not isinstance(decision.result, Enter):
        raise Declined(decision)

    tries.hand_back(*tried)
    token = _count_use(room, visitor, matching, at, again=how.inside is not None)
    member = visitor.member.uuid if visitor.member else None
    participation = enter_session(
        room=room,
        name=name,
        role=decision.result.role,
        device=visitor.device or "",
        token_uuid=token.uuid if token else None,
        user_uuid=member,
        sign_in_uuid=visitor.sign_in_uuid,
    )
    note("participant.joined", participation, by=member, room=room.uuid, role=participation.role.value)
    return participation


def _reserve_tries(room: Room, visitor: Visitor, code: str, network: str) -> tuple[tries.Bucket, ...]:
    """Count this guess before it is judged; nothing if no code is asked for. Raises `Invalid`, `Throttled`."""
    if visitor.member is not None:
        return ()
    needed = bool(codes_of(room, visitor.role))
    if needed and not code.strip():
        raise Invalid(code=Message("This link needs an access code. It came with your invitation."))
    if room.is_public and visitor.token is None:
        with apart():
            tries.reserve(automatic_token_bucket(room=room, network=network))
    if not needed:
        return ()
    known = visitor.device if _entered_before(room, visitor) else None
    buckets = code_buckets(room=room, role=visitor.role, network=network, known_device=known)
    with apart():
        tries.reserve(*buckets)
    return buckets


def _count_use(room: Room, visitor: Visitor, code: AccessCode | None, at: datetime, *, again: bool) -> RoomToken | None:
    """Note that link and code were used. A public room's visitor without a link gets one of their own."""
    token = visitor.token
    if visitor.member is None and (token is None or token.automatic):
        assert visitor.device is not None
        token = automatic_token(room, visitor.device)
    if token is not None:
        token.last_usage = at
        token.use_count += 0 if again else 1
    if code is not None:
        code.last_usage = at
        code.use_count += 1
    return token


def _lock(room: Room) -> None:
    """Hold the rows by which places are counted until the end of the transaction."""
    for kind, uuid in ((Subscription, room.subscription_uuid), (Room, room.uuid)):
        session.execute(sa.select(kind.uuid).where(kind.uuid == uuid).with_for_update(of=kind)).first()


def _matching(room: Room, role: Role, code: str) -> AccessCode | None:
    """The role's code that was typed; all are compared, so that time tells nothing."""
    typed = normal_code(code[:200])
    equal = [known for known in codes_of(room, role) if same_code(known.normal, typed)]
    return equal[0] if equal else None


def _entered_before(room: Room, visitor: Visitor) -> bool:
    return bool(
        session.scalar(
            sa.select(
                sa.exists().where(
                    Participation.room_uuid == room.uuid,
                    Participation.device == visitor.device,
                    Participation.role == visitor.role,
                )
            )
        )
    )
