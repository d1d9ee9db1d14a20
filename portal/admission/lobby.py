"""The lobby: where guests wait for a moderator, if the room's guest policy is to ask, or a moderator of the running run
has turned it on for as long as that lasts; and the moderators' answers.

Who waits is presence in the channels. An answer is a row of the running run, and counts until that ends; whoever was
turned away may be admitted after all. A visitor is known again as after a removal: by device, user or a link of his
own, also after that was replaced.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from portal.admission.models import LobbyAnswer
from portal.admission.waiting import Waiter, waiters_of
from portal.audit.operations import record_event
from portal.clock import now
from portal.db import session
from portal.errors import Conflict, Message, NotFound
from portal.people.actor import Actor
from portal.rooms.models import Room
from portal.rooms.operations import nudge_watchers
from portal.rooms.protocols import RoomColumns
from portal.status.locking import lock_room
from portal.status.models import Participation, RoomSession

NOT_BEGUN = Message("Nobody is in yet. Enter the room, then let people in.")


def waiting_guests(room: RoomColumns) -> list[Waiter]:
    """Who waits in the room's lobby and has no answer yet, in the order of coming."""
    waiters = waiters_of(room)
    answered = {answer.waiter for answer in _answers(room)} if waiters else set()
    return [waiter for waiter in waiters if waiter.id not in answered]


def turned_away(room: RoomColumns) -> list[LobbyAnswer]:
    """The answers to those who were turned away in the running run, in their order."""
    return [one for one in _answers(room) if not one.admitted]


def answer(
    room: Room, waiter_id: str, *, admit: bool, by: Actor | None, moderator: Participation | None = None
) -> LobbyAnswer:
    """Admit somebody who waits, or who was turned away; or turn somebody away who waits.

    `by` is the user who does so, None for a guest; `moderator` his own participation, if he is in. Raises `NotFound`
    if nobody with this id waits any more, and `Conflict` if nobody is in, so that there is no run yet.
    """
    run, answers = _lock(room)
    waiting = [one for one in waiters_of(room) if one.id == waiter_id]
    known = next((one for one in answers if one.waiter == waiter_id), None)
    if known is None and not waiting:
        raise NotFound(Message("This person is not waiting any more."))
    given = known or _new_answer(run, waiting[0], admit=admit)
    if known is None or known.admitted is not admit:
        _record(room, [given], admit=admit, by=by, moderator=moderator)
    return given


def admit_all(room: Room, *, by: Actor | None, moderator: Participation | None = None) -> int:
    """Admit everybody who waits and has no answer yet. Returns how many. Raises as `answer` does."""
    run, answers = _lock(room)
    answered = {one.waiter for one in answers}
    given = [_new_answer(run, one, admit=True) for one in waiters_of(room) if one.id not in answered]
    _record(room, given, admit=True, by=by, moderator=moderator)
    return len(given)


def sweep_answers() -> None:
    """Delete the answers of runs that have ended."""
    ended = sa.select(RoomSession.uuid).where(RoomSession.ended_at.is_not(None))
    session.execute(
        sa.delete(LobbyAnswer).where(LobbyAnswer.session_uuid.in_(ended)),
        execution_options={"synchronize_session": False},
    )


def _lock(room: Room) -> tuple[RoomSession, list[LobbyAnswer]]:
    lock_room(room.uuid)
    run = session.scalar(
        sa.select(RoomSession).where(RoomSession.room_uuid == room.uuid, RoomSession.ended_at.is_(None))
    )
    if run is None:
        raise Conflict(NOT_BEGUN)
    return run, _answers(room)


def _answers(room: RoomColumns) -> list[LobbyAnswer]:
    return list(
        session.scalars(
            sa.select(LobbyAnswer)
            .join(LobbyAnswer.run)
            .where(RoomSession.room_uuid == room.uuid, RoomSession.ended_at.is_(None))
            .order_by(LobbyAnswer.answered_at, LobbyAnswer.uuid)
            .execution_options(populate_existing=True)
        )
    )


def _new_answer(run: RoomSession, waiter: Waiter, *, admit: bool) -> LobbyAnswer:
    given = LobbyAnswer(
        session_uuid=run.uuid,
        waiter=waiter.id,
        device=waiter.device,
        user_uuid=waiter.user_uuid,
        token_uuid=waiter.token_uuid,
        name=waiter.name,
        admitted=admit,
    )
    session.add(given)
    return given


def _record(
    room: Room, given: Sequence[LobbyAnswer], *, admit: bool, by: Actor | None, moderator: Participation | None
) -> None:
    for one in given:
        one.admitted, one.answered_at = admit, now()
    session.flush()
    for one in given:
        record_event(
            "visitor.admitted" if admit else "visitor.turned_away",
            one,
            by=by,
            room=room.uuid,
            name=one.name,
            moderator=moderator.id if moderator is not None else None,
        )
    nudge_watchers(room)
